"""What must hold before a seal: each condition broken alone stops it; two persons may pass it."""

import csv
import dataclasses
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.progress import Progress
from chotso.release.seal.checks import CHECKS, Override, override_of
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.release.seal.parts import Parts
from chotso.settings import Settings
from chotso.verifier.verify import verify
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import CUTOFF, PARTS, PERIODS, as_admin, count, seal

pytestmark = [pytest.mark.warehouse]

SPRINT = PERIODS[0]
BOTH = Override(
    "quarantined_money_below_limit", "Đã báo cáo Giám đốc", "Trần Thị Thử", "Lê Văn Mẫu"
)

Break = Callable[[psycopg.Connection, str], None]


def total_differs(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(
        "insert into ops.control_total (checked_batch_id, feed, month, known_at, source_rows, "
        "source_money, warehouse_rows, warehouse_money, status) "
        "select batch_id, 'payments', '2021-11-01', known_at, 2, 5, 1, 4, 'different' "
        "from ops.batch where feed = 'payments' and final_of is not null"
    )


def delivery_blocked(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "delivery_name, final_of, reason, code_version) "
        "select 'blocked', 'c12', 'c12', business_date, 'blocked', 'file', 'C12_202112.xlsx', "
        "release_id, 'x', 'x' from ops.freeze"
    )


def unclassified(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(
        f"update {schema}.fct_reconciliation set category_code = null where month = '2021-03-01'"
        .encode()
    )  # fmt: skip


def register_row_missing(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(
        "insert into ops.missing_row (feed, row_key, batch_id, missing_since, last_missing) "
        "select feed, '07203', batch_id, known_at, known_at from ops.batch "
        "where feed = 'agencies' and final_of is not null on conflict do nothing"
    )


def outside_of_every_province(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(
        f"insert into {schema}.int_uncounted_facts "
        "values ('collection_total', '07299', '2021-12-01', 3, 322)".encode()
    )


def money_lost_between_categories(conn: psycopg.Connection, schema: str) -> None:
    conn.execute(f"update {schema}.fct_reconciliation set paid_vnd = paid_vnd + 1".encode())


def set_aside(conn: psycopg.Connection, schema: str, money: int = 45_000_000_001) -> None:
    conn.execute(
        f"update {schema}.dim_agency set level_number = 1 where agency_code = '072'".encode()
    )
    conn.execute(
        f"insert into {schema}.int_money_at_stake values "
        f"('072', '2021-12-01', 'collection', {money})".encode()
    )


BROKEN: dict[str, tuple[str, Break, str]] = {
    "a month differs": ("control_totals_equal", total_differs, "different: payments 2021-11"),
    "a file is blocked": ("no_blocking_rule_failed", delivery_blocked, "stopped: C12_202112.xlsx"),
    "a row without category": ("reconciliation_classified", unclassified, "12 rows without"),
    "money is lost": ("reconciliation_classified", money_lost_between_categories, "đồng unexpl"),
    "a register row is missing": (
        "no_register_row_missing",
        register_row_missing,
        "missing: agencies 07203",
    ),
    "an agency belongs nowhere": (
        "everything_counts",
        outside_of_every_province,
        "3 facts of 322 đồng count at no province: 07299",
    ),
    "money is set aside": (
        "quarantined_money_below_limit",
        set_aside,
        "1 đồng; wanted: at most 45000000000 đồng",
    ),
}


def parts_that(break_it: Break) -> Parts:
    """The world's parts, with something wrong once the build is there."""

    def build(settings: Settings, **given: Any) -> object:
        made = world.build(settings, **given)
        with as_admin(settings) as conn:
            break_it(conn, given["schema"])
        return made

    return dataclasses.replace(PARTS, build=build)


def checks_of(report: FreezeReport) -> dict[str, dict[str, str]]:
    with (report.bundle / "data/checks.csv").open(encoding="utf-8") as stream:
        return {row["check_code"]: row for row in csv.DictReader(stream)}


def test_a_sound_freeze_meets_every_check(settings: Settings) -> None:
    found = checks_of(seal(settings))
    assert found.keys() == CHECKS.keys()
    assert {row["is_met"] for row in found.values()} == {"true"}
    assert {row["is_overridden"] for row in found.values()} == {"false"}


@pytest.mark.parametrize(
    ("release_id", "told"),
    [(SPRINT, "The build of sprint-2021-q4 is not there"), ("nope", "No freeze of nope")],
)
def test_who_asks_for_the_checks_of_no_open_freeze_is_told_why_there_are_none(
    settings: Settings, release_id: str, told: str
) -> None:
    seal(settings)
    with as_admin(settings) as conn, pytest.raises(psycopg.errors.RaiseException, match=told):
        conn.execute("select * from ops.freeze_checks(%s)", [release_id])


@pytest.mark.parametrize(("code", "break_it", "told"), BROKEN.values(), ids=BROKEN.keys())
def test_each_condition_broken_alone_stops_the_seal(
    settings: Settings, code: str, break_it: Break, told: str
) -> None:
    parts = parts_that(break_it)
    with pytest.raises(ChotsoError) as refused:
        freeze(settings, SPRINT, parts=parts)
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines if line.split(":")[0] in CHECKS] == [code]
    assert told in str(refused.value)
    assert CHECKS[code][2] in str(refused.value)
    assert count(settings, "select count(*) from frozen.release") == 0
    assert count(settings, "select count(*) from ops.freeze where state = 'built'") == 1
    assert count(settings, f"select count(*) from ops.freeze where reason like '%{code}%'") == 1
    with pytest.raises(ChotsoError, match=code):  # another try finds the same
        freeze(settings, SPRINT, parts=parts)


def test_a_read_that_lacked_a_row_is_done_again_until_nothing_is_missing(
    settings: Settings,
) -> None:
    """Of a read that proves nothing no retry keeps the instant; two persons may let it stand."""
    with pytest.raises(ChotsoError, match="no_register_row_missing"):
        freeze(settings, SPRINT, parts=parts_that(register_row_missing))
    reads: list[str] = []

    def final_extract(
        settings: Settings,
        business_date: date,
        *,
        final_of: str,
        not_before: datetime | None,
        progress: Progress,
    ) -> world.Extracted:
        reads.append(final_of)
        with as_admin(settings) as conn:
            conn.execute("update ops.missing_row set status = 'back', ended_at = %s", [CUTOFF])
        return world.final_extract(
            settings, business_date, final_of=final_of, not_before=not_before, progress=progress
        )

    found = checks_of(
        freeze(settings, SPRINT, parts=dataclasses.replace(PARTS, final_extract=final_extract))
    )
    assert reads == [SPRINT]
    assert found["no_register_row_missing"]["observed"] == "0 rows missing"


def test_two_persons_let_a_missing_row_pass_as_it_was_read(settings: Settings) -> None:
    parts = parts_that(register_row_missing)
    with pytest.raises(ChotsoError, match="no_register_row_missing"):
        freeze(settings, SPRINT, parts=parts)
    both = dataclasses.replace(BOTH, check_code="no_register_row_missing")

    def never(*_: Any, **given: Any) -> world.Extracted:
        raise AssertionError("what they let pass is the read that they saw")

    only = dataclasses.replace(parts, final_extract=never)
    found = checks_of(freeze(settings, SPRINT, override=both, parts=only))
    assert found["no_register_row_missing"]["is_overridden"] == "true"


def test_what_is_mended_is_sealed_by_the_next_run(settings: Settings) -> None:
    with pytest.raises(ChotsoError, match="no_blocking_rule_failed"):
        freeze(settings, SPRINT, parts=parts_that(delivery_blocked))
    with as_admin(settings) as conn:
        conn.execute(
            "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
            "delivery_name, rows_delivered, rows_accepted, rows_quarantined, rows_changed, "
            "money_delivered, money_accepted, money_quarantined, known_at, code_version) "
            "select 'again', feed, feed_group, business_date, 'published', read_mode, "
            "delivery_name, 0, 0, 0, 0, 0, 0, 0, %s, 'x' from ops.batch where batch_id = 'blocked'",
            [CUTOFF + timedelta(hours=1)],
        )
    assert not seal(settings).already_sealed


def test_two_persons_let_a_check_pass_and_the_release_says_so(settings: Settings) -> None:
    report = freeze(settings, SPRINT, override=BOTH, parts=parts_that(set_aside))
    row = checks_of(report)["quarantined_money_below_limit"]
    assert (row["is_met"], row["is_overridden"]) == ("false", "true")
    assert row["override_reason"] == "Đã báo cáo Giám đốc"
    assert row["overridden_by"] == "Trần Thị Thử; Lê Văn Mẫu"
    assert verify(report.bundle, report.root_sha256).status == "verified"
    assert count(settings, "select count(*) from ops.freeze_override") == 1


def test_an_override_lets_nothing_else_pass(settings: Settings) -> None:
    def both(conn: psycopg.Connection, schema: str) -> None:
        set_aside(conn, schema)
        total_differs(conn, schema)

    parts = parts_that(both)
    with pytest.raises(ChotsoError, match="control_totals_equal") as refused:
        freeze(settings, SPRINT, override=BOTH, parts=parts)
    assert "quarantined_money" not in str(refused.value)
    second = Override("control_totals_equal", "Chờ nguồn", "A", "B")
    report = freeze(settings, SPRINT, override=second, parts=parts)
    assert sum(row["is_overridden"] == "true" for row in checks_of(report).values()) == 2


def test_what_is_met_is_not_overridden(settings: Settings) -> None:
    with pytest.raises(ChotsoError, match="is met: there is nothing to override"):
        freeze(settings, SPRINT, override=BOTH, parts=PARTS)
    assert count(settings, "select count(*) from ops.freeze_override") == 0
    assert count(settings, "select count(*) from frozen.release") == 0


@pytest.mark.parametrize(
    ("code", "reason", "names", "told"),
    [
        ("feeds_extracted", "x", ["A", "B"], "cannot be overridden"),
        ("weather", "x", ["A", "B"], "cannot be overridden"),
        ("control_totals_equal", "x", ["A"], "two persons"),
        ("control_totals_equal", "x", ["A", "B", "C"], "two persons"),
        ("control_totals_equal", "x", ["A", " a "], "two persons"),
        ("control_totals_equal", "x", ["Tây  Bắc", "Ta\u0302y Bắc"], "two persons"),
        ("control_totals_equal", "x", ["A", "  "], "two persons"),
        ("control_totals_equal", " ", ["A", "B"], "a reason"),
        ("control_totals_equal", None, ["A", "B"], "a reason"),
    ],
)
def test_an_override_needs_a_check_a_reason_and_two_persons(
    code: str, reason: str | None, names: list[str], told: str
) -> None:
    with pytest.raises(ChotsoError, match=told):
        override_of(code, reason, names)


def test_the_database_too_wants_two_persons(settings: Settings) -> None:
    seal(settings)
    for code, first, second in (
        ("control_totals_equal", "A", "a"),
        ("control_totals_equal", "A", " "),
        ("feeds_extracted", "A", "B"),
    ):
        with world.connect(settings) as conn, pytest.raises(psycopg.errors.CheckViolation):
            conn.execute(
                "insert into ops.freeze_override (release_id, check_code, reason, first_name, "
                "second_name, as_known_at) values (%s, %s, 'x', %s, %s, now())",
                [SPRINT, code, first, second],
            )


@pytest.mark.parametrize(("money", "passes"), [(45_000_000_000, True), (45_000_000_001, False)])
def test_the_limit_is_the_period_s_share_of_what_was_collected(
    settings: Settings, money: int, passes: bool
) -> None:
    """Collected: 4,500,000,000,000; a share of 0.01 of it may be set aside, and no more."""
    parts = parts_that(lambda conn, schema: set_aside(conn, schema, money))
    if passes:
        assert freeze(settings, SPRINT, parts=parts).release_id == SPRINT
        return
    with pytest.raises(ChotsoError, match="45000000001 đồng; wanted: at most 45000000000 đồng"):
        freeze(settings, SPRINT, parts=parts)
