"""The oracle's debts, plan lines and reconciliation: cases by hand, and rules that are wrong."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import debts, facts, reconciliation
from tests.oracle.compare import differences
from tests.oracle.debts import CONFIGURED, DEBT_KEY, debt_class, employer_debts
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.ledgers import Ledgers
from tests.oracle.literal import (
    DECEMBER,
    NIGHT,
    account,
    document,
    line,
    observed,
    plan,
    plans,
    statement,
)
from tests.oracle.model import Observation
from tests.oracle.recompute import Figures
from tests.oracle.reconciliation import CATEGORIES, RECONCILIATION_KEY, Side
from tests.oracle.targets import plan_targets

EMPLOYER = "TA0001A"


def category(paid: int, recorded: str = "2021-12-05 08:00", **amounts: int) -> Any:
    seen = observed(
        documents=[document("1", "2021-12-05 08:00", ngay_nhap=_at(recorded))],
        lines=[line("1", "HTTT", paid, 7)],
        statements=[
            statement("2021-12-30 08:00", DECEMBER, {"07201": [account(EMPLOYER, **amounts)]})
        ],
    )
    found = reconciliation.reconciliation([seen], NIGHT)[EMPLOYER, DECEMBER, "si"]
    return found["category_code"]


def _at(local: str) -> datetime:
    return datetime.fromisoformat(f"{local}+07:00")


def test_a_category_by_hand() -> None:
    assert category(5, dt_bhxh=5) == "matched"
    assert category(5, dt_bhxh=4) == "over"
    assert category(5, dt_bhxh=6) == "under"
    assert category(5, dt_bhxh=6, bst_bh=1) == "adjusted"
    assert category(5, dt_bhxh=6, bst_bh=1, bsg_bh=1) == "under"


def test_a_document_recorded_at_the_export_is_in_it() -> None:
    assert category(5, recorded="2021-12-30 08:00:00.000001") == "timing"
    assert category(5, recorded="2021-12-30 08:00") == "over"


@pytest.mark.parametrize(
    ("arrears", "status", "months", "expected"),
    [
        (0, "bankrupt", "5", "none"),
        (1, "bankrupt", "0", "hard_to_collect"),
        (1, "suspended", "0", "late"),
        (1, None, "0.999", "late"),
        (1, None, "1", "overdue"),
        (1, None, "3", "long_overdue"),
        (1, None, "-1", "unknown_age"),
        (1, None, None, "unknown_age"),
    ],
)
def test_a_class_by_hand(
    arrears: int, status: str | None, months: str | None, expected: str
) -> None:
    owed = None if months is None else Decimal(months)
    assert debt_class(CONFIGURED, DECEMBER, arrears, status, owed) == expected
    assert debt_class(CONFIGURED, date(2020, 12, 1), arrears, status, owed) is None


def test_a_line_delivered_again_is_known_from_its_last_change() -> None:
    first = observed(_at("2021-11-01 01:00"), plan_files=[plans(plan("THU_TONG", "5"))])
    same = observed(_at("2021-11-02 01:00"), plan_files=[plans(plan("THU_TONG", "5.0"))])
    other = observed(_at("2021-11-03 01:00"), plan_files=[plans(plan("THU_TONG", "6"))])
    (line_of_first,) = plan_targets([first, same], NIGHT).values()
    assert (line_of_first["known_at"], line_of_first["is_late"]) == (first.known_at, True)
    (line_of_last,) = plan_targets([first, same, other], NIGHT).values()
    assert (line_of_last["known_at"], line_of_last["plan_value"]) == (other.known_at, 6)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> list[list[Observation]]:
    folder = tmp_path_factory.mktemp("ledgers")
    return [_life(folder, seed) for seed in range(3)]


def _life(tmp_path: Path, seed: int) -> list[Observation]:
    drop = tmp_path / str(seed)
    drop.mkdir()
    ledgers = Ledgers(None, drop, seed)
    for _ in range(3):
        ledgers.advance()
    return ledgers.observations


def _of(observations: list[Observation], cutoff: datetime | None) -> tuple[Figures, Figures]:
    newest = observations[-1].known_at
    return (
        reconciliation.reconciliation(observations, newest, cutoff),
        employer_debts(observations, newest, cutoff),
    )


def test_random_ledgers_meet_every_category(lives: list[list[Observation]]) -> None:
    met = {row["category_code"] for life in lives for row in _of(life, None)[0].values()}
    assert met == set(CATEGORIES)


def _utc_month(instant: datetime) -> date:
    return instant.astimezone(UTC).date().replace(day=1)


def _late_at_the_export(side: Side) -> int:
    if side.account is None:
        return 0
    return sum(money for at, money in side.recorded if at >= side.account.stated_at)


def _taken_back_twice(sides: Any) -> set[Any]:
    """Either neighbour will do, as often as it is wanted."""
    paired = set()
    for employer, month, group in sides:
        difference = sides[employer, month, group].difference
        before = (employer, reconciliation._month_before(month), group)
        if not difference or group == "voluntary" or before not in sides:
            continue
        if sides[before].difference == -difference:
            paired |= {before, (employer, month, group)}
    return paired


class _Nothing(dict[Any, Any]):
    def __missing__(self, key: Any) -> list[Any]:
        return []


NAIVE: dict[str, tuple[Any, str, Any]] = {
    "months in UTC": (reconciliation, "local_month", _utc_month),
    "late at the export": (Side, "recorded_after", property(_late_at_the_export)),
    "a neighbour used twice": (reconciliation, "_taken_back", _taken_back_twice),
    "nothing added back": (debts, "credited_too_late", lambda *_: _Nothing()),
    "the status of today": (debts, "_last_day", lambda month: date(2100, 1, 1)),
    "si and hi swapped": (facts.C12_SUFFIXES, "si", ("bhyt", "yt")),
}


@pytest.mark.parametrize("rule", NAIVE)
def test_a_wrong_rule_gives_other_figures(
    lives: list[list[Observation]], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = [_of(life, CUTOFF) for life in lives]
    target, name, naive = NAIVE[rule]
    setter: Callable[..., None] = (
        monkeypatch.setitem if isinstance(target, dict) else monkeypatch.setattr
    )
    setter(target, name, naive)
    said = []
    for life, (ledgers, owed) in zip(lives, right, strict=True):
        wrong_ledgers, wrong_owed = _of(life, CUTOFF)
        said += differences(wrong_ledgers.values(), ledgers, RECONCILIATION_KEY)
        said += differences(wrong_owed.values(), owed, DEBT_KEY)
    assert said, f"{rule}: the worlds would not show it"
