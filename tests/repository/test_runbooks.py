"""Runbooks: a page for each kind of incident, of one form; what is typed exists."""

import re
from pathlib import Path

import pytest

from chotso.incident_kinds import KINDS
from tests.repository.commands import commands, refuse_unknown, refuse_unknown_name

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "runbooks"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
OTHERS = [ROOT / "docs" / name for name in ("backup.md", "rotation.md")]
PARTS = ["**What it means.**", "**Look at**", "**Do**", "**When it is well.**"]
# programs of others
KNOWN = {
    "chmod",
    "tail",
    "curl",
    "date",
    "df",
    "du",
    "ls",
    "mount",
    "docker",
    "airflow",
    "chown",
    "jq",
    "make",
    "python3",
}
SQL = {"select", "rollback", "drop", "alter", "grant"}


def ids(path: Path) -> str:
    return path.name


def test_each_kind_has_its_page() -> None:
    assert {path.stem.replace("-", "_") for path in PAGES} == set(KINDS)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_pages_have_one_form(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem.replace('-', '_')}: ")
    at = [text.find(part) for part in PARTS]
    assert -1 not in at
    assert at == sorted(at)
    assert len(text.splitlines()) <= 60, "a page that is read at night is short"


def test_the_index_has_each_page_once() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| \[(\w+)\]\(([\w-]+\.md)\)", text, re.MULTILINE)
    assert sorted(told) == sorted((path.stem.replace("-", "_"), path.name) for path in PAGES)


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "README.md", *OTHERS], ids=ids)
def test_commands_exist(page: Path) -> None:
    for words in commands(page):
        if words[0] == "chotso":
            refuse_unknown(words)
        elif words[:2] == ["python", "-m"]:
            assert (ROOT / f"{words[2].replace('.', '/')}.py").is_file(), words
        elif words[0] == "python3":
            assert (ROOT / words[2]).is_file(), words
        else:
            assert words[0] in KNOWN, words


@pytest.mark.parametrize(
    "line", ["chotso nightly", "chotso nigthly", "chotso freeze x --overide y"]
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"(?i)missing|no such"):
        refuse_unknown(line.split())


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_no_command_hides_in_a_sentence(page: Path) -> None:
    """What is to be typed stands in a block of its own, where `tests/watch` runs it."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for inline in re.findall(r"`([^`]+)`", text):
        words = inline.split()
        if words[0] == "chotso":
            assert len(words) <= 3, f"{inline}: a command with its arguments"
            refuse_unknown_name(words)
        else:
            assert len(words) == 1 or words[0] not in KNOWN | SQL, inline


def test_a_name_that_does_not_exist_is_found() -> None:
    with pytest.raises(LookupError, match="no such command: chotso lsit"):
        refuse_unknown_name(["chotso", "incidents", "lsit"])
