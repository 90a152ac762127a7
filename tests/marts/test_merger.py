"""Two provinces become one on 1 July 2025, told by the register alone, in the two ways it can be.

072 and 080: the offices of 072 keep their codes and get 080 as their parent. 082 and 087: the
offices of 082 end with it, and new codes begin under 087. A province counts what the chain of
parents leads to as it is known: so the first way moves the past of the offices along with them, in
builds that know of it, and the second leaves it where it was.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.dbt import build_variables
from chotso.registers import load_registers
from tests.worlds.build_warehouse import Servers, Warehouse, dbt_into, new_warehouse
from tests.worlds.build_world import World, instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

BEFORE, AFTER = "2025-06-30T01:00", "2025-07-02T01:00"
MERGER = "2025-07-01T00:30"
NIGHTLY, PAST = "marts_build", "scratch_past"
LAST_OF_JUNE, FIRST_OF_JULY = "2025-06-30T23:59:59.999999", "2025-07-01T00:00"
PROVINCES = ("072", "080", "082", "087")

Figure = Callable[..., dict[str, Any]]


def _provinces(world: World) -> None:
    world.batch("2025-06-29", BEFORE)
    names = {"072": "Tây Ninh", "080": "Long An", "082": "Tiền Giang", "087": "Đồng Tháp"}
    for code, name in names.items():
        world.agency(code, parent=None, level=1, ten=f"BHXH tỉnh {name}")
        world.agency(f"{code}01", parent=code, ten=f"BHXH huyện thuộc {name}")


def _merger(world: World) -> None:
    """Known half an hour after it takes effect."""
    world.batch("2025-06-30", MERGER)
    for code in ("072", "080", "07201", "082", "08201"):
        world.supersede("agencies", MERGER, ma_co_quan=code)
    for code, name in (("072", "Tây Ninh"), ("082", "Tiền Giang")):
        world.agency(code, None, 1, ten=f"BHXH tỉnh {name}", hieu_luc_den="2025-06-30")
    world.agency("080", None, 1, ten="BHXH tỉnh Tây Ninh")
    world.agency("07201", "080", ten="BHXH cơ sở Tân Ninh")
    world.agency("08201", "082", ten="BHXH huyện thuộc Tiền Giang", hieu_luc_den="2025-06-30")
    world.agency("08721", "087", ten="BHXH cơ sở Mỹ Tho", hieu_luc_tu="2025-07-01")
    world.batch("2025-07-01", AFTER)


def _facts(world: World) -> None:
    """100 of June and 10 of July at an office of the province that ends; 1,000 of 2021."""
    world.known = instant(BEFORE)
    fund = "BHYT"
    for number, (ending, staying, new) in enumerate(
        [("07201", "08001", "07201"), ("08201", "08701", "08721")]
    ):
        world.payment(f"{number}a", "2021-12-31T23:59:59.999999", (fund, 1_000, 0), agency=ending)
        world.payment(f"{number}b", LAST_OF_JUNE, (fund, 100, 0), agency=ending)
        world.payment(f"{number}c", LAST_OF_JUNE, (fund, 7, 0), agency=staying)
        world.payment(f"{number}d", FIRST_OF_JULY, (fund, 10, 0), agency=new)
        world.payment(f"{number}e", FIRST_OF_JULY, (fund, 3, 0), agency=staying)
        employer = f"E{number}"
        world.account(employer, "2025-06", ending, ck_bhyt=40, ps_yt=400)
        world.account(employer, "2025-07", new, ck_bhyt=50, ps_yt=500)
        # with both offices in July, and once with the province
        world.spell(f"p{number}", "2025-01", None if new == ending else "2025-06", agency=ending)
        if new != ending:
            world.spell(f"p{number}", "2025-07", None, agency=new)
        world.spell(f"p{number}", "2025-07", None, agency=staying)


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The night after the merger became known, and the last one before."""
    with (
        new_warehouse(servers, tmp_path_factory.mktemp("home")) as made,
    ):
        with made.world() as world:
            for part in (_provinces, _merger, _facts):
                part(world)
        marts = ("+fct_monthly_attainment", "+fct_contribution")
        what = ("--select", *marts, "--indirect-selection", "cautious")
        for schema, known_at in ((NIGHTLY, AFTER), (PAST, BEFORE)):
            variables = build_variables(load_registers(), instant(known_at), None)
            command = ("build", "--exclude-resource-type", "unit_test", *what)
            dbt_into(made.settings, schema, variables, command)
        yield made


@pytest.fixture
def figure(warehouse: Warehouse) -> Iterator[Figure]:
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:

        def found(
            agency: str, month: str, metric: str = "collection_hi", schema: str = NIGHTLY
        ) -> dict[str, Any]:
            """The row with the name and parent of its time."""
            query = sql.SQL(
                "select * from {0}.fct_monthly_attainment join {0}.dim_agency "
                "using (agency_key, agency_code) "
                "where agency_code = {1} and month = {2} and metric_code = {3}"
            ).format(
                sql.Identifier(schema),
                *map(sql.Literal, (agency, date.fromisoformat(f"{month}-01"), metric)),
            )
            (row,) = conn.execute(query).fetchall()
            return row

        yield found


def test_history_keeps_its_own_names_and_parents(figure: Figure) -> None:
    names = [figure("080", month)["agency_name"] for month in ("2021-12", "2025-06", "2025-07")]
    assert names == ["BHXH tỉnh Long An", "BHXH tỉnh Long An", "BHXH tỉnh Tây Ninh"]
    june, july = figure("07201", "2025-06"), figure("07201", "2025-07")
    assert (june["agency_name"], june["parent_agency_code"]) == ("BHXH huyện thuộc Tây Ninh", "072")
    assert (july["agency_name"], july["parent_agency_code"]) == ("BHXH cơ sở Tân Ninh", "080")
    assert figure("072", "2025-06")["agency_name"] == "BHXH tỉnh Tây Ninh"


def test_an_office_keeps_its_figures_whatever_its_parent(figure: Figure) -> None:
    for schema in (NIGHTLY, PAST):
        assert figure("07201", "2021-12", schema=schema)["actual_month"] == 1_000
        assert figure("07201", "2025-06", schema=schema)["actual_month"] == 100
    assert figure("07201", "2025-07")["actual_to_date"] == 110


def test_offices_given_to_another_province_take_their_past_along(figure: Figure) -> None:
    """As known before the merger 072 has its own; as known after it 080 has all of it, once."""
    assert figure("072", "2025-06", schema=PAST)["actual_to_date"] == 100
    assert figure("080", "2025-06", schema=PAST)["actual_to_date"] == 7
    assert figure("080", "2025-06")["actual_to_date"] == 107
    assert figure("080", "2025-07")["actual_month"] == 13
    assert figure("080", "2025-07")["actual_to_date"] == 120
    assert figure("072", "2025-06")["actual_to_date"] == 0
    assert figure("080", "2021-12")["actual_month"] == 1_000


def test_offices_that_end_leave_their_past_with_the_province_that_ends(figure: Figure) -> None:
    assert figure("082", "2025-06")["actual_to_date"] == 100
    assert figure("082", "2021-12")["actual_month"] == 1_000
    assert figure("087", "2025-06")["actual_to_date"] == 7
    assert figure("087", "2025-07")["actual_month"] == 13
    # the new province did not collect what the old one did
    assert figure("087", "2025-07")["actual_to_date"] == 20
    assert figure("08721", "2025-07")["actual_to_date"] == 10


def test_arrears_stand_on_the_sheet_of_their_month(figure: Figure) -> None:
    arrears = "arrears_ratio_hi"
    july = figure("080", "2025-07", arrears)
    assert (july["numerator"], july["denominator"]) == (50, 900)
    july = figure("087", "2025-07", arrears)
    assert (july["numerator"], july["denominator"]) == (50, 500)
    june = figure("082", "2025-06", arrears)
    assert (june["numerator"], june["denominator"]) == (40, 400)


def test_a_person_counts_once_in_the_province_that_has_both_offices(figure: Figure) -> None:
    heads = "participants_hi"
    for merged, office in (("080", "08001"), ("087", "08701")):
        assert figure(merged, "2025-07", heads)["actual_to_date"] == 1
        assert figure(office, "2025-07", heads)["actual_to_date"] == 1
    assert figure("082", "2025-06", heads)["actual_to_date"] == 1
    assert figure("087", "2025-06", heads)["actual_to_date"] == 0


@pytest.mark.parametrize("schema", [NIGHTLY, PAST])
def test_no_dong_is_counted_twice_and_none_is_lost(warehouse: Warehouse, schema: str) -> None:
    """Each month, over all provinces; a province out of force is not shown and has nothing."""
    rows = warehouse.rows(
        f"""
        with provinces as (
            select month, sum(actual_month) as collected
            from {schema}.fct_monthly_attainment
            where metric_code = 'collection_total' and agency_code = any(array{list(PROVINCES)})
            group by month
        ),
        lines as (
            select credited_month as month, sum(collected_vnd) as collected
            from {schema}.fct_contribution
            group by credited_month
        )
        select month, provinces.collected, lines.collected
        from provinces full join lines using (month)
        where coalesce(provinces.collected, 0) <> coalesce(lines.collected, 0)
            and month <= (select max(month) from {schema}.dim_month)
        """
    )
    assert rows == []


def test_a_province_that_ended_is_shown_to_its_last_month(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select agency_code, max(month) from marts_build.fct_monthly_attainment "
        "where agency_code = any(array['072', '080', '082', '087', '08201', '08721']) "
        "group by agency_code order by agency_code"
    )
    june, july = date(2025, 6, 1), date(2025, 7, 1)
    assert {code: month for code, month in rows} == {
        "072": june, "080": july, "082": june, "087": july, "08201": june, "08721": july,
    }  # fmt: skip
    first = warehouse.rows(
        "select min(month) from marts_build.fct_monthly_attainment where agency_code = '08721'"
    )
    assert first == [(july,)]


def test_a_join_on_the_code_alone_counts_a_renamed_agency_twice(warehouse: Warehouse) -> None:
    """The naive twin: what the key and `is_current` are for."""
    query = """
        select sum(fact.actual_month) / min(fact.actual_month)
        from marts_build.fct_monthly_attainment as fact
        inner join marts_build.dim_agency as agency using ({column})
        where fact.metric_code = 'collection_total' and fact.month = '2025-07-01'
            and fact.agency_code = '080' and fact.actual_month > 0 {condition}
    """
    assert warehouse.rows(query.format(column="agency_code", condition="")) == [(2,)]
    assert warehouse.rows(query.format(column="agency_key", condition="")) == [(1,)]
    current = query.format(column="agency_code", condition="and agency.is_current")
    assert warehouse.rows(current) == [(1,)]
