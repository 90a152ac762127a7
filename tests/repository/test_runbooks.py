"""Runbooks: a page for each kind of incident, of one form; commands exist and queries work."""

import re
from pathlib import Path

import psycopg
import pytest

from chotso.incident_kinds import KINDS
from tests.repository.commands import commands, fenced, refuse_unknown
from tests.worlds.build_warehouse import Servers, new_warehouse

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
    "python3",
}


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


@pytest.mark.warehouse
def test_queries_work(servers: Servers, tmp_path: Path) -> None:
    """With the rights that the index asks for."""
    assert "`chotso_auditor`" in (FOLDER / "README.md").read_text(encoding="utf-8")
    with new_warehouse(servers, tmp_path) as made, psycopg.connect(made.admin_url) as conn:
        conn.execute("set role chotso_auditor")
        for page in PAGES:
            for statement in ";".join(fenced(page, "sql")).split(";"):
                if statement.strip():
                    conn.execute(statement.encode())
        with pytest.raises(psycopg.Error):
            conn.execute("select nothing from ops.nights")
