"""What can be made again is in sql/code/, whole; numbered scripts change tables."""

import re
from pathlib import Path

import pytest

from chotso.migrate import CODE, SCRIPTS
from tests.warehouse.schema_page import PAGE

# Scripts up to this one also made what can be made again; its form of today is in code/.
LAST_OLD_SCRIPT = "089_refresh.sql"
LONGEST_FUNCTION = 70  # lines
_COMMENT = re.compile(r"--[^\n]*")
_MADE_AGAIN = re.compile(
    r"\b(?:create (?:or replace )?(?:constraint )?(?:function|procedure|view|trigger|event trigger"
    r"|policy)|grant|revoke)\b[^;]*"
)
_FUNCTION = re.compile(
    r"^create or replace function ([\w.]+)\(.*?(?:as (\$\w*\$).*?\2;|\nreturn [^;]*;)", re.M | re.S
)
CODE_FILES = sorted(CODE.glob("*.sql"))


def text_of(path: Path) -> str:
    return _COMMENT.sub("", path.read_text("utf-8"))


def made_again(text: str) -> list[str]:
    """Statements whose things can be made again."""
    return [" ".join(found.split()) for found in _MADE_AGAIN.findall(text)]


def functions(text: str) -> dict[str, int]:
    """The functions of a file, and the lines of each."""
    return {found[1]: found[0].count("\n") + 1 for found in _FUNCTION.finditer(text)}


def test_new_scripts_change_tables_alone() -> None:
    found = {
        path.name: statements
        for path in SCRIPTS.glob("*.sql")
        if path.name > LAST_OLD_SCRIPT and (statements := made_again(text_of(path)))
    }
    assert not found, "functions, views, triggers, policies and rights belong into sql/code/"


@pytest.mark.parametrize(
    "statement",
    [
        "create function ops.more() returns text",
        "create or replace view ops.more as select 1",
        "create constraint trigger more after insert on ops.build",
        "create policy more on ops.build",
        "grant select on ops.build to chotso_reader",
        "revoke all\non ops.build from public",
    ],
)
def test_what_a_new_script_may_not_say_is_found(statement: str) -> None:
    assert made_again(f"alter table ops.build add column more text;\n{statement};")
    assert not made_again("alter table ops.build add column granted_by text;")


def test_every_function_view_and_trigger_is_in_code() -> None:
    """Of today's schema; what a loop of a function in code/ makes is named by its template."""
    page = PAGE.read_text("utf-8")
    code = "\n".join(text_of(path) for path in CODE_FILES)
    assert not re.findall(r"^--     [^\n]*; (\d\w+\.sql)$", page, re.M), "functions"
    views = set(re.findall(r"^create view ([\w.]+)", page, re.M))
    by_template = {name for name in views if re.match(r"frozen\.(?:own|current)_", name)}
    by_template.remove("frozen.current_release")
    named = set(re.findall(r"create or replace view (\w+\.\w+)", code))
    assert views - by_template == named
    triggers = set(re.findall(r"^create trigger (\w+)", page, re.M))
    assert triggers == set(re.findall(r"create or replace trigger (\w+)", code))


def test_rights_on_tables_of_the_last_old_scripts_are_in_code() -> None:
    """Each grant of the scripts that came after code/ was there."""
    code = {each for path in CODE_FILES for each in made_again(text_of(path))}
    for name in ("077_operators", "079_build_nodes", "080_incidents"):
        statements = made_again(text_of(SCRIPTS / f"{name}.sql"))
        assert statements
        assert set(statements) <= code, name


@pytest.mark.parametrize("path", CODE_FILES, ids=lambda path: path.stem)
def test_a_function_fits_a_head(path: Path) -> None:
    text = path.read_text("utf-8")
    found = functions(text)
    assert len(found) == len(re.findall(r"^create or replace function ", text, re.M))
    assert {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION} == {}


def test_a_function_that_is_too_long_would_be_found() -> None:
    long = "create or replace function ops.more() returns void\nas $$\n" + "x\n" * 70 + "$$;"
    assert functions(long) == {"ops.more": 73}
