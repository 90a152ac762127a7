"""The reconciliation of one hand-made world, each row's figures and category worked out by hand."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.dbt import build_variables
from chotso.registers import load_registers
from tests.oracle.reconciliation import CATEGORIES
from tests.worlds.build_warehouse import Servers, Warehouse, dbt_into, new_warehouse
from tests.worlds.build_world import World, instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

FIRST_NIGHT = "2022-01-02T01:00"
SECOND_NIGHT = "2022-01-05T01:00"
CUTOFF = instant("2021-12-31T17:00")
NIGHTLY, PAST, AT_CUTOFF = "marts_build", "scratch_past", "scratch_cutoff"
EXPORT = "2022-01-01T02:00"
WHAT = ("--select", "+fct_reconciliation", "--indirect-selection", "cautious")

Row = Callable[..., dict[str, Any]]


def _both_ledgers(world: World) -> None:
    """What agrees, what either side lacks, and what differs for no known reason."""
    si, ui, hi = "HTTT", "BHTN", "BHYT"
    world.payment("m1", "2021-10-31T23:59:59.999999", (si, 60, 5), employer="SAME")
    world.payment("m2", "2021-10-01T00:00", ("ODTS", 30, 0), ("TNLD", 10, 0), employer="SAME")
    world.payment("m3", "2021-11-01T00:00", (hi, 7, 0), employer="SAME")
    world.account("SAME", "2021-10", "07202", dt_bhxh=100, bst_bh=9)
    world.account("SAME", "2021-11", "07202", dt_bhyt=7)
    world.payment("n1", "2020-12-31T23:59:59.999999", (ui, 3, 0), employer="NONE", agency="07209")
    world.payment("n2", "2020-12-05T10:00", (ui, -3, 0), employer="NONE", agency="07203")
    world.account("UNPAID", "2021-10", dt_bhxh=4, dt_bhyt=-4, bst_bh=4)
    world.payment("o1", "2021-10-05T10:00", (si, 9, 0), (ui, -8, 0), (hi, 1, 0), employer="APART")
    world.account("APART", "2021-10", dt_bhxh=8, dt_bhtn=-3, dt_bhyt=4, bst_bh=5, bsg_yt=3)
    world.payment("v1", "2021-10-05T10:00", ("BHXHTN", 50, 0), (si, 2, 0), employer="AGENT")


def _late_and_offset(world: World) -> None:
    """The export was made at 02:00 on 1 January."""
    exact = {"employer": "LATE", "recorded": EXPORT}
    after = {"employer": "LATE", "recorded": f"{EXPORT}:00.000001"}
    world.payment("l1", "2021-12-31T23:59:59.999999", ("HTTT", 100, 0), ("BHTN", 1, 0), **exact)
    world.payment("l2", "2021-12-31T23:59:59.999999", ("HTTT", 20, 0), ("BHTN", 5, 0), **after)
    world.account("LATE", "2021-12", stated=EXPORT, dt_bhxh=100, dt_bhtn=3)
    # credited in the year's last microsecond, allocated in January; January's own is left over
    world.payment("y1", "2021-12-31T23:59:59.999999", ("BHYT", 6, 0), employer="YEAR")
    world.payment("y2", "2022-02-01T00:00", ("BHYT", 6, 0), employer="YEAR")
    world.account("YEAR", "2021-12", stated="2022-02-02T02:00")
    world.account("YEAR", "2022-01", stated="2022-02-02T02:00", dt_bhyt=6)
    world.account("YEAR", "2022-02", stated="2022-02-02T02:00")


def _cutoff(world: World) -> None:
    """Around 17:00 on 31 December; the export made later has both."""
    recorded = {"employer": "CUT", "recorded": "2021-12-31T18:00"}
    world.payment("c1", "2021-12-31T16:59:59.999999", ("HTTT", 10, 0), **recorded)
    world.payment("c2", "2021-12-31T17:00", ("HTTT", 200, 0), ("BHXHTN", 9, 0), **recorded)
    world.payment("c3", "2021-12-31T17:00:00.000001", ("HTTT", 3_000, 0), **recorded)
    world.account("CUT", "2021-12", stated=EXPORT, dt_bhxh=3_210)


def _set_aside(world: World) -> None:
    """MOVED leaves October for November; LINE lacks a line; SHEET stands on nobody's sheet."""
    world.payment("q1", "2021-10-05T10:00", ("HTTT", 40, 0), employer="MOVED")
    world.set_aside("payments", {"so_chung_tu": "q1", "ma_don_vi": "MOVED", "ma_co_quan": "07299",
                                 "ngay_ghi_co": "2021-10-31T17:00:00+00:00"})  # fmt: skip
    world.account("MOVED", "2021-10")
    world.account("MOVED", "2021-11", dt_bhxh=40, dt_bhyt=1)
    world.payment("q2", "2021-10-05T10:00", ("HTTT", 5, 0), employer="LINE")
    world.set_aside("allocations", {"so_chung_tu": "q2", "so_dong": 7, "quy": "BHTN",
                                    "tien_goc": 8, "tien_lai": 1})  # fmt: skip
    world.account("LINE", "2021-10", dt_bhxh=6, dt_bhtn=8)
    world.payment("q3", "2021-10-05T10:00", ("BHYT", 5, 0), employer="SHEET")
    world.set_aside("c12", {"madvi": "SHEET", "ma_co_quan": "07299", "thang": "2021-10-01",
                            "dt_bhyt": 5, "ck_bhyt": 0})  # fmt: skip
    world.set_aside("payments", {"so_chung_tu": "?", "ngay_ghi_co": "2021-10-05T10:00:00+00:00"})


def _corrections(world: World) -> None:
    """Voided in the second night."""
    world.payment("x1", "2021-10-05T10:00", ("HTTT", 5, 0), employer="VOIDED")
    world.account("VOIDED", "2021-10", dt_bhxh=5)
    world.batch("2022-01-04", SECOND_NIGHT)
    world.supersede("payments", SECOND_NIGHT, so_chung_tu="x1")
    world.supersede("allocations", SECOND_NIGHT, so_chung_tu="x1")
    world.payment("x1", "2021-10-05T10:00", ("HTTT", 5, 0), employer="VOIDED", status="HUY")


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The second night, the first as known then, and the cutoff; the last with data tests."""
    with (
        new_warehouse(servers, tmp_path_factory.mktemp("home")) as made,
    ):
        with made.world() as world:
            world.batch("2022-01-01", FIRST_NIGHT)
            world.agency("072", parent=None, level=1)
            world.agency("07201")
            for part in (_both_ledgers, _late_and_offset, _cutoff, _set_aside, _corrections):
                part(world)
        registers, run = load_registers(), ("run", *WHAT)
        first, second = instant(FIRST_NIGHT), instant(SECOND_NIGHT)
        dbt_into(made.settings, NIGHTLY, build_variables(registers, second, None), run)
        dbt_into(made.settings, PAST, build_variables(registers, first, None), run)
        tested = ("build", "--exclude-resource-type", "unit_test", *WHAT)
        dbt_into(made.settings, AT_CUTOFF, build_variables(registers, second, CUTOFF), tested)
        yield made


@pytest.fixture
def row(warehouse: Warehouse) -> Iterator[Row]:
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:

        def found(employer: str, month: str, group: str, schema: str = NIGHTLY) -> dict[str, Any]:
            query = sql.SQL(
                "select * from {} where employer_code = {} and month = {} and group_code = {}"
            ).format(
                sql.Identifier(schema, "fct_reconciliation"),
                *map(sql.Literal, (employer, date.fromisoformat(f"{month}-01"), group)),
            )
            (only,) = conn.execute(query).fetchall()
            return only

        yield found


def said(row: dict[str, Any]) -> tuple[Any, ...]:
    """Allocated, paid, difference, category."""
    return row["allocated_vnd"], row["paid_vnd"], row["difference_vnd"], row["category_code"]


def test_what_agrees_is_matched_whatever_was_adjusted(row: Row) -> None:
    assert said(row("SAME", "2021-10", "si")) == (100, 100, 0, "matched")
    assert row("SAME", "2021-10", "si")["agency_code"] == "07202"
    assert said(row("SAME", "2021-11", "hi")) == (7, 7, 0, "matched")
    assert said(row("SAME", "2021-11", "ui")) == (0, 0, 0, "matched")


def test_what_either_side_lacks_is_missing(row: Row) -> None:
    """Before the first year too, and where payments and refunds add up to nothing."""
    none = row("NONE", "2020-12", "ui")
    assert (said(none), none["agency_code"]) == ((None, 0, 0, "missing_account"), "07203")
    assert said(row("UNPAID", "2021-10", "si")) == (4, 0, -4, "missing_payment")
    assert said(row("UNPAID", "2021-10", "hi")) == (-4, 0, 4, "missing_payment")


def test_what_differs_is_over_under_or_adjusted(row: Row) -> None:
    assert said(row("APART", "2021-10", "si")) == (8, 9, 1, "over")
    assert said(row("APART", "2021-10", "ui")) == (-3, -8, -5, "under")
    assert said(row("APART", "2021-10", "hi")) == (4, 1, -3, "adjusted")
    assert row("APART", "2021-10", "hi")["net_adjustment_vnd"] == -3


def test_voluntary_insurance_stands_outside_the_accounts(row: Row) -> None:
    assert said(row("AGENT", "2021-10", "voluntary")) == (None, 50, 50, "outside_accounts")
    assert said(row("AGENT", "2021-10", "si")) == (None, 2, 2, "missing_account")
    assert said(row("CUT", "2021-12", "voluntary")) == (None, 9, 9, "outside_accounts")


def test_what_was_recorded_a_microsecond_after_the_export_is_timing(row: Row) -> None:
    late = row("LATE", "2021-12", "si")
    assert said(late) == (100, 120, 20, "timing")
    assert late["recorded_after_statement_vnd"] == 20
    # without the late 5 there is 1 of 3: no reason found
    assert said(row("LATE", "2021-12", "ui")) == (3, 6, 3, "over")


def test_a_neighbouring_month_takes_back_one_difference_only(row: Row) -> None:
    assert said(row("YEAR", "2021-12", "hi")) == (0, 6, 6, "timing")
    assert said(row("YEAR", "2022-01", "hi")) == (6, 0, -6, "timing")
    assert said(row("YEAR", "2022-02", "hi")) == (0, 6, 6, "over")


def test_at_the_cutoff_what_the_export_took_off_too_late_is_timing(row: Row) -> None:
    assert said(row("CUT", "2021-12", "si")) == (3_210, 3_210, 0, "matched")
    at_cutoff = row("CUT", "2021-12", "si", AT_CUTOFF)
    assert said(at_cutoff) == (3_210, 10, -3_200, "timing")
    assert at_cutoff["added_back_vnd"] == 3_200


def test_what_is_set_aside_explains_a_difference_where_nothing_excludes_it(row: Row) -> None:
    assert said(row("MOVED", "2021-11", "si")) == (40, 0, -40, "quarantined")
    assert row("MOVED", "2021-11", "si")["quarantined_vnd"] == 40
    # its accepted version still stands in October
    assert said(row("MOVED", "2021-10", "si")) == (0, 40, 40, "quarantined")
    assert row("MOVED", "2021-10", "si")["quarantined_vnd"] == 0
    assert said(row("MOVED", "2021-11", "hi")) == (1, 0, -1, "missing_payment")
    assert said(row("LINE", "2021-10", "ui")) == (8, 0, -8, "quarantined")
    assert row("LINE", "2021-10", "ui")["quarantined_vnd"] == 8
    assert said(row("LINE", "2021-10", "si")) == (6, 5, -1, "under")
    assert said(row("SHEET", "2021-10", "hi")) == (None, 5, 5, "quarantined")
    assert row("SHEET", "2021-10", "hi")["quarantined_allocated_vnd"] == 5


def test_a_voided_document_pays_nothing_from_when_that_is_known(row: Row) -> None:
    assert said(row("VOIDED", "2021-10", "si", PAST)) == (5, 5, 0, "matched")
    assert said(row("VOIDED", "2021-10", "si")) == (5, 0, -5, "missing_payment")


def test_every_category_is_named_in_the_order_of_trial(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select category_code from marts_build.dim_reconciliation_category order by sort_order"
    )
    assert tuple(code for (code,) in rows) == CATEGORIES
    met = warehouse.rows("select distinct category_code from marts_build.fct_reconciliation")
    assert {code for (code,) in met} == set(CATEGORIES)


def test_the_categories_add_up_to_both_ledgers(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select sum(paid_vnd), sum(allocated_vnd), sum(difference_vnd) from ("
        "select category_code, sum(paid_vnd) as paid_vnd, sum(allocated_vnd) as allocated_vnd, "
        "sum(difference_vnd) as difference_vnd from marts_build.fct_reconciliation "
        "group by category_code) as by_category"
    )
    paid = warehouse.rows(
        "select sum(tien_goc) from raw.allocations join raw.payments using (so_chung_tu) "
        "where allocations.known_to is null and payments.known_to is null "
        "and trang_thai = 'HIEU_LUC'"
    )
    allocated = warehouse.rows("select sum(dt_bhxh + dt_bhyt + dt_bhtn) from raw.c12")
    expected = paid[0][0], allocated[0][0]
    assert rows[0][:2] == expected
    assert rows[0][2] == rows[0][0] - rows[0][1]  # type: ignore[operator]
