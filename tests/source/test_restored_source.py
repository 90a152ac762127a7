"""A source that is restored from a backup: rows go back behind our position, its clock does not.

It keeps no `dong_ho`, so its clock is its server's. A backup was made; after it rows came, changed
and went, and a night read them; then the source came back as the backup had it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_all
from chotso.sandbox.province import seed, tables
from chotso.sandbox.server import SandboxServer
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

# The last Saturday before yesterday: a Sunday's night reads everything whole by itself.
_YESTERDAY = date.today() - timedelta(days=1)
SATURDAY = _YESTERDAY - timedelta(days=(_YESTERDAY.weekday() + 2) % 7)
FRIDAY = SATURDAY - timedelta(days=1)
# What happens after the backup, each to a document of its own month.
LOST_DAY = """
    update tst.chung_tu set so_tien = so_tien + 5000, ngay_sua = now() where so_chung_tu = %(paid)s;
    update tst.phan_bo set tien_goc = tien_goc + 5000, ngay_sua = now()
    where so_chung_tu = %(paid)s and so_dong = (
        select min(so_dong) from tst.phan_bo where so_chung_tu = %(paid)s);
    insert into tst.chung_tu select (jsonb_populate_record(c,
        jsonb_build_object('so_chung_tu', 'MOI', 'ngay_nhap', now(), 'ngay_sua', now()))).*
    from tst.chung_tu as c where so_chung_tu = %(copied)s;
    insert into tst.phan_bo select (jsonb_populate_record(p,
        jsonb_build_object('so_chung_tu', 'MOI', 'ngay_sua', now()))).*
    from tst.phan_bo as p where so_chung_tu = %(copied)s;
    create table tst.dong_ho (id integer, bay_gio timestamptz);
"""
TABLES = {
    "payments": ("chung_tu", "so_chung_tu, ma_don_vi, hinh_thuc, ngay_ghi_co, so_tien, trang_thai"),
    "allocations": ("phan_bo", "so_chung_tu, so_dong, quy, tien_goc, tien_lai"),
    "participations": ("tham_gia", "ma_qua_trinh, tu_thang, den_thang"),
}
FIGURES = (
    "select month, agency_code, metric_code, actual_month, actual_to_date, attainment_ratio "
    "from marts.fct_monthly_attainment order by 1, 2, 3"
)


@pytest.fixture
def made(running: SandboxServer, tmp_path: Path) -> Iterator[Product]:
    with product(running, "restored_source", tmp_path / "made") as made:
        seed(
            made.source_admin_url, made.drop, persons=500, employers=30, year=2021, seed=8,
            defects="none", state_dir=tmp_path / "state", progress=lambda _: None,
        )  # fmt: skip
        with psycopg.connect(made.source_admin_url) as source:
            source.execute("drop table tst.dong_ho")
        yield made


@contextmanager
def backup(made: Product) -> Iterator[Product]:
    """The same product with the source as it is now, whatever happens to it later."""
    place = urlsplit(made.source_admin_url)
    name = f"{place.path[1:]}_backup"
    with psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute(f"create database {name} template {place.path[1:]}".encode())

    def moved(url: str) -> str:
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    settings = made.settings.model_copy(update={"source_url": moved(made.settings.source_url)})
    try:
        yield replace(made, settings=settings, source_admin_url=moved(made.source_admin_url))
    finally:
        with psycopg.connect(made.admin_url, autocommit=True) as admin:
            admin.execute(f"drop database {name} with (force)".encode())


def live_the_lost_day(made: Product) -> None:
    """Carry it out, and let the source count itself anew."""
    with psycopg.connect(made.source_admin_url) as source:
        documents = source.execute(
            "select distinct on (date_trunc('month', ngay_ghi_co)) so_chung_tu from tst.chung_tu "
            "order by date_trunc('month', ngay_ghi_co), so_chung_tu"
        ).fetchall()
        names = dict(zip(("paid", "copied"), (each for (each,) in documents), strict=False))
        for statement in LOST_DAY.split(";"):
            if statement.strip():
                assert source.execute(statement.encode(), names).rowcount != 0, statement
        tables.set_clock(source, datetime.now(UTC))
        source.execute("drop table tst.dong_ho")


def otherwise(made: Product) -> dict[str, list[Any]]:
    """Rows in force that are not the source's, or the other way round, by feed."""
    found = {}
    with (
        psycopg.connect(made.admin_url, options="-c timezone=UTC") as ours,
        psycopg.connect(made.source_admin_url, options="-c timezone=UTC") as source,
    ):
        for feed, (relation, columns) in TABLES.items():
            held = ours.execute(f"select {columns} from raw.{feed} where known_to is null".encode())
            there = source.execute(f"select {columns} from tst.{relation}".encode())
            if differing := {*held.fetchall()} ^ {*there.fetchall()}:
                found[feed] = sorted(map(str, differing))
    return found


def rows(made: Product, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(made.admin_url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_next_night_mends_what_is_gone_and_what_went_back(
    running: SandboxServer, made: Product, tmp_path: Path
) -> None:
    with backup(made) as restored:
        live_the_lost_day(made)
        assert not [s for r in extract_all(made.settings, FRIDAY) for s in r.stopped]
        assert otherwise(made) == {}
        assert set(otherwise(restored)) == {"payments", "allocations"}

        # The next night reads what changed since: nothing. The totals say that this is not all.
        restored.night(SATURDAY)
        mended = "select distinct feed from ops.control_total where status = 'mended' order by 1"
        assert rows(made, mended) == [("allocations",), ("payments",)]
        found = rows(made, "select feed, kind from ops.difference order by 1, 2")
        assert found == [("allocations", "changed"), ("payments", "changed"), ("payments", "gone")]
        # A line of a document that is gone is in no month and in no figure.
        assert {feed: len(each) for feed, each in otherwise(restored).items()} == {"allocations": 1}
        assert "MOI" in otherwise(restored)["allocations"][0]

        with product(running, "never_knew", tmp_path / "never") as never:
            settings = never.settings.model_copy(
                update={"source_url": restored.settings.source_url, "drop_url": str(made.drop)}
            )
            assert not [s for r in extract_all(settings, SATURDAY) for s in r.stopped]
            run_build(settings)
            assert rows(made, FIGURES) == rows(never, FIGURES) != []
