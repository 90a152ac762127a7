"""`make growth`: four hundred nights of a small province, and how large everything is on the way.

The synthetic province lives for half a year. From then on, documents are copied, corrected and
voided, and spells end and begin, the same number each night. Measured are the size and rows of each
table, the size of each folder, and the seconds of a night. The exit status is 1 if something that
holds only today's state grew with the nights.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import psycopg
from rich.console import Console
from rich.table import Table

from bench.home import new_home
from chotso.build.compare import build_for_readers
from chotso.calendar import LOCAL_ZONE
from chotso.ingest.night import extract_all
from chotso.migrate import migrate
from chotso.sandbox import province, server
from chotso.sandbox.province import tables
from chotso.settings import Settings, load_settings

NIGHTS = 400
FIRST_NIGHT = date(2021, 10, 1)
LAST_OF_PROVINCE = date(2022, 3, 30)
MEASURED_EVERY = 20
SIZES = {"persons": 2_000, "employers": 40}
CHANGES = {"documents": 20, "corrected": 5, "voided": 2, "spells": 8}
# These schemas hold only today's state: the bytes of a row must not grow with the nights.
BOUNDED = ("marts_build", "marts_store", "pg_catalog", "landing")
MOST_GROWTH = 1.5

_LIFE = (
    """
    create temporary table chosen on commit drop as
    select so_chung_tu as old, format('G%%s-%%s', %(night)s, row_number() over ()) as new
    from (
        select so_chung_tu from tst.chung_tu
        where trang_thai = 'HIEU_LUC' and so_chung_tu not like 'G%%'
        order by md5(so_chung_tu || %(night)s) limit %(documents)s
    ) as picked
    """,
    """
    insert into tst.chung_tu
    select new, ma_don_vi, ma_co_quan, hinh_thuc, %(at)s, so_tien, trang_thai, %(at)s, %(at)s
    from chosen inner join tst.chung_tu on so_chung_tu = old
    """,
    """
    insert into tst.phan_bo
    select new, so_dong, quy, %(month)s, tien_goc, tien_lai, %(at)s
    from chosen inner join tst.phan_bo on so_chung_tu = old
    """,
    """
    with corrected as (
        update tst.chung_tu set so_tien = so_tien + 1000, ngay_sua = %(at)s
        where so_chung_tu in (
            select so_chung_tu from tst.chung_tu
            where so_chung_tu like 'G%%' and trang_thai = 'HIEU_LUC' and ngay_sua < %(at)s
            order by md5(so_chung_tu || %(night)s) limit %(corrected)s
        )
        returning so_chung_tu
    )

    update tst.phan_bo set tien_goc = tien_goc + 1000, ngay_sua = %(at)s
    from corrected
    where phan_bo.so_chung_tu = corrected.so_chung_tu and so_dong = (
        select min(so_dong) from tst.phan_bo as first
        where first.so_chung_tu = corrected.so_chung_tu
    )
    """,
    """
    update tst.chung_tu set trang_thai = 'HUY', ngay_sua = %(at)s
    where so_chung_tu in (
        select so_chung_tu from tst.chung_tu
        where so_chung_tu like 'G%%' and trang_thai = 'HIEU_LUC' and ngay_sua < %(at)s
        order by md5(so_chung_tu || 'void' || %(night)s) limit %(voided)s
    )
    """,
    """
    with ended as (
        update tst.tham_gia set den_thang = %(month_before)s, ngay_sua = %(at)s
        where ma_qua_trinh in (
            select ma_qua_trinh from tst.tham_gia
            where den_thang is null and trang_thai = 'HIEU_LUC' and tu_thang < %(month_before)s
            order by md5(ma_qua_trinh || '-' || %(night)s) limit %(spells)s
        )
        returning *
    )

    insert into tst.tham_gia
    select
        (select max(ma_qua_trinh) from tst.tham_gia) + row_number() over (),
        ma_so_bhxh, ho_ten, ngay_sinh, gioi_tinh, loai, nhom_bhyt, ma_don_vi, ma_co_quan,
        %(month)s, null, trang_thai, %(at)s, %(at)s
    from ended
    """,
)
_TABLES = """
select
    schema.nspname || '.' || class.relname as name,
    pg_total_relation_size(class.oid) as bytes,
    greatest(pg_stat_get_live_tuples(class.oid), 0) as rows
from pg_class as class
inner join pg_namespace as schema on schema.oid = class.relnamespace
where class.relkind = 'r' and not class.relisshared
    and schema.nspname not in ('information_schema', 'pg_toast')
"""


@dataclass(frozen=True)
class Point:
    """How large everything is after some nights.

    Attributes:
        nights: How many nights there were.
        night_seconds: The median of the nights since the point before.
        tables: Bytes and live rows by table.
        folders: Bytes by folder of `$CHOTSO_HOME`.
    """

    nights: int
    night_seconds: float
    tables: dict[str, tuple[int, int]]
    folders: dict[str, int]


def main() -> None:
    """Run the nights, write the points as JSON, and tell the growth."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--nights", type=int, default=NIGHTS)
    parser.add_argument("--into", type=Path, default=Path("docs/growth.json"))
    wanted = parser.parse_args()
    with _home() as settings:
        points = list(_nights(settings, wanted.nights))
    wanted.into.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n")
    raise SystemExit(_tell(points))


@contextmanager
def _home() -> Iterator[Settings]:
    home = new_home("growth")
    running = server.start(home)
    try:
        settings = load_settings()
        migrate(settings)
        province.seed(
            running.source_admin_url, home / "drop", **SIZES, year=FIRST_NIGHT.year, seed=7,
            defects="none", state_dir=home / "sandbox", progress=_silent,
        )  # fmt: skip
        yield settings
    finally:
        server.stop(home)


def _silent(_: str) -> None:
    """Report progress to nobody."""


def _nights(settings: Settings, nights: int) -> Iterator[Point]:
    seconds: list[float] = []
    for number in range(1, nights + 1):
        night = FIRST_NIGHT + timedelta(days=number - 1)
        _live(settings, night)
        started = time.monotonic()
        reports = extract_all(settings, night)
        stopped = [text for report in reports for text in report.stopped]
        if stopped:
            raise SystemExit(f"the night of {night} was stopped: {'; '.join(stopped)}")
        build_for_readers(settings, night)
        seconds.append(time.monotonic() - started)
        if number % MEASURED_EVERY == 0 or number == nights:
            yield _point(settings, number, median(seconds))
            seconds.clear()


def _live(settings: Settings, night: date) -> None:
    """Let the source live until an hour after midnight of this date."""
    running = server.load(settings.home)
    assert running is not None
    clock = datetime(night.year, night.month, night.day, 1, tzinfo=LOCAL_ZONE) + timedelta(days=1)
    if night <= LAST_OF_PROVINCE:
        province.advance(
            running.source_admin_url, settings.home / "drop", to=clock,
            state_dir=settings.home / "sandbox", progress=_silent,
        )  # fmt: skip
        return
    month = night.replace(day=1)
    values = {
        **CHANGES,
        "night": f"{night:%Y%m%d}",
        "at": clock - timedelta(hours=14),
        "month": month,
        "month_before": (month - timedelta(days=1)).replace(day=1),
    }
    with psycopg.connect(running.source_admin_url) as source:
        for statement in _LIFE:
            source.execute(statement.encode(), values)
        tables.set_clock(source, clock)


def _point(settings: Settings, nights: int, seconds: float) -> Point:
    assert settings.admin_url is not None
    with psycopg.connect(settings.admin_url) as admin:
        found = {name: (size, rows) for name, size, rows in admin.execute(_TABLES.encode())}
    folders = {
        folder.name: sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
        for folder in settings.home.iterdir()
        if folder.is_dir() and folder.name != "postgres"
    }
    now = datetime.now(UTC).astimezone(LOCAL_ZONE)
    Console().print(f"{now:%H:%M} night {nights}: {seconds:.1f} s", highlight=False)
    return Point(nights, round(seconds, 1), found, folders)


def _tell(points: list[Point]) -> int:
    """Print what grew, by schema and folder; 1 if something that must not grow did."""
    middle, last = points[len(points) // 2 - 1], points[-1]
    shown = Table("what", f"MB after {middle.nights}", f"after {last.nights}", "growth", "a row's")
    failed = 0
    for schema in sorted({name.split(".")[0] for name in last.tables}):
        (bytes_then, rows_then), (bytes_now, rows_now) = (
            _sum(point, schema) for point in (middle, last)
        )
        a_row = bytes_now / max(rows_now, 1) / (bytes_then / max(rows_then, 1) or 1)
        is_bad = schema in BOUNDED and a_row > MOST_GROWTH
        failed |= is_bad
        shown.add_row(schema, *_megabytes(bytes_then, bytes_now), f"{a_row:.2f}{'!' * is_bad}")
    for folder in sorted(last.folders):
        sizes = middle.folders.get(folder, 0), last.folders[folder]
        shown.add_row(f"{folder}/", *_megabytes(*sizes), "")
    Console().print(shown)
    first = points[0]
    Console().print(f"a night: {first.night_seconds} s at first, {last.night_seconds} s at last")
    return failed


def _sum(point: Point, schema: str) -> tuple[int, int]:
    found = [size for name, size in point.tables.items() if name.startswith(f"{schema}.")]
    return sum(size for size, _ in found), sum(rows for _, rows in found)


def _megabytes(then: int, now: int) -> tuple[str, str, str]:
    return f"{then / 2**20:.1f}", f"{now / 2**20:.1f}", f"{now / max(then, 1):.2f}"


if __name__ == "__main__":
    main()
