"""The analysts' questions of docs/marts.md: each answer is the independent recomputation's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chotso import PROJECT_ROOT
from chotso.sandbox.server import SandboxServer
from tests.oracle.asking import Questions
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.questions import ANSWERS, Answer
from tests.worlds.questions_world import Asked, asked

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(1800)]

PAGE = (PROJECT_ROOT / "docs" / "marts.md").read_text("utf-8")
QUESTIONS = re.findall(
    r"^\*\*(\d+)\. ([^\n]+)\*\*\n```sql\n(.+?)```$", PAGE, re.MULTILINE | re.DOTALL
)
RELATION = re.compile(r"\b(?:from|join)\s+([a-z_]+\.[a-z_]+)")
ASKED = pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param(query, answer, id=answer.__name__)
        for (_, _, query), answer in zip(QUESTIONS, ANSWERS, strict=True)
    ],
)


def test_the_page_has_eighteen_questions_of_one_view_each() -> None:
    assert [number for number, _, _ in QUESTIONS] == [str(n) for n in range(1, 19)]
    assert len(re.findall("^```sql$", PAGE, re.MULTILINE)) == 18
    for _, title, query in QUESTIONS:
        relations = RELATION.findall(query)
        assert len(relations) == 1, title
        assert relations[0].split(".")[0] in ("marts", "frozen"), title


@pytest.fixture(scope="module")
def world(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder: Path = tmp_path_factory.mktemp("questions")
    with asked(running, folder) as world:
        yield world


def said(world: Asked, own: str | None = None) -> Questions:
    nights = [(night.clock, night.business_date) for night in world.built]
    return Questions(world.world.observations, nights, world.sealed_at, CUTOFF, own)


def found(world: Asked, role: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(world.warehouse.admin_url) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        return conn.execute(query.encode()).fetchall()


def same(rows: Answer, expected: Answer) -> list[str]:
    """What is found and not expected, and the other way round."""
    left, right = list(rows), []
    for row in expected:
        if row in left:
            left.remove(row)
        else:
            right.append(row)
    return [f"{row} not expected" for row in left] + [f"{row} missing" for row in right]


@ASKED
def test_a_reader_finds_the_answer(world: Asked, query: str, answer: Any) -> None:
    expected = answer(said(world))
    assert expected, "the world has nothing to ask for"
    wrong = same(found(world, "chotso_reader", query), expected)
    assert not wrong, "\n".join(wrong[:25])


@ASKED
def test_an_agency_finds_its_own_rows_alone(world: Asked, query: str, answer: Any) -> None:
    answered = 0
    for own in ("07200", "07201", "07202"):
        expected = answer(said(world, own))
        try:
            rows = found(world, f"chotso_reader_{own}", query)
        except psycopg.errors.InsufficientPrivilege:
            rows = []
        wrong = same(rows, expected)
        assert not wrong, own + "\n" + "\n".join(wrong[:25])
        answered += bool(rows)
    nobodys = ("set_aside", "plan_revisions")
    assert answered or answer.__name__ in nobodys


@pytest.mark.parametrize("number", range(3))
def test_the_wrong_query_is_wrong(world: Asked, number: int) -> None:
    """What the page warns of differs from what it recommends, and the province is right."""
    pairs = re.findall(r"^wrong  (.+)\nright  (.+)$", PAGE, re.MULTILINE)
    assert len(pairs) == 3
    ((wrong,),), ((right,),) = (found(world, "chotso_reader", each) for each in pairs[number])
    assert wrong != right
