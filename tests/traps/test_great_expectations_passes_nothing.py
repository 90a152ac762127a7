"""Great Expectations passes an empty table and an empty suite, and keeps offending values."""

import logging
from importlib import import_module
from typing import Any

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.ingest import rules
from chotso.ingest.night import extract_group
from tests.traps.world import DAY, begin, in_force, tables, write
from tests.worlds.product import Product

pytestmark = pytest.mark.warehouse


@pytest.fixture(scope="module")
def gx_source(warehouse: Product) -> Any:
    import great_expectations as gx

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    variables: Any = context.variables
    variables.progress_bars = {"globally": False}
    url = warehouse.admin_url.replace("postgresql://", "postgresql+psycopg://", 1)
    sources: Any = context.data_sources
    return sources.add_postgres("traps", connection_string=url)


def _validated(source: Any, url: str, content: str, *expectations: Any, **how: Any) -> Any:
    """What the engine says of a table made of a query's rows."""
    import great_expectations as gx

    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop table if exists public.trap")
        conn.execute(f"create table public.trap as {content}".encode())
    asset = source.add_table_asset("trap", table_name="trap", schema_name="public")
    try:
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        suite = gx.ExpectationSuite(name="trap", expectations=list(expectations))
        return batch.validate(suite, **how)
    finally:
        source.delete_asset("trap")


def test_an_empty_table_passes_the_engine_and_not_us(warehouse: Product, gx_source: Any) -> None:
    gxe: Any = import_module("great_expectations.expectations")
    empty = "select 1 as amount where false"
    rule = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=10)
    assert _validated(gx_source, warehouse.admin_url, empty, rule).success

    begin(warehouse)
    write(warehouse, tables(don_vi=[]))
    told = extract_group(warehouse.settings, "registers", DAY).stopped
    assert any("whole_read_not_empty" in line for line in told), told
    assert in_force(warehouse, "employers", "ma_don_vi") == [("TA0001A",)]


def test_an_empty_suite_passes_the_engine_and_not_us(
    warehouse: Product, gx_source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _validated(gx_source, warehouse.admin_url, "select 1 as amount").success

    # All rules of a feed were lost from the register.
    others = tuple(rule for rule in rules.register() if rule.feed != "payments")
    assert rules.rules_of("payments")
    monkeypatch.setattr(rules, "register", lambda: others)
    with pytest.raises(ChotsoError, match="payments"):
        rules.rules_of("payments")


@pytest.mark.parametrize(
    ("content", "trap"),
    [
        ("select 'NaN'::float8 as amount", "NaN"),
        ("select 'Infinity'::float8 as amount", "infinity"),
    ],
)
def test_nan_and_infinity_pass_a_lower_bound(
    warehouse: Product, gx_source: Any, content: str, trap: str
) -> None:
    gxe: Any = import_module("great_expectations.expectations")
    from chotso.contracts import contract_of
    from chotso.source.cells import UnreadableError, read_cell

    rule = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0)
    assert _validated(gx_source, warehouse.admin_url, content, rule).success, trap

    money = contract_of("payments").columns["so_tien"]
    for value in (float("nan"), float("inf"), "NaN", "Infinity", "inf"):
        with pytest.raises(UnreadableError):
            read_cell(value, money)


def test_null_in_a_pair_passes(warehouse: Product, gx_source: Any) -> None:
    gxe: Any = import_module("great_expectations.expectations")
    pair = gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="ends", column_B="begins", or_equal=True
    )
    content = "select null::date as ends, date '2021-01-01' as begins"
    assert _validated(gx_source, warehouse.admin_url, content, pair).success

    begin(warehouse)
    found = tables()
    found["chung_tu"][0]["ngay_nhap"] = None
    write(warehouse, found)
    extract_group(warehouse.settings, "contributions", DAY)
    with psycopg.connect(warehouse.admin_url) as conn:
        aside = conn.execute(
            "select rule_ids from quarantine.row where row_key = 'UNC-1' and status = 'open'"
        ).fetchone()
    assert aside == (["payments.required_present"],), "set aside, never passed"


def test_an_unanchored_pattern_passes_what_only_contains_it(
    warehouse: Product, gx_source: Any
) -> None:
    gxe: Any = import_module("great_expectations.expectations")
    rule = gxe.ExpectColumnValuesToMatchRegex(column="code", regex="[0-9]{5}")
    content = "select 'x07201; drop'::text as code"
    assert _validated(gx_source, warehouse.admin_url, content, rule).success

    found = tables()
    found["co_quan"].append({**found["co_quan"][1], "ma_co_quan": "x07201; drop"})
    begin(warehouse)
    write(warehouse, found)
    extract_group(warehouse.settings, "registers", DAY)
    codes = [code for (code,) in in_force(warehouse, "agencies", "ma_co_quan")]
    assert codes == ["072", "07201"]


def test_the_engine_keeps_offending_values_unless_told(warehouse: Product, gx_source: Any) -> None:
    gxe: Any = import_module("great_expectations.expectations")
    rule = gxe.ExpectColumnValuesToBeInSet(column="person", value_set=["-"])
    content = "select '7900000001'::text as person"
    kept = _validated(gx_source, warehouse.admin_url, content, rule)
    assert "7900000001" in str(kept)

    begin(warehouse, "participations")
    with psycopg.connect(warehouse.admin_url) as conn:
        told = conn.execute("select * from ops.rule_result").fetchall()
    assert told
    assert not any(f"790000000{n}" in str(row) for row in told for n in (1, 2, 3))
