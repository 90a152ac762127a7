"""The plain DB-API path brings the same rows as the PostgreSQL path, proven against SQLite."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from chotso.calendar import LOCAL_ZONE
from chotso.contracts import TableSource, contracts
from chotso.errors import ChotsoError
from chotso.ingest.night import extract_all, extract_group
from chotso.sandbox.province import advance, seed
from chotso.sandbox.server import SandboxServer
from tests.faults.content import content, differences
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(600)]

NIGHTS = [
    (datetime(2021, 10, 2, 1, tzinfo=LOCAL_ZONE), date(2021, 10, 1)),
    (datetime(2021, 10, 4, 1, tzinfo=LOCAL_ZONE), date(2021, 10, 3)),
]
RELATIONS = {
    feed: contract.source.relation
    for feed, contract in contracts().items()
    if isinstance(contract.source, TableSource)
}


def copy_to_sqlite(source_admin_url: str, target: Path) -> None:
    """All tables of the collection system as they stand; instants as naive UTC text."""
    with psycopg.connect(source_admin_url) as source, sqlite3.connect(target) as copy:
        for relation in [*RELATIONS.values(), "doi_soat", "dong_ho"]:
            cursor = source.execute(
                sql.SQL("select * from {}").format(sql.Identifier("tst", relation))
            )
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            copy.execute(f"drop table if exists {relation}")
            copy.execute(f"create table {relation} ({', '.join(names)})")
            marks = ", ".join("?" * len(names))
            copy.executemany(
                f"insert into {relation} values ({marks})",
                [tuple(map(plain, row)) for row in cursor],
            )


def plain(value: object) -> object:
    """A value as SQLite keeps it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value


def test_sqlite_brings_what_postgresql_brings(running: SandboxServer, tmp_path: Path) -> None:
    with (
        product(running, "by_copy", tmp_path / "copy") as by_copy,
        product(running, "by_rows", tmp_path / "rows") as by_rows,
    ):
        place, lite = (by_copy.source_admin_url, by_copy.drop), tmp_path / "source.sqlite"
        state = tmp_path / "state"
        seed(
            *place,
            persons=1_000,
            employers=30,
            year=2021,
            seed=8,
            defects="none",
            state_dir=state,
            progress=lambda _: None,
        )
        settings = by_rows.settings.model_copy(
            update={"source_url": f"sqlite:///{lite}", "drop_url": str(by_copy.drop)}
        )
        for clock, business_date in NIGHTS:
            advance(*place, to=clock, state_dir=state, progress=lambda _: None)
            copy_to_sqlite(by_copy.source_admin_url, lite)
            for chosen in (by_copy.settings, settings):
                assert not [s for r in extract_all(chosen, business_date) for s in r.stopped]
        found, wanted = content(by_rows.admin_url), content(by_copy.admin_url)
        assert sum(map(len, wanted.values())) > 1_000
        assert not differences(found, wanted)

        # What went astray behind our back is read again by month, on either path.
        for lost in (by_copy, by_rows):
            lose_the_oldest(lost.admin_url)
        saturday = NIGHTS[-1][1] - timedelta(days=1)  # a Sunday's night would read all at once
        assert saturday.weekday() == 5
        for chosen in (by_copy.settings, settings):
            assert not [s for r in extract_all(chosen, saturday) for s in r.stopped]
        assert not differences(content(by_rows.admin_url), content(by_copy.admin_url))
        assert mended(by_rows.admin_url) == mended(by_copy.admin_url)
        assert {feed for feed, _ in mended(by_rows.admin_url)} == {
            "payments",
            "allocations",
            "participations",
        }


def lose_the_oldest(admin_url: str) -> None:
    """Delete the first document of the year and the oldest spell, as a superuser can."""
    with psycopg.connect(admin_url) as warehouse:
        for feed, key, order in (
            ("payments", "so_chung_tu", "ngay_ghi_co"),
            ("participations", "ma_qua_trinh", "tu_thang"),
        ):
            statement = sql.SQL(
                "delete from {raw} where {key} = (select {key} from {raw} "
                "where known_to is null order by {order}, {key} limit 1)"
            ).format(
                raw=sql.Identifier("raw", feed),
                key=sql.Identifier(key),
                order=sql.Identifier(order),
            )
            assert warehouse.execute(statement).rowcount > 0


def mended(admin_url: str) -> list[tuple[str, date]]:
    """Feed and month of all that was read again because its totals differed."""
    with psycopg.connect(admin_url) as warehouse:
        return warehouse.execute(
            "select feed, month from ops.control_total where status = 'mended' order by 1, 2"
        ).fetchall()


def test_a_column_that_the_source_lost_blocks_its_feed(
    running: SandboxServer, tmp_path: Path
) -> None:
    with product(running, "lost", tmp_path) as warehouse:
        _tiny_source(warehouse)
        with psycopg.connect(warehouse.source_admin_url) as source:
            source.execute("alter table tst.don_vi drop column ma_khoi")
        report = extract_group(warehouse.settings, "registers", date(2021, 10, 1))
        assert {batch["feed"] for batch in report.batches} == {
            "agencies",
            "officers",
            "assignments",
        }
        (reason,) = report.stopped
        assert "ma_khoi" in reason
        assert "config/feeds/employers.yml" in reason


def test_a_date_after_the_source_clock_and_a_clock_that_goes_back_are_refused(
    running: SandboxServer,
    tmp_path: Path,
) -> None:
    with product(running, "clock", tmp_path) as warehouse:
        _tiny_source(warehouse)
        with pytest.raises(ChotsoError, match="lies after the source's clock"):
            extract_group(warehouse.settings, "registers", date(2021, 10, 2))
        extract_group(warehouse.settings, "registers", date(2021, 10, 1))
        with psycopg.connect(warehouse.source_admin_url) as source:
            source.execute("update tst.dong_ho set bay_gio = bay_gio - interval '1 second'")
        with pytest.raises(ChotsoError, match="clock went back"):
            extract_group(warehouse.settings, "registers", date(2021, 9, 30))


def _tiny_source(warehouse: Product) -> None:
    seed(
        warehouse.source_admin_url,
        warehouse.drop,
        persons=500,
        employers=30,
        year=2021,
        seed=8,
        defects="none",
        state_dir=warehouse.settings.home / "state",
        progress=lambda _: None,
    )
