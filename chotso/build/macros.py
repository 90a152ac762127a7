"""Removes what a build does not need from a parsed project: unused macros, and parts for tools.

dbt wraps every macro again for every node, and has 450 macros for snapshots, seeds, incremental
models and other databases. Of these families, only macros that others call are kept. If a needed
one is missing, the build fails and names it. Macros that dbt calls by name are in other folders and
are kept. Semantic models, metrics and exposures are only for tools that read dbt's artifacts.
"""

from typing import Any

_FAMILIES = ("macros/materializations/", "macros/python_model/", "macros/utils/")
_ALWAYS = "macros/materializations/tests/"  # dbt finds a data test by the name of its kind


def drop_unused(manifest: Any) -> None:
    """Remove macros of those families that nothing calls, and what only tools read."""
    manifest.semantic_models, manifest.metrics, manifest.exposures = {}, {}, {}
    macros = manifest.macros
    waiting = [name for name, macro in macros.items() if not _is_optional(macro)]
    for node in (*manifest.nodes.values(), *manifest.unit_tests.values()):
        waiting += node.depends_on.macros
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in macros and name not in used:
            used.add(name)
            waiting += macros[name].depends_on.macros
    manifest.macros = {name: macro for name, macro in macros.items() if name in used}


def _is_optional(macro: Any) -> bool:
    path = macro.original_file_path
    is_ours = not macro.package_name.startswith("dbt")
    return path.startswith(_FAMILIES) and not path.startswith(_ALWAYS) and not is_ours
