"""YAML is read in one place, as written, and nothing in it stands twice."""

import ast
from pathlib import Path

import pytest
import yaml

from chotso import PROJECT_ROOT
from chotso.yaml_reader import NotYamlError, compose_yaml, read_yaml

TEXT = "day: 2021-10-01\nrate: 0.20\nwhole: 7\nyes_or_no: true\nnone: null\nlist: [1e3, a]\n"


def test_dates_and_decimals_stay_as_written() -> None:
    read = read_yaml(TEXT)
    assert read == {
        "day": "2021-10-01", "rate": "0.20", "whole": 7, "yes_or_no": True, "none": None,
        "list": ["1e3", "a"],
    }  # fmt: skip
    assert read_yaml(TEXT.encode()) == read
    assert yaml.safe_load(TEXT)["rate"] == 0.2, "the library makes a float of it"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' stands twice"),
        ("list:\n  - {x: 1, x: 1}\n", "'x' stands twice"),
        ("a: [", "while parsing"),
        ("a: !!python/name:os.system\n", "could not determine a constructor"),
        (b"a: \xff\n", "utf-8"),
    ],
)
def test_what_cannot_be_relied_on_is_refused(content: str | bytes, fault: str) -> None:
    with pytest.raises(NotYamlError, match=fault):
        read_yaml(content)


def test_nodes_know_their_lines() -> None:
    node = compose_yaml(TEXT)
    assert node is not None
    assert node.value[1][0].start_mark.line == 1
    with pytest.raises(NotYamlError):
        compose_yaml("a: [")


def _imports_yaml(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = [
        name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
    ]
    return any(name and name.split(".")[0] in ("yaml", "ruamel") for name in names)


def test_no_other_module_reads_yaml() -> None:
    folders = ("chotso", "dags")
    modules = [path for folder in folders for path in (PROJECT_ROOT / folder).rglob("*.py")]
    reading = [path.relative_to(PROJECT_ROOT).as_posix() for path in modules if _imports_yaml(path)]
    assert reading == ["chotso/yaml_reader.py"]
