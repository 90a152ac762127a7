"""One word for one thing: class names, contracts and temporary tables."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PYTHON = sorted((ROOT / "chotso").rglob("*.py"))
# Scripts that were applied never change, and end with their own transaction.
_SQL = [path for path in sorted((ROOT / "chotso").rglob("*.sql")) if path.parent.name != "sql"]
_SQL += sorted((ROOT / "chotso/explain/sql").glob("*.sql"))
_SQL += sorted((ROOT / "chotso/release/data/sql").glob("*.sql"))
_MADE = re.compile(
    r"\bcreate\s+(?:local\s+)?temp(?:orary)?\s+(?:table|view)\s+(\w+)", re.IGNORECASE
)
_OBJECT = "TemporaryTable"
_VARIABLES = {"Contract": "contract", "DataFile": "data_file"}
"""Classes whose instances have one name everywhere."""


def test_no_two_classes_and_no_two_names_of_types_are_the_same() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in _PYTHON}
    assert _defined_twice(texts) == {}


@pytest.mark.parametrize(
    "other", ["class Row: ...", "Row = dict[str, int]", "Row: TypeAlias = str"]
)
def test_a_name_of_a_type_that_two_modules_define_is_found(other: str) -> None:
    assert _defined_twice({"one": "class Row: ...", "two": other}) == {"Row": ["one", "two"]}
    assert _defined_twice({"one": "ROW = 1", "two": "ROW = 2"}) == {}


def test_a_contract_is_called_contract_and_a_data_file_data_file() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {name}" for path in _PYTHON for name in _misnamed(_tree(path))
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(item: Contract): ...",
        "spec: Contract = x",
        "def f(a: Contract | Other): ...",
        "def f(spec: DataFile): ...",
    ],
)
def test_an_instance_with_another_name_is_found(text: str) -> None:
    assert list(_misnamed(ast.parse(text)))


def test_a_temporary_table_is_named_in_one_module() -> None:
    texts = {str(path.relative_to(ROOT)): _literals(path) for path in [*_PYTHON, *_SQL]}
    owners = {name: place for place, text in texts.items() for name in _made(text)}
    assert {"accepted", "batch_scopes", "in_quarantine", "explain_items", "stated_rows"} <= set(
        owners
    )
    assert _named_elsewhere(texts) == []


@pytest.mark.parametrize(
    "other",
    ["select from kept", "join pg_temp.kept on true", "create temp table kept ()", "update kept"],
)
def test_a_temporary_table_that_two_modules_name_is_found(other: str) -> None:
    assert _named_elsewhere({"one": "create temporary table kept (x text)", "two": other})
    assert _named_elsewhere({"one": f"{_OBJECT} kept", "two": other})
    assert not _named_elsewhere({"one": "create temporary table kept ()", "two": "raw as kept"})


def _defined_twice(texts: dict[str, str]) -> dict[str, list[str]]:
    """Classes and other capitalised names that more than one module defines, and which do."""
    places: dict[str, list[str]] = defaultdict(list)
    for place, text in texts.items():
        tree = ast.parse(text)
        names = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for name in [*names, *(name for node in tree.body for name in _assigned(node))]:
            places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def _assigned(node: ast.stmt) -> Iterator[str]:
    """The names of types that a statement assigns; a constant is all capitals."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        if isinstance(target, ast.Name) and re.fullmatch(r"_?[A-Z](?=\w*[a-z])\w*", target.id):
            yield target.id


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _misnamed(tree: ast.Module) -> Iterator[str]:
    """Parameters and attributes that hold such an instance and have another name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            name, annotation = node.arg, ast.unparse(node.annotation)
        elif isinstance(node, ast.AnnAssign):
            name, annotation = ast.unparse(node.target), ast.unparse(node.annotation)
        else:
            continue
        for class_name, variable in _VARIABLES.items():
            if re.search(rf"(^|\| ){class_name}\b", annotation) and not name.endswith(variable):
                yield name


def _literals(path: Path) -> str:
    """An SQL file; of a Python file its strings, and the names that it gives to tables."""
    if path.suffix == ".sql":
        return path.read_text(encoding="utf-8")
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(f"'{node.value}'")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == _OBJECT:
            found.append(f"{_OBJECT} {ast.literal_eval(node.args[0])}")
    return "\n".join(found)


def _made(text: str) -> set[str]:
    return {*_MADE.findall(text), *re.findall(rf"\b{_OBJECT} (\w+)", text)}


def _named_elsewhere(texts: dict[str, str]) -> list[str]:
    """Where SQL of a module names the temporary table of another; an alias is no table."""
    found = []
    for owner, text in texts.items():
        for name in _made(text):
            used = re.compile(
                rf"\b(?:(?:from|join|into|using|table|view|update)\s+|pg_temp\.){name}\b",
                re.IGNORECASE,
            )
            found += [
                f"{o}: {name}" for o, other in texts.items() if o != owner and used.search(other)
            ]
    return found
