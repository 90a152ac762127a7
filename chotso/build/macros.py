"""Removes macros that a build cannot call, because dbt wraps every macro again for every node.

dbt brings 450 macros for snapshots, seeds, incremental models and other databases. Of these
families, only macros that the project can reach are kept. If one is missing, the build fails and
names it. Macros that dbt itself calls by name are in other folders and stay.
"""

from typing import Any

_FAMILIES = ("materializations", "python_model", "unit_test_sql", "utils")
_ALWAYS = "macros/materializations/tests/"  # dbt finds a data test by the name of its kind


def drop_unused(manifest: Any) -> None:
    """Remove macros of those families from a parsed project that nothing in it reaches."""
    macros = manifest.macros
    project = manifest.metadata.project_name
    waiting = [name for name, macro in macros.items() if macro.package_name == project]
    for item in (*manifest.nodes.values(), *manifest.unit_tests.values()):
        waiting += item.depends_on.macros
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in macros and name not in used:
            used.add(name)
            waiting += macros[name].depends_on.macros
    manifest.macros = {
        name: macro
        for name, macro in macros.items()
        if name in used or not _is_optional(macro.original_file_path)
    }


def _is_optional(path: str) -> bool:
    families = tuple(f"macros/{family}/" for family in _FAMILIES)
    return path.startswith(families) and not path.startswith(_ALWAYS)
