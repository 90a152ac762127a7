"""Two provinces become one on 1 July 2025: it loads as data, and nothing is lost or counted twice.

Offices are handed over in both ways that registers know: 07201 keeps its code under another parent,
07202 ends and 08072 is founded. Province 080 lives on under another name.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from chotso.build import run_build
from tests.warehouse.build_warehouse import Warehouse, any_server, new_warehouse
from tests.warehouse.build_world import World, instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

BEFORE, MERGED, AFTER = "2025-06-30T01:00", "2025-07-01T01:00", "2025-08-01T01:00"
JUNE, JULY = date(2025, 6, 1), date(2025, 7, 1)
HI = "BHYT"


def two_provinces(world: World) -> None:
    world.batch("2025-06-29", BEFORE)
    world.agency("072", parent=None, level=1, ten="BHXH tỉnh Tây Ninh")
    world.agency("080", parent=None, level=1, ten="BHXH tỉnh Long An")
    world.agency("07201", ten="BHXH huyện Tân Biên")
    world.agency("07202", ten="BHXH huyện Tân Châu")
    world.agency("08001", parent="080", ten="BHXH huyện Bến Lức")
    world.employer("TA0001A")
    for agency, amount in (("07201", 1), ("07202", 20), ("08001", 300), ("072", 4_000)):
        world.payment(f"june-{agency}", "2025-06-10T10:00", (HI, amount, 0), agency=agency)
    # one person at an office of each province: two provinces count them, one counts them once
    for agency in ("07201", "08001"):
        world.spell("a", "2025-01", None, agency=agency)
    world.spell("b", "2025-01", "2025-06", agency="07202")


def one_province(world: World) -> None:
    """The register's changes are known in the first night of July, its payments a month later."""
    world.batch("2025-06-30", MERGED)
    for code in ("080", "072", "07201", "07202"):
        world.supersede("agencies", MERGED, ma_co_quan=code)
    world.agency("080", parent=None, level=1, ten="BHXH tỉnh Tây Ninh")
    world.agency("072", parent=None, level=1, ten="BHXH tỉnh Tây Ninh", hieu_luc_den="2025-06-30")
    world.agency("07201", parent="080", ten="BHXH cơ sở Tân Biên")
    world.agency("07202", ten="BHXH huyện Tân Châu", hieu_luc_den="2025-06-30")
    world.agency("08072", parent="080", ten="BHXH cơ sở Tân Châu", hieu_luc_tu="2025-07-01")
    world.batch("2025-07-31", AFTER)
    for agency, amount in (("07201", 50_000), ("08072", 600_000), ("08001", 7_000_000)):
        world.payment(f"july-{agency}", "2025-07-10T10:00", (HI, amount, 0), agency=agency)
    world.spell("b", "2025-07", None, agency="08072")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home: Path = tmp_path_factory.mktemp("home")
    with any_server() as servers, new_warehouse(servers, home) as made:
        with made.world() as world:
            two_provinces(world)
            world.admin.commit()
            run_build(made.settings)
            one_province(world)
            world.admin.commit()
        run_build(made.settings)
        run_build(made.settings, as_known_at=instant(BEFORE), schema="before_merger")
        yield made


def shown(warehouse: Warehouse, schema: str, metric: str) -> dict[tuple[str, date], int]:
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:
        rows = conn.execute(
            f"select agency_code, month, actual_month from {schema}.fct_monthly_attainment "
            "where metric_code = %s and month >= '2025-06-01'".encode(),
            [metric],
        ).fetchall()
    return {(row["agency_code"], row["month"]): int(row["actual_month"]) for row in rows}


def test_each_province_counts_its_own_before(warehouse: Warehouse) -> None:
    collected = shown(warehouse, "before_merger", "collection_hi")
    assert collected["072", JUNE] == 4_021
    assert collected["080", JUNE] == 300
    persons = shown(warehouse, "before_merger", "participants_hi")
    assert (persons["072", JUNE], persons["080", JUNE]) == (2, 1)


def test_afterwards_the_new_province_counts_what_leads_to_it_and_no_dong_twice(
    warehouse: Warehouse,
) -> None:
    collected = shown(warehouse, "marts", "collection_hi")
    assert collected["080", JULY] == 7_650_000
    # 07201 brought its past along; what ended with 072 stays with 072
    assert collected["080", JUNE] == 301
    assert collected["072", JUNE] == 4_020
    assert collected["080", JUNE] + collected["072", JUNE] == 4_321
    assert ("072", JULY) not in collected
    assert ("07202", JULY) not in collected
    persons = shown(warehouse, "marts", "participants_hi")
    assert persons["080", JULY] == 2
    assert (persons["07201", JULY], persons["08001", JULY], persons["08072", JULY]) == (1, 1, 1)


def test_months_keep_the_names_and_parents_of_their_time(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url) as conn:
        rows = conn.execute(
            """
            select fact.agency_code, fact.month, agency.agency_name, agency.parent_agency_code
            from marts.fct_monthly_attainment as fact
            inner join marts.dim_agency as agency using (agency_key)
            where fact.metric_code = 'collection_hi' and fact.month >= '2025-06-01'
            """
        ).fetchall()
    named = {(code, month): (name, parent) for code, month, name, parent in rows}
    assert named["080", JUNE] == ("BHXH tỉnh Long An", None)
    assert named["080", JULY] == ("BHXH tỉnh Tây Ninh", None)
    assert named["07201", JUNE] == ("BHXH huyện Tân Biên", "072")
    assert named["07201", JULY] == ("BHXH cơ sở Tân Biên", "080")
    assert named["08072", JULY] == ("BHXH cơ sở Tân Châu", "080")
    assert len(rows) == len(named)


def test_a_join_on_the_code_alone_counts_a_renamed_province_twice(warehouse: Warehouse) -> None:
    """The naive twin: what the key and `is_current` are for."""
    query = """
        select sum(fact.actual_month) from marts.fct_monthly_attainment as fact
        inner join marts.dim_agency as agency using (agency_code)
        where fact.metric_code = 'collection_hi' and fact.month = '2025-07-01'
            and fact.agency_code = '080' {}
    """
    with psycopg.connect(warehouse.admin_url) as conn:
        naive = conn.execute(query.format("").encode()).fetchone()
        right = conn.execute(query.format("and agency.is_current").encode()).fetchone()
    assert right == (7_650_000,)
    assert naive == (2 * 7_650_000,)
