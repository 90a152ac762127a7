"""Rooms of the product use each other in one direction only."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _room(module: str) -> str:
    """`chotso.ingest.load` lies in chotso.ingest; the rooms of a release count one by one."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[1:2] == ["release"] else 2])


def _imported(tree: ast.Module) -> Iterator[str]:
    """Modules of ours that a file imports, in functions also."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _uses(files: Mapping[str, str]) -> dict[str, set[str]]:
    """Which rooms each room imports.

    Args:
        files: Source text by dotted module name.
    """
    uses: dict[str, set[str]] = {}
    for module, text in files.items():
        own = _room(module)
        named = {_room(name) for name in _imported(ast.parse(text)) if name.startswith("chotso.")}
        uses.setdefault(own, set()).update(named - {own})
    return uses


def _product() -> dict[str, str]:
    paths = (ROOT / "chotso").rglob("*.py")
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text("utf-8")
        for path in paths
        if path.name != "__init__.py" or path.parent != ROOT / "chotso"
    }


def test_no_room_imports_back_up() -> None:
    uses = _uses(_product())

    try:
        order = list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        pytest.fail(f"these rooms import each other in a circle: {' -> '.join(error.args[1])}")

    assert order.index("chotso.reports") < order.index("chotso.release.seal")
    assert order.index("chotso.build") < order.index("chotso.release.seal")
    assert order.index("chotso.release.late") < order.index("chotso.cli")


def test_an_import_inside_a_function_counts_too() -> None:
    back = "def lazy():\n    from chotso.cli import app\n"

    with pytest.raises(CycleError):
        TopologicalSorter(_uses(_product() | {"chotso.ingest.load": back})).prepare()


def test_the_verifier_imports_nothing_of_ours() -> None:
    assert _uses(_product())["chotso.verifier"] == set()
