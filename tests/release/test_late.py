"""`chotso late` on a release that is really built and sealed: every reason, worked out by hand."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from chotso.build import run_build
from chotso.cli import late as command
from chotso.cli.app import app
from chotso.errors import ChotsoError
from chotso.explain.figure import FIGURES
from chotso.release.check.database import verify_with_database
from chotso.release.late.register import Cell, Late, late
from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.freeze import FreezeReport
from chotso.verifier.verify import verify
from tests.proofs import record, size
from tests.worlds.build_warehouse import Servers
from tests.worlds.build_world import instant
from tests.worlds.forger import forge
from tests.worlds.late_world import (
    LATER,
    LATEST,
    PERIOD,
    Nights,
    Released,
    after_the_cutoff,
    many_late,
    released,
)
from tests.worlds.late_world import parts as late_parts

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(1800)]

LATE_ROWS = size(40, 500)
AFTER = "2022-01-07T01:00"
DECEMBER, NOVEMBER = date(2021, 12, 1), date(2021, 11, 1)
Change = dict[str, tuple[int, ...]]


@pytest.fixture(scope="module")
def sealed(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    with released(servers, tmp_path_factory.mktemp("late")) as made:
        yield made


@pytest.fixture(scope="module")
def found(sealed: Released) -> Late:
    """The first run after one fact of each reason came."""
    nothing = late(sealed.settings, PERIOD)
    assert (nothing.cells, nothing.changes, nothing.recorded) == ([], [], 0)
    after_the_cutoff(sealed.world)
    return late(sealed.settings, PERIOD)


def cell(found: Late, agency: str, metric: str, month: date = DECEMBER) -> Cell:
    (one,) = [
        each
        for each in found.cells
        if (each.agency_code, each.metric_code, each.month) == (agency, metric, month)
    ]
    return one


def parts(one: Cell, *columns: str) -> Change:
    return {
        reason: tuple(int(change[column]) for column in columns)
        for reason, change in one.parts.items()
    }


def changes(found: Late) -> dict[tuple[str, ...], tuple[int, int]]:
    return {
        (row["reason_code"], row["feed"], row["item_key"], row["agency_code"], row["metric_code"]):
        (int(row["amount"]), int(row["base_amount"]))
        for row in found.changes
    }  # fmt: skip


def test_every_reason_of_a_collection_has_its_part(found: Late) -> None:
    """07201: 1,307 of December and 1,707 to date would be 1,153, and the plan 3,000."""
    one = cell(found, "07201", "collection_hi")
    assert parts(one, "actual_month", "actual_to_date", "plan_in_force") == {
        "late_recording": (20, 20, 0),
        "correction": (30 - 200 - 7, 30 - 200 - 7, 0),
        "voiding": (0, -400, 0),
        "plan_decision": (0, 0, 1_000),
        "quarantine_release": (3, 3, 0),
    }
    told = [figures[name] for name in ("actual_month", "actual_to_date")
            for figures in (one.frozen, one.would_be)]  # fmt: skip
    assert told == [1_307, 1_153, 1_707, 1_153]
    assert parts(cell(found, "07202", "collection_hi"), "actual_month") == {"correction": (230,)}
    assert parts(cell(found, "072", "collection_total"), "actual_month") == {
        "late_recording": (20,),
        "correction": (30 + 30 - 7,),
        "voiding": (0,),
        "quarantine_release": (3,),
    }


def test_every_reason_of_heads_and_arrears_has_its_part(found: Late) -> None:
    heads = cell(found, "07201", "participants_hi")
    assert parts(heads, "actual_month") == {"late_recording": (1,), "voiding": (-1,)}
    october = cell(found, "07201", "participants_hi", date(2021, 10, 1))
    assert parts(october, "actual_month") == {"voiding": (-1,)}
    owed = cell(found, "07201", "arrears_ratio_si")
    assert parts(owed, "numerator", "denominator") == {
        "late_recording": (50, 60),
        "correction": (0, 100),
    }


def test_the_register_has_each_fact_once_where_it_is_filed(found: Late) -> None:
    hi = ("07201", "collection_hi")
    assert changes(found) == {
        ("late_recording", "allocations", '["late",1]', *hi): (20, 0),
        ("correction", "allocations", '["corrected",1]', *hi): (30, 0),
        ("correction", "allocations", '["after",1]', *hi): (-7, 0),
        ("correction", "allocations", '["moved",1]', *hi): (-200, 0),
        ("correction", "allocations", '["moved",1]', "07202", "collection_hi"): (230, 0),
        ("voiding", "allocations", '["voided",1]', *hi): (-400, 0),
        ("quarantine_release", "allocations", '["released",1]', *hi): (3, 0),
        ("plan_decision", "plans", '["2/QĐ","2021-12-01","07201"]', *hi): (1_000, 0),
        ("late_recording", "participations", "[3]", "07201", "participants_hi"): (1, 0),
        ("voiding", "participations", "[2]", "07201", "participants_hi"): (-1, 0),
        **{
            ("late_recording", "c12", f'["TB0001B","2021-12-01","{group}"]', "07201",
             f"arrears_ratio_{group}"): amounts
            for group, amounts in {"si": (50, 60), "ui": (0, 0), "hi": (0, 0)}.items()
        },
        ("correction", "c12", '["TA0001A","2021-11-01","si"]', "07201", "arrears_ratio_si"):
            (0, 100),
    }  # fmt: skip
    assert found.recorded == len(found.changes)
    months = {row["item_key"]: (row["month"], row["last_month"]) for row in found.changes}
    assert months['["voided",1]'] == (NOVEMBER, NOVEMBER)
    assert months["[2]"] == (date(2021, 10, 1), DECEMBER)
    assert {row["known_at"].isoformat() for row in found.changes} == {"2022-01-04T18:00:00+00:00"}
    assert {row["file_name"] for row in found.changes} == {f"payments/{LATER}"}


INVENTED: dict[str, dict[str, Any]] = {
    "a payment that never was": {"item_key": '["never",1]'},
    "another amount": {"amount": 21},
    "a vast amount": {"amount": -999_999_999_999},
    "another agency": {"agency_code": "07202"},
    "another metric": {"metric_code": "collection_ui"},
    "another month": {"month": "2021-11-01", "last_month": "2021-11-01"},
    "more months": {"last_month": "2022-01-01"},
    "a base": {"base_amount": 5},
    "a batch that never was": {"batch_id": "never", "file_name": None},
    "a file that never was": {"file_name": "payments/never"},
    "an instant of no batch": {"known_at": "2022-01-04T18:00:01+00:00"},
    "a metric that never was": {"metric_code": "collection_never"},
    "a feed that has no register": {"feed": "payments"},
    "two persons in one": {
        "feed": "participations", "item_key": "[3]", "metric_code": "participants_hi",
        "unit_code": "person", "amount": 2,
    },
    "a spell that never was": {
        "feed": "participations", "item_key": "[99]", "metric_code": "participants_hi",
        "unit_code": "person", "amount": 1,
    },
    "arrears": {
        "feed": "c12", "item_key": '["TB0001B","2021-12-01","si"]', "amount": 51,
        "metric_code": "arrears_ratio_si", "base_amount": 60,
    },
    "a receivable": {
        "feed": "c12", "item_key": '["TB0001B","2021-12-01","si"]', "amount": 50,
        "metric_code": "arrears_ratio_si", "base_amount": 61,
    },
    "a plan beyond all plans": {
        "feed": "plans", "item_key": '["2/QĐ","2021-12-01","07201"]', "amount": 18_001,
    },
    "a decision that never was": {
        "feed": "plans", "item_key": '["9/QĐ","2021-12-01","07201"]', "amount": 1,
    },
}  # fmt: skip


def test_the_register_takes_no_invention(sealed: Released, found: Late) -> None:
    """As the first run had it, by hand: what is true passes, and nothing else."""
    (true,) = [row for row in found.changes if row["item_key"] == '["late",1]']
    release = sealed.report.release_id
    until = max(row["known_at"] for row in found.changes)
    with psycopg.connect(sealed.settings.admin_url or "") as conn:
        (frozen_at,) = conn.execute(
            "select as_known_at from frozen.release where release_id = %s", [release]
        ).fetchone() or (None,)

        def problem(**given: Any) -> str | None:
            change = json.loads(json.dumps({**true, **given}, default=str))
            row = conn.execute(
                "select sealing.late_problem(%s, %s, %s, %s)",
                [release, frozen_at, until, json.dumps([change])],
            ).fetchone()
            assert row is not None
            return row[0]  # type: ignore[no-any-return]

        assert problem() is None
        assert [name for name, given in INVENTED.items() if problem(**given) is None] == []
    with psycopg.connect(sealed.settings.warehouse_url) as conn:
        sealed.world.night("2022-01-05T02:00", ["payments"])
        change = json.dumps([{**true, "amount": -999_999_999_999}], default=str)
        with pytest.raises(psycopg.errors.RaiseException, match="takes no inventions"):
            conn.execute(
                "select frozen.record_late(%s, %s, '2022-01-05T02:00+07', 'x', %s)",
                [release, until, change],
            )


def test_no_row_names_a_person(sealed: Released, found: Late) -> None:
    text = str(sealed.admin.execute("select * from frozen.late_change").fetchall())
    assert "000000000000" not in text, "a pseudonym is 64 digits; a spell has its own number"


def test_the_parts_of_every_cell_are_the_difference_of_two_builds(
    sealed: Released, found: Late
) -> None:
    run_build(
        sealed.settings, as_known_at=found.known_until, event_cutoff=found.cutoff_at,
        schema="oracle_later", config="current",
    )  # fmt: skip
    query = "select agency_code, month, metric_code, {} from {} order by 1, 2, 3"
    columns = ", ".join(FIGURES)
    before, after = (
        {row[:3]: dict(zip(FIGURES, row[3:], strict=True)) for row in sealed.admin.execute(
            query.format(columns, table).encode()
        )}
        for table in ("frozen.attainment", "oracle_later.fct_monthly_attainment")
    )  # fmt: skip
    told = {(one.agency_code, one.month, one.metric_code): one for one in found.cells}
    for key in before:
        differs = before[key] != after[key]
        assert not differs or key in told, key
        if key not in told:
            continue
        one = told[key]
        assert (one.frozen, one.would_be) == (before[key], after[key]), key
        for name in FIGURES:
            change = (after[key][name] or Decimal(0)) - (before[key][name] or Decimal(0))
            assert sum((each[name] for each in one.parts.values()), Decimal(0)) == change, key
    record("late: parts of a cell add up", cells=len(told))


def test_a_naive_difference_of_what_is_known_misses_the_cutoff(
    sealed: Released, found: Late
) -> None:
    """What the newest marts say, less the release, takes in what happened after the cutoff."""
    row = sealed.admin.execute(
        """
        select sum(line.tien_goc)
        from raw.allocations as line
        inner join raw.payments as document using (so_chung_tu)
        where line.known_from > %s and line.quy = 'BHYT' and document.known_to is null
            and document.trang_thai = 'HIEU_LUC'
        """,
        [found.as_known_at],
    ).fetchone()
    assert row is not None
    counted = sum(amount for key, (amount, _) in changes(found).items() if key[1] == "allocations")
    assert row[0] != counted
    assert row[0] > 1_000_000


def test_it_is_recorded_once_and_never_applied(sealed: Released, found: Late) -> None:
    again = late(sealed.settings, PERIOD)
    assert again.recorded == 0
    assert (again.changes, again.cells) == (found.changes, found.cells)
    many_late(sealed.world, LATE_ROWS)
    more = late(sealed.settings, PERIOD)
    assert more.recorded == LATE_ROWS
    assert len(more.changes) == len(found.changes) + LATE_ROWS
    assert late(sealed.settings, PERIOD).recorded == 0
    root = sealed.report.root_sha256
    assert verify(sealed.report.bundle, root).status == "verified"
    result = verify_with_database(sealed.settings, sealed.report.bundle, root)
    assert (result.status, result.findings) == ("verified", [])
    # the register adds up to what the cells say, over both runs
    total = sum(
        row["amount"] for row in more.changes
        if row["feed"] == "allocations" and row["agency_code"] == "07201"
    )  # fmt: skip
    one = cell(more, "07201", "collection_hi")
    assert one.frozen["actual_to_date"] is not None
    assert one.frozen["actual_to_date"] + total == one.would_be["actual_to_date"]
    record("late: rows after the seal", rows=LATE_ROWS, register_grew_by=more.recorded)


def test_the_register_takes_no_gap_no_future_and_no_other_hand(
    sealed: Released, found: Late
) -> None:
    call = "select frozen.record_late(%s, %s, %s, 'x', '[]')"
    row = sealed.admin.execute("select max(known_until) from frozen.late_run").fetchone()
    assert row is not None
    with psycopg.connect(sealed.settings.warehouse_url, autocommit=True) as conn:
        conn.execute("set role chotso_loader")
        assert conn.execute(call, [PERIOD, found.as_known_at, row[0]]).fetchone() == (0,)
        with pytest.raises(psycopg.errors.RaiseException, match="goes on from"):
            conn.execute(call, [PERIOD, found.as_known_at, "2099-01-01T00:00Z"])
        with pytest.raises(psycopg.errors.RaiseException, match="nothing is known at"):
            conn.execute(call, [PERIOD, row[0], "2099-01-01T00:00Z"])
        with pytest.raises(psycopg.errors.RaiseException, match="no sealed release"):
            conn.execute(call, ["another", row[0], row[0]])
        for statement in ("delete from {}", "update {} set release_id = 'x'", "truncate {}",
                          "insert into {} select * from {}"):  # fmt: skip
            for table in ("frozen.late_run", "frozen.late_change"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(statement.format(table, table).encode())
    for role in ("chotso_reader", "chotso_auditor", "chotso_certifier"):
        with sealed.admin.transaction():
            sealed.admin.execute(f"set local role {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege), sealed.admin.transaction():
                sealed.admin.execute(call, [PERIOD, row[0], row[0]])


def test_without_a_release_or_with_other_figures_it_is_refused(
    sealed: Released, found: Late
) -> None:
    with pytest.raises(ChotsoError, match="no sealed release"):
        late(sealed.settings, "plan-2021-m09-12")
    with pytest.raises(ChotsoError, match="There is no period 'nope'"):
        late(sealed.settings, "nope")
    change = (
        "update frozen.attainment set actual_to_date = actual_to_date {} 1 where "
        "metric_code = 'collection_hi' and agency_code = '07201' and month = '2021-12-01'"
    )
    forge(sealed.settings, change.format("+"))
    try:
        with pytest.raises(ChotsoError, match=r"1 figures .* 07201 collection_hi 2021-12"):
            late(sealed.settings, PERIOD)
    finally:
        forge(sealed.settings, change.format("-"))


def test_the_command_tells_it(
    sealed: Released, found: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_settings", lambda: sealed.settings)
    plain = CliRunner().invoke(app, ["late", PERIOD, "--lines", "3"])
    assert plain.exit_code == 0, plain.output
    assert "nothing of it is applied" in plain.output
    asked = CliRunner().invoke(app, ["late", PERIOD, "--json"])
    told: dict[str, Any] = json.loads(asked.stdout)
    reasons = Counter(change["reason_code"] for change in told["changes"])
    assert set(reasons) == {
        "late_recording", "correction", "voiding", "plan_decision", "quarantine_release"
    }  # fmt: skip
    assert told["release_id"] == PERIOD


def after_the_turn_of_the_year(world: Nights) -> None:
    """What a release of December does not carry, and beside it one payment that it lacks."""
    world.night(AFTER, ["payments"])
    world.payment("late again", "2021-12-20T10:00", ("BHYT", 11, 0))
    world.payment("january", "2022-01-04T10:00", ("BHYT", 77, 0))
    world.account("TA0001A", "2022-01", ck_bhxh=900, ps_bh=800, stated="2022-01-05T20:00")
    world.spell("january", "2022-01", None, recorded="2021-12-30T10:00")
    world.plan("THU_BHYT", "9500", decision="4/QĐ", effective="2022-01-15", year=2022)
    world.agency("07203", hieu_luc_tu="2022-01-01")


def corrected(sealed: Released, known_at: str, reason: str) -> FreezeReport:
    parts = dataclasses.replace(late_parts(), source_clock=lambda settings: instant(known_at))
    return corrigendum(sealed.settings, PERIOD, reason=reason, author="Trần Thị Thử", parts=parts)


def test_a_release_known_in_january_carries_december_alone(sealed: Released, found: Late) -> None:
    """What comes after the turn of the year is late for no release, and changes none."""
    late(sealed.settings, PERIOD)
    first = corrected(sealed, LATEST, "Ghi nhận muộn")
    nothing = late(sealed.settings, PERIOD)
    assert (nothing.release_id, nothing.cells, nothing.recorded) == (first.release_id, [], 0)
    after_the_turn_of_the_year(sealed.world)
    more = late(sealed.settings, PERIOD)
    assert {row["item_key"] for row in more.changes} == {'["late again",1]'}
    assert max(each.month for each in more.cells) == DECEMBER
    second = corrected(sealed, AFTER, "Ghi nhận muộn lần hai")
    assert late(sealed.settings, PERIOD).changes == []
    for report, told in ((first, "late"), (second, "late again")):
        text = {path.name: path.read_text("utf-8") for path in (report.bundle / "data").iterdir()}
        assert f'[""{told}"",1]' in text["late_changes.csv"]
        figures = [line for line in text["changes.csv"].splitlines() if line[:5] != "plans"]
        assert "2022-01-01" not in "".join(figures) + text["late_changes.csv"]
        assert "9500" not in text["plans.csv"]
        assert "07203" not in text["agencies.csv"]
        result = verify_with_database(sealed.settings, report.bundle, report.root_sha256)
        assert (result.status, result.findings) == ("verified", [])
