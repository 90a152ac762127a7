"""What a terminal of 80 columns is told: nothing is cut, digits are grouped, time is local."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chotso.cli import incidents, late, quarantine
from chotso.cli.status import show
from chotso.cli.visible import Console
from chotso.lines import wrapped
from chotso.quarantine.stake import FeedSum, MonthAtStake, Stake
from chotso.release.late.register import Cell, Late
from chotso.status import Health, Status
from chotso.watch.fault import Fault
from chotso.watch.incident import Incident

KNOWN = datetime(2021, 12, 31, 17, 5, tzinfo=UTC)  # 00:05 local on 2022-01-01
WIDTH = 80


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the commands print to a terminal of 80 columns."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, markup=False, highlight=False, soft_wrap=True)
    monkeypatch.setattr(late, "OUTPUT", console)
    monkeypatch.setattr(quarantine, "OUTPUT", console)
    monkeypatch.setattr(incidents, "OUTPUT", console)
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


def stage(name: str, state: str = "published", **more: Any) -> dict[str, Any]:
    values = {
        "feed": name, "business_date": date(2021, 12, 31), "state": state, "at": KNOWN,
        "batches": 1, "batches_in_state": 1, "rows_delivered": 1_234_567,
        "rows_quarantined": 12_345, "money_delivered": Decimal(432_640_508_635),
        "age_seconds": 3 * 86_400.0,
    }  # fmt: skip
    return values | more


CAUSE = Fault(
    "batch_blocked", "payments", date(2021, 12, 31),
    "payments_20211231_000017: rule payments.total_in_range: The total of the newest read lies "
    "outside the range of the last fourteen days 3 rows",
    "see `ops.rule_result` for the rule and its count, have it mended at the source, then clear "
    "`land` and all after it in `extract_contributions`, or run "
    "`chotso extract payments --date 2021-12-31`",
)  # fmt: skip
STATUS = Status(
    is_well=True, is_warehouse_there=True, now=KNOWN, causes=[], looked_seconds_ago=120.0,
    incidents=[],
    stages=[stage("participations"), stage("c12", "refused", batches=3, age_seconds=None),
            stage("plans", "not begun", at=None, batches=0, batches_in_state=0)],
    build=None,
    feeds=[feed("participations"), feed("c12", freeze_batches=0, freeze_rows=None,
                                        freeze_aside=None, freeze_money=None, freezes=None)],
    stopped=[], quarantine={"rows": 71, "money": 21_921_144, "at_stake": 12_331_884,
                            "oldest_days": 3},
    exposed=None, known_at=KNOWN,
    cutoffs=[{"period_id": "sprint-2021-q4", "cutoff_at": KNOWN, "state": "not due"}],
    schema_drift=[], control_totals={}, unproven=[], missing_rows=[], warnings=[],
    freeze_obstacles=[], drop_folder=[], proves_no_absence=[],
)  # fmt: skip
BUILD = {
    "build_id": 17, "business_date": date(2021, 12, 31), "status": "running", "reason": None,
    "started_at": KNOWN, "is_worked_on": True, "running": ["int_person_months", "int_islands"],
}  # fmt: skip


def shown(status: Health) -> list[str]:
    """What a terminal of 80 columns shows; no line is longer, unless it is one command."""
    out = io.StringIO()
    show(status, Console(file=out, width=WIDTH, markup=False, highlight=False, soft_wrap=True))
    lines = out.getvalue().splitlines()
    longest = max(lines, key=len)
    assert len(longest) <= WIDTH, longest
    return lines


def test_status_fits_and_sets_whole_reads_of_freezes_apart() -> None:
    lines = shown(STATUS)
    rows = [line.split() for line in lines if line.startswith(("feed ", "participations", "c12"))]
    assert rows[0] == ["feed", "state", "since", "rows", "aside", "đồng", "age"]
    assert rows[1] == ["participations", "published", "01-01", "00:05", "1,234,567", "12,345",
                       "432,640,508,635", "3", "d"]  # fmt: skip
    assert rows[2][:3] == ["c12", "1", "refused"]
    (plans,) = (line for line in lines if line.startswith("plans"))
    assert plans.split() == ["plans", "not", "begun", *"––––", "3", "d"]
    at = lines.index("read for freezes, not in the table (plan-2021-m09-12, sprint-2021-q4):")
    read = "    participations: 1,234,000 rows, 432,640,000,000 đồng in 2 batches"
    assert lines[at + 1] == read
    assert "sprint-2021-q4: cutoff 2022-01-01 00:05, not due" in lines


def test_status_says_what_is_wrong_in_lines_that_fit_and_keeps_commands_whole() -> None:
    stopped = {"batch_id": "c12_20211231_000412", "status": "refused", "reason": "no workbook"}
    of_cause = {"batch_id": "payments_20211231_000017", "status": "blocked", "reason": CAUSE.what}
    unwell = replace(
        STATUS,
        is_well=False,
        causes=[CAUSE],
        build=BUILD,
        exposed={"build_id": 16, "business_date": date(2021, 12, 30), "as_known_at": KNOWN,
                 "uncounted": None, "age_seconds": 90_000.0},
        stopped=[stopped, of_cause],
        unproven=[f"payments 2021-{month:02}: 3 rows and 1,000,000 đồng" for month in range(1, 8)],
        freeze_obstacles=["the freeze would fail: " + "a right is missing; " * 9],
        warnings=["data checksums are off, so that a failing disk is noticed by nobody: " * 2],
    )  # fmt: skip
    lines = shown(unwell)
    text = " ".join(line.strip() for line in lines)
    assert lines[0] == "NOT WELL: 1 error"
    assert "`chotso extract payments --date 2021-12-31`" in "\n".join(lines), "it can be copied"
    assert "build 17 of 2021-12-31: began 2022-01-01 00:05, runs (int_person_months, " in text
    assert "readers see: build 16 of 2021-12-30, known at 2022-01-01 00:05 (25 h ago)" in text
    assert "c12_20211231_000412 refused: no workbook" in text
    assert text.count("payments.total_in_range") == 1, "what a cause says is not said twice"
    assert text.count("differs: payments") == 5
    assert "and 2 more" in text
    assert "the freeze would fail: a right is missing" in text


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"is_worked_on": False}, "and its process is gone"),
        ({"status": "failed", "reason": "model fct_plan_target: x"}, "failed: model fct_plan"),
        ({"status": "exposed", "running": []}, "is exposed"),
    ],
)
def test_status_says_what_became_of_a_build(changed: dict[str, Any], wanted: str) -> None:
    assert wanted in " ".join(shown(replace(STATUS, build=BUILD | changed)))


def test_status_without_a_ledger_says_what_is_wrong_and_no_more() -> None:
    away = Fault("warehouse_away", "warehouse", date(2021, 12, 31), "The warehouse does not answer",
                 "start it (`chotso sandbox start`)")  # fmt: skip
    health = Health(
        is_well=False, is_warehouse_there=False, now=KNOWN, causes=[away], looked_seconds_ago=None
    )
    assert shown(health) == [
        "NOT WELL: 1 critical",
        "critical: The warehouse does not answer",
        "    next: start it (`chotso sandbox start`)",
        "no watch has run here yet (`chotso watch`)",
    ]
    assert "the ledger could not be read: busy" in shown(replace(health, unread="busy"))


def test_status_counts_money_set_aside_once() -> None:
    text = " ".join(shown(STATUS))
    assert "12,331,884 đồng of them could change figures to date" in text
    assert "21,921,144" not in text


def test_incidents_fit(terminal: io.StringIO) -> None:
    values = {name: None for name in Incident.__dataclass_fields__}
    incident = Incident(**values | {
        "incident_id": 17, "kind": CAUSE.kind, "subject": "payments", "severity": "critical",
        "business_date": CAUSE.business_date, "period_id": "sprint-2021-q4", "what": CAUSE.what,
        "kept": "yesterday's figures stay in force; " * 4, "next_step": CAUSE.next_step,
        "dag_id": "extract_contributions", "task_id": "publish", "opened_at": KNOWN,
        "last_seen_at": KNOWN, "fault_count": 3, "acknowledged_at": KNOWN,
        "acknowledged_by": "Trần Thị Thử, phòng Công nghệ thông tin", "ended_at": KNOWN,
        "ended_by": "Lê Văn Mẫu", "end_reason": "nguồn đã xác nhận, " * 6,
    })  # type: ignore[arg-type]  # fmt: skip
    incidents._tell(incident)
    incidents._tell_all([incident])
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH, max(lines, key=len)
    assert "`chotso extract payments --date 2021-12-31`" in terminal.getvalue()


def test_lines_end_between_words() -> None:
    assert wrapped("one two `a b c` three", 10, "  ") == ["one two", "  `a b c`", "  three"]
    assert wrapped("a-very-long/path/of/one/word", 10) == ["a-very-long/path/of/one/word"]
    assert wrapped("first\n\nlast", 80) == ["first", "", "last"]
    assert wrapped("", 80) == [""]


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
