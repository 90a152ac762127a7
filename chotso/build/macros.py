"""The macros that a build of our project can call: dbt wraps every macro anew for every node.

dbt brings 450 macros of its own, for snapshots, seeds, incremental models and other databases. Of
these families only what the rest reaches is kept; a macro that is missed fails the build by its
name. What dbt itself calls by name stands in other folders, and stays.
"""

from typing import Any

_FAMILIES = ("macros/materializations/", "macros/python_model/", "macros/utils/")
_ALWAYS = "macros/materializations/tests/"  # a test is looked up by the name of its kind


def drop_unused(manifest: Any) -> None:
    """Take out of a parsed project the macros of those families that nothing of it reaches."""
    macros = manifest.macros
    waiting = [name for name, macro in macros.items() if not _is_optional(macro)]
    for item in (*manifest.nodes.values(), *manifest.unit_tests.values()):
        waiting += item.depends_on.macros
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
