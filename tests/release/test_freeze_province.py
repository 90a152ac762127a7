"""The real thing, small: a province lives to the cutoff, is frozen, and what is late stays out."""

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.freeze import freeze
from chotso.sandbox.province import advance, seed
from chotso.sandbox.server import SandboxServer
from chotso.verifier.verify import verify
from tests.worlds.freeze_world import CUTOFF, as_admin
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(1200)]

SPRINT = "sprint-2021-q4"


@pytest.fixture(scope="module")
def warehouse(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("province")
    with product(running, "freeze_province", folder) as made:
        seed(
                made.source_admin_url, made.drop, persons=1_500, employers=60, year=2021, seed=3,
                defects="none", state_dir=made.settings.home / "state", progress=lambda _: None,
            )  # fmt: skip
        yield made


def live_until(warehouse: Product, clock: datetime) -> None:
    advance(
        warehouse.source_admin_url,
        warehouse.drop,
        to=clock,
        state_dir=warehouse.settings.home / "state",
        progress=lambda _: None,
    )


def collected(warehouse: Product, schema: str, table: str) -> Decimal:
    with as_admin(warehouse.settings) as conn:
        row = conn.execute(
            f"select actual_to_date from {schema}.{table} where agency_code = '072' "
            "and month = '2021-12-01' and metric_code = 'collection_total' limit 1".encode()
        ).fetchone()
    assert row is not None
    return Decimal(row[0])


def test_a_rehearsal_months_before_the_cutoff_is_sealed(warehouse: Product) -> None:
    """It goes as far as its figures do: to the month that the province has lived to."""
    rehearsal = freeze(warehouse.settings, SPRINT, rehearse=True)
    assert verify(rehearsal.bundle, rehearsal.root_sha256).status == "verified"
    with (rehearsal.bundle / "data/attainment.csv").open(encoding="utf-8") as stream:
        months = {row["month"] for row in csv.DictReader(stream)}
    assert max(months) < "2021-11-01"
    assert min(months) == "2021-01-01"


def test_a_late_payment_changes_the_marts_and_not_the_release(warehouse: Product) -> None:
    settings = warehouse.settings
    live_until(warehouse, CUTOFF + timedelta(seconds=20))
    first = freeze(settings, SPRINT)
    assert verify(settings.releases_dir, first.root_sha256).status == "verified"
    frozen = collected(warehouse, "frozen", "attainment")
    live_until(warehouse, CUTOFF + timedelta(days=1))
    warehouse.night(date(2021, 12, 31))
    assert collected(warehouse, "marts", "fct_monthly_attainment") > frozen > 0
    assert collected(warehouse, "frozen", "attainment") == frozen
    assert freeze(settings, SPRINT).root_sha256 == first.root_sha256
    assert verify(settings.releases_dir, first.root_sha256).status == "verified"


def test_the_release_holds_the_facts_as_built_at_the_cutoff(warehouse: Product) -> None:
    settings = warehouse.settings
    report = freeze(settings, SPRINT)
    assert report.already_sealed
    with as_admin(settings) as conn:
        row = conn.execute(
            "select as_known_at from frozen.release where release_id = %s", [SPRINT]
        ).fetchone()
    assert row is not None
    warehouse.rebuild("scratch_again", row[0], CUTOFF)
    for table, fact in (
        ("attainment", "fct_monthly_attainment"), ("arrears_ratio", "fct_arrears_ratio"),
    ):  # fmt: skip
        with psycopg.connect(warehouse.admin_url) as conn:
            columns = conn.execute(
                "select string_agg(quote_ident(attname), ', ') from pg_attribute "
                "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
                [f"scratch_again.{fact}"],
            ).fetchone()
            assert columns is not None
            differing = conn.execute(
                f"""
                select count(*) from (
                    (select {columns[0]} from scratch_again.{fact}
                    except all
                    select {columns[0]} from frozen.{table} where release_id = '{SPRINT}')
                    union all
                    (select {columns[0]} from frozen.{table} where release_id = '{SPRINT}'
                    except all
                    select {columns[0]} from scratch_again.{fact})
                ) as differing
                """.encode()
            ).fetchone()
        assert differing == (0,)


@pytest.mark.slow
def test_a_corrigendum_says_what_came_late_and_keeps_the_cutoff(warehouse: Product) -> None:
    settings = warehouse.settings
    original = freeze(settings, SPRINT)
    live_until(warehouse, CUTOFF + timedelta(days=5))
    warehouse.night(date(2022, 1, 5))
    report = corrigendum(settings, SPRINT, reason="Ghi nhận muộn", author="Trần Thị Thử")
    assert verify(settings.releases_dir, report.root_sha256).status == "verified"
    assert verify(original.bundle, original.root_sha256).status == "verified"
    with (report.bundle / "data/changes.csv").open(encoding="utf-8") as stream:
        changes = list(csv.DictReader(stream))
    assert changes
    with as_admin(settings) as conn:
        first, newest, months, known_at = (
            conn.execute(
                "select min(month), max(month), count(distinct month), max(known_at) "
                "from frozen.current_attainment"
            ).fetchone()
            or (None,) * 4
        )
    assert (first, newest, months) == (date(2021, 1, 1), date(2021, 12, 1), 12)
    assert known_at >= CUTOFF + timedelta(days=4)
    warehouse.rebuild("scratch_corrected", known_at, CUTOFF)
    assert collected(warehouse, "scratch_corrected", "fct_monthly_attainment") == collected(
        warehouse, "frozen", "current_attainment"
    )
    told = [
        row
        for row in changes
        if row["table_name"] == "attainment" and row["column_name"] == "actual_to_date"
    ]
    with as_admin(settings) as conn:
        found = conn.execute(
            "select count(*) from frozen.attainment as old inner join frozen.attainment as new "
            "using (agency_code, month, metric_code) where old.release_id = %s and "
            "new.release_id = %s and old.actual_to_date is distinct from new.actual_to_date",
            [SPRINT, report.release_id],
        ).fetchone()
    assert found == (len(told),)
    _late_changes_make_the_difference(warehouse, report.bundle, changes)


def _late_changes_make_the_difference(
    warehouse: Product, bundle: Path, changes: list[dict[str, str]]
) -> None:
    with (bundle / "data/late_changes.csv").open(encoding="utf-8") as stream:
        came_late = list(csv.DictReader(stream))
    sums: dict[tuple[str, ...], Decimal] = {}
    for row in came_late:
        key = (row["agency_code"], row["month"], row["metric_code"])
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["amount"])
    compared = 0
    for row in changes:
        if (row["table_name"], row["column_name"]) != ("attainment", "actual_month"):
            continue
        agency, month, metric = json.loads(row["row_key"])
        is_own = metric in ("collection_hi", "collection_ui", "collection_si_voluntary")
        if is_own and agency != "072":
            change = Decimal(row["value_after"]) - Decimal(row["value_before"])
            assert sums[agency, month, metric] == change
            compared += 1
    assert compared > 0
    with as_admin(warehouse.settings) as conn:
        inputs = {
            each["sha256"] for each in json.loads((bundle / "manifest.json").read_bytes())["inputs"]
        }
        recorded = conn.execute(
            "select count(*), sum(amount) from frozen.late_change where release_id = %s", [SPRINT]
        ).fetchone()
    assert recorded == (len(came_late), sum(Decimal(row["amount"]) for row in came_late))
    assert {row["input_sha256"] for row in came_late} <= inputs | {"\\N"}
