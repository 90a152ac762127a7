"""Tests that share a world run in one process; all others are dealt out file by file."""

from tests.scheduling import SHARING_A_WORLD, unit_of
from tests.worlds.sandbox_homes import PROJECT


def test_a_world_is_one_unit_and_a_file_is_one() -> None:
    assert unit_of("tests/attacks/test_matrix.py::test_a[x::y]") == "tests/attacks/"
    assert unit_of("tests/ingest/rules/test_cases.py::test_a") == "tests/ingest/rules/"
    assert unit_of("tests/cli/test_cli.py::test_a[x::y]") == "tests/cli/test_cli.py"


def test_what_shares_a_world_is_there() -> None:
    for folder in SHARING_A_WORLD:
        assert (PROJECT / folder / "conftest.py").is_file(), folder
