"""What a terminal of 80 columns is told: nothing is cut, digits are grouped, time is local."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chotso.cli import late, quarantine
from chotso.cli.visible import Console
from chotso.quarantine.stake import FeedSum, MonthAtStake, Stake
from chotso.release.late.register import Cell, Late
from chotso.status import Status

KNOWN = datetime(2021, 12, 31, 17, 5, tzinfo=UTC)  # 00:05 local on 2022-01-01
WIDTH = 80


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the commands print to a terminal of 80 columns."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, markup=False, highlight=False, soft_wrap=True)
    monkeypatch.setattr(late, "OUTPUT", console)
    monkeypatch.setattr(quarantine, "OUTPUT", console)
    return out


def feed(name: str, **more: Any) -> dict[str, Any]:
    values = {
        "feed": name, "business_date": date(2021, 12, 31), "batches": 3,
        "rows_delivered": 1_234_567, "rows_quarantined": 12_345,
        "money_delivered": Decimal(432_640_508_635), "stopped": 0, "known_at": KNOWN,
        "freeze_batches": 2, "freeze_rows": 1_234_000, "freeze_aside": 12_000,
        "freeze_money": Decimal(432_640_000_000), "freezes": "plan-2021-m09-12, sprint-2021-q4",
    }  # fmt: skip
    return values | more


STATUS = Status(
    is_well=True, causes=[], incidents=[], looked_seconds_ago=120.0,
    feeds=[feed("participations"), feed("c12", freeze_batches=0, freeze_rows=None,
                                        freeze_aside=None, freeze_money=None, freezes=None)],
    stopped=[], quarantine={"rows": 71, "money": 21_921_144, "at_stake": 12_331_884,
                            "oldest_days": 3},
    exposed=None, known_at=KNOWN,
    cutoffs=[{"period_id": "sprint-2021-q4", "cutoff_at": KNOWN, "state": "not due"}],
    schema_drift=[], control_totals={}, unproven=[], missing_rows=[], warnings=[],
    freeze_obstacles=[], drop_folder=[], proves_no_absence=[],
)  # fmt: skip


def test_status_fits_and_sets_whole_reads_of_freezes_apart() -> None:
    out = io.StringIO()
    STATUS.show(Console(file=out, width=WIDTH, markup=False, highlight=False, soft_wrap=True))
    lines = out.getvalue().splitlines()
    table = [line for line in lines if line.startswith(("feed ", "participations", "c12"))]
    assert max(map(len, lines[:6])) <= WIDTH
    assert table[1].split() == ["participations", "2021-12-31", "567", "345", "508,635",
                                "01-01", "00:05"]  # fmt: skip
    assert table[2].split()[2:5] == ["1,234,567", "12,345", "432,640,508,635"]
    at = lines.index("read for freezes, not in the table (plan-2021-m09-12, sprint-2021-q4):")
    read = "    participations: 1,234,000 rows, 432,640,000,000 đồng in 2 batches"
    assert lines[at + 1] == read
    assert "sprint-2021-q4: cutoff 2022-01-01 00:05, not due" in lines


def test_status_counts_money_set_aside_once() -> None:
    out = io.StringIO()
    STATUS.show(Console(file=out, width=WIDTH, soft_wrap=True))
    assert "12,331,884 đồng of them could change figures to date, each once" in out.getvalue()
    assert "21,921,144" not in out.getvalue()


def test_late_is_lines_that_fit(terminal: io.StringIO) -> None:
    figures: dict[str, Decimal | None]
    figures = {"actual_to_date": Decimal(432_640_508_635), "plan_in_force": Decimal(1),
               "attainment_ratio": Decimal("1.019675123")}  # fmt: skip
    parts = {name: Decimal(1) for name in figures}
    cell = Cell(
        "072", date(2021, 12, 1), "participants_si_compulsory", figures,
        {name: (value or 0) + Decimal(1) for name, value in figures.items()},
        {"late_recording": parts, "quarantine_release": parts},
    )  # fmt: skip
    change = {
        "reason_code": "late_recording", "feed": "allocations", "item_key": '["CT-0001",1]',
        "agency_code": "07209", "metric_code": "collection_si_compulsory",
        "month": date(2021, 10, 1), "last_month": date(2021, 12, 1),
        "amount": Decimal(1_234_567_890), "file_name": None,
    }  # fmt: skip
    found = Late("sprint-2021-q4", KNOWN, KNOWN, KNOWN, [cell], [change], 1)
    late._tell(found, 20)
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH, max(lines, key=len)
    told = terminal.getvalue()
    assert "sealed as known at 2022-01-01 00:05," in told
    assert "432,640,508,635 → 432,640,508,636" in told
    assert "07209 collection_si_compulsory 2021-10 … 2021-12: 1,234,567,890" in told
    late._tell(replace(found, cells=[], changes=[]), 20)


def test_a_summary_of_nothing_says_so(terminal: io.StringIO) -> None:
    quarantine._tell_stake(Stake(KNOWN, [], []))
    assert terminal.getvalue() == "No row is set aside, and no money is at stake.\n"


def test_a_summary_groups_digits_and_warns_of_adding(terminal: io.StringIO) -> None:
    month = MonthAtStake("07201", "collection_hi", date(2021, 12, 1), Decimal(12_331_884))
    stake = Stake(KNOWN, [month], [FeedSum(None, "payments", 2, Decimal(9_589_260))])
    quarantine._tell_stake(stake)
    told = terminal.getvalue()
    assert "07201 Số thu BHYT: 12,331,884 đồng in 1 months" in told
    assert "no agency payments: 2 rows, 9,589,260 đồng" in told
    assert "Known at 2022-01-01 00:05, could belong" in told
    assert max(map(len, told.splitlines())) <= WIDTH


def test_a_row_set_aside_fits(terminal: io.StringIO) -> None:
    row = {
        "id": 123_456, "feed": "participations", "row_key": "1234567890", "agency_code": "07209",
        "money": Decimal(432_640_508_635), "status": "open", "age_days": 12, "first_seen": KNOWN,
        "last_seen": KNOWN, "rule_id": "participations.from_month_known", "detail": "x",
    }  # fmt: skip
    quarantine._tell_rows([row])
    assert max(map(len, terminal.getvalue().splitlines())) <= WIDTH
    assert quarantine._told(Decimal(1_234)) == "1,234"
    assert quarantine._told(KNOWN) == "2022-01-01 00:05"
    assert quarantine._told(["a", "b"]) == "a, b"
    assert quarantine._told(None) == "–"
