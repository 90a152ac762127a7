"""Every rule against its cases, on a real PostgreSQL."""

from collections import defaultdict
from typing import Any

import psycopg
import pytest

from chotso.ingest.rules import Rule, StandingFacts, register, rules_of
from tests.ingest.rules.batches import facts_of, fill_raw, make_batch
from tests.ingest.rules.casebook import KINDS, Case, Casebook, all_cases, casebooks

pytestmark = pytest.mark.warehouse

RULES = {rule.id: rule for rule in register()}
Findings = list[tuple[int | None, str]]


def judge(
    conn: psycopg.Connection, book: Casebook, case: Case, rules: list[Rule]
) -> list[Findings]:
    """What each rule finds in the case's batch; the batch and its warehouse are rolled back."""
    with conn.transaction(force_rollback=True):
        fill_raw(conn, book.raw | (case.raw or {}))
        table = make_batch(conn, f"{book.feed}-20211231-000001", book, case.rows)
        found = []
        for rule in rules:
            query = rendered(book, case, rule, table.as_string(conn))
            cursor = conn.execute(query.encode())
            assert cursor.description is not None
            shape = [(column.name, column.type_display) for column in cursor.description]
            assert shape == [("row_no", "int8"), ("detail", "text")]
            found.append([(row[0], row[1]) for row in cursor.fetchall()])
        return found


def rendered(book: Casebook, case: Case, rule: Rule, table: str) -> str:
    """The rule's SQL as its engine gets it."""
    if rule.level == "history":
        # a date without a total cannot be on record; the SQL says what it would be all the same
        history: list[Any] = ["null" if total is None else total for total in case.history]
        return rule.history_query(StandingFacts(case.standing, history))
    return rule.query(facts_of(book, case)).format(batch=table)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case(loader: psycopg.Connection, case: Case) -> None:
    rule = RULES[case.rule_id]
    (found,) = judge(loader, casebooks()[rule.feed], case, [rule])
    if rule.level != "row":
        assert [number for number, _ in found] == ([None] if case.stops else [])
    else:
        assert sorted(number or 0 for number, _ in found) == case.broken
    for _, detail in found:
        assert 3 <= len(detail) <= 1000, "a finding says what was found, shortly"


@pytest.mark.parametrize("feed", casebooks())
def test_the_good_row_breaks_no_rule(loader: psycopg.Connection, feed: str) -> None:
    good = Case(feed, "passing", "the good row", [{}])
    assert not any(judge(loader, casebooks()[feed], good, rules_of(feed)))


@pytest.mark.parametrize("feed", casebooks())
def test_an_empty_batch_breaks_no_rule(loader: psycopg.Connection, feed: str) -> None:
    empty = Case(feed, "edge", "no rows", [])
    assert not any(judge(loader, casebooks()[feed], empty, rules_of(feed)))


@pytest.mark.parametrize("feed", casebooks())
def test_a_row_of_nulls_is_set_aside_and_breaks_no_query(
    loader: psycopg.Connection, feed: str
) -> None:
    book = casebooks()[feed]
    nulls = Case(feed, "null", "all null", [dict.fromkeys(book.row)])
    rules = rules_of(feed)
    found = judge(loader, book, nulls, rules)
    broken = {rule.name for rule, findings in zip(rules, found, strict=True) if findings}
    assert {"key_present", "required_present"} <= broken
    # What is missing is said once: no rule of a domain, range or reference repeats it.
    assert broken <= {"key_present", "required_present", "number_well_formed"}


def test_every_rule_has_passing_failing_null_and_edge_cases() -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for case in all_cases():
        assert case.kind in KINDS, case.id
        kinds[case.rule_id].add(case.kind)
        breaks = bool(case.broken) or case.stops
        if case.kind in ("passing", "failing"):
            assert breaks == (case.kind == "failing"), case.id
    assert set(kinds) == set(RULES)
    lacking = {
        rule_id: set(KINDS) - found for rule_id, found in kinds.items() if set(KINDS) - found
    }
    assert not lacking
