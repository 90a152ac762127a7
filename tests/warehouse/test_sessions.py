"""No session of ours leaves to others what its names mean."""

import ast
import os
from pathlib import Path

import psycopg
import pytest

from chotso import PROJECT_ROOT, session
from chotso.build import runner
from chotso.warehouse import connect

# What connects for itself, and why.
APART = {
    "chotso/session.py",  # the one place
    "chotso/source/postgres.py",  # the source's own login, whose views may rely on its path
    "docker/bin/provision.py",  # runs without chotso; pins by itself
}
FOLDERS = ("chotso", "dags", "docker")


def _opens_a_session(path: Path) -> bool:
    tree = ast.parse(path.read_text("utf-8"))
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).removeprefix("psycopg.") in ("connect", "Connection.connect")
        and ast.unparse(node.func).startswith("psycopg.")
        for node in ast.walk(tree)
    )


def test_every_session_of_ours_begins_in_the_one_place() -> None:
    found = {
        str(path.relative_to(PROJECT_ROOT))
        for folder in FOLDERS
        for path in (PROJECT_ROOT / folder).rglob("*.py")
        if _opens_a_session(path)
    }
    assert found == APART


def test_those_that_other_libraries_open_are_pinned_too() -> None:
    for options in (connect.SESSION, runner._SESSION):
        assert options.startswith(session.PINNED)
    text = (PROJECT_ROOT / "docker/bin/provision.py").read_text("utf-8")
    assert session.PINNED in text


def test_neither_the_url_nor_the_environment_unpins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(psycopg, "connect", lambda url, **more: given.update(more))
    monkeypatch.setitem(os.environ, "PGOPTIONS", "-c search_path=public")
    session.open_session("postgresql://x/y?options=-csearch_path%3Dpublic", "-c timezone=UTC")
    assert given == {"options": f"{session.PINNED} -c timezone=UTC"}
    assert session.PINNED.startswith("-c search_path=pg_catalog,pg_temp ")


def test_what_a_superuser_is_told_to_type_is_qualified() -> None:
    """An unqualified call in a page of ours is run in whatever session they have open."""
    for page in (PROJECT_ROOT / "docs").glob("*.md"):
        for call in ("pg_advisory_lock(", "hashtextextended("):
            text = page.read_text("utf-8")
            assert text.count(call) == text.count(f"pg_catalog.{call}"), f"{page.name}: {call}"
