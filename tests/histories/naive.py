"""Plausible loaders that a history leads astray, kept in memory; each must fail."""

from typing import Any

from tests.histories.disturbance import History
from tests.histories.life import Life


def cursor_without_overlap(life: Life, history: History) -> bool:
    """`ngay_sua > position`, upserted by key: whether it ends with the source's documents."""
    held: dict[str, Any] = {}
    position = None
    for visit in history.visits:
        rows = life.states[visit.state].tables["chung_tu"]
        fresh = [r for r in rows if position is None or r["ngay_sua"] > position]
        held |= {r["so_chung_tu"]: r for r in fresh}
        position = max([r["ngay_sua"] for r in fresh] + ([position] if position else []))
    return held == {r["so_chung_tu"]: r for r in life.states[-1].tables["chung_tu"]}


def last_file_wins(life: Life, history: History) -> bool:
    """Each file replaces its month and agency as it arrives: whether it ends as in order."""
    return _applied(_as_arrived(history)) == _applied(_in_order(life))


def insert_only(life: Life, history: History) -> bool:
    """Each read row is appended: whether each key ends with one row, the source's."""
    held: list[tuple[str, Any]] = []
    for visit in history.visits:
        for _, runs in visit.rounds:
            times = sum(
                2 if run.how != "once" else 1 for run in runs if run.group == "contributions"
            )
            rows = life.states[visit.state].tables["chung_tu"]
            held += [(r["so_chung_tu"], r["so_tien"]) for r in rows] * times
    return sorted(held) == sorted(
        (r["so_chung_tu"], r["so_tien"]) for r in life.states[-1].tables["chung_tu"]
    )


def _as_arrived(history: History) -> list[Any]:
    return [
        delivery.states
        for visit in history.visits
        for deliveries, _ in visit.rounds
        for delivery in deliveries
        if delivery.states
    ]


def _in_order(life: Life) -> list[Any]:
    return [(s, list(s.sheets)) for made in life.statements for s in made]


def _applied(stated: list[Any]) -> dict[Any, Any]:
    held: dict[Any, Any] = {}
    for statement, agencies in stated:
        for agency in agencies:
            held[statement.month, agency] = {
                row["madvi"]: row["_ck_bhxh"] for row in statement.sheets[agency]
            }
    return held
