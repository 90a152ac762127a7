"""A release of a hand-made province, and facts that become known later, for every reason."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from chotso.progress import Progress
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.release.seal.parts import Parts
from chotso.settings import Settings
from tests.worlds import freeze_world
from tests.worlds.build_warehouse import Servers, new_warehouse
from tests.worlds.build_world import World, instant
from tests.worlds.freeze_world import CUTOFF, FEEDS, Extracted

PERIOD = "sprint-2021-q4"
SEALED, LATER, LATEST = "2021-12-31T17:00", "2022-01-05T01:00", "2022-01-06T01:00"


class Nights(World):
    """A world in which rows have the batch of their night."""

    def night(self, known: str, feeds: list[str]) -> None:
        self.known = instant(known)
        with psycopg.connect(self.admin.info.dsn, password=self.admin.info.password) as conn:
            for feed in feeds:
                self.batch_id = freeze_world.insert_batch(
                    conn, feed, self.known.date(), self.known, None
                )
                conn.execute(
                    "update ops.batch set landing_path = %s, published_at = known_at "
                    "where batch_id = %s",
                    [f"{feed}/{known}", self.batch_id],
                )

    def row(self, feed: str, **values: Any) -> None:
        super().row(feed, **({"batch_id": self.batch_id} | values))

    def ends(self, feed: str, **key: Any) -> None:
        self.supersede(feed, self.known.isoformat(), **key)

    def rewrite(self, code: str, *lines: tuple[str, int, int], **changes: Any) -> None:
        """Insert a new version of a document and its lines; lines not given are removed."""
        self.ends("payments", so_chung_tu=code)
        self.ends("allocations", so_chung_tu=code)
        self.payment(code, changes.pop("credited", "2021-12-10T10:00"), *lines, **changes)


@dataclass(frozen=True)
class Released:
    """A warehouse with a sealed release."""

    settings: Settings
    admin: psycopg.Connection
    world: Nights
    report: FreezeReport


def before_the_cutoff(world: Nights) -> None:
    december, november = "2021-12-10T10:00", "2021-11-10T10:00"
    world.night("2021-12-31T01:00", ["payments"])
    world.agency("072", parent=None, level=1)
    for code in ("07201", "07202"):
        world.agency(code)
    world.employer("TA0001A")
    world.payment("kept", december, ("BHYT", 1_000, 0), ("HTTT", 5, 0))
    world.payment("corrected", december, ("BHYT", 100, 0))
    world.payment("moved", december, ("BHYT", 200, 0))
    world.payment("voided", november, ("BHYT", 400, 0))
    world.payment("after", "2021-12-31T16:59", ("BHYT", 7, 0))
    world.spell("kept", "2021-01", None)
    world.spell("voided", "2021-10", None)
    world.account("TA0001A", "2021-12", ck_bhxh=1_000, ps_bh=5_000, stated="2021-12-30T01:00")
    world.account("TA0001A", "2021-11", ck_bhxh=10, ps_bh=4_000, stated="2021-12-01T01:00")
    world.plan("THU_BHYT", "2000")
    world.plan("NO_BHXH", "0.9")
    world.set_aside(
        "payments", {"so_chung_tu": "released", "ma_co_quan": "07201"},
        seen="2021-12-31T01:00", resolved=LATER, status="replayed",
    )  # fmt: skip


def after_the_cutoff(world: Nights) -> None:
    """One fact for each reason, and for each a fact that the cutoff excludes."""
    december = "2021-12-10T10:00"
    world.night(LATER, ["payments"])
    world.payment("late", "2021-12-31T16:59:59.999999", ("BHYT", 20, 0))
    world.payment("too late", "2021-12-31T17:00", ("BHYT", 1_000_000, 0))
    world.rewrite("corrected", ("BHYT", 130, 0))
    world.rewrite("moved", ("BHYT", 230, 0), agency="07202")
    world.rewrite("voided", ("BHYT", 400, 0), status="HUY", credited="2021-11-10T10:00")
    world.rewrite("after", ("BHYT", 7, 0), credited="2021-12-31T17:00")
    world.payment("released", december, ("BHYT", 3, 0))
    world.spell("late", "2021-11", None, recorded="2021-12-31T16:59")
    world.spell("too late", "2021-11", None, recorded="2021-12-31T17:00")
    world.ends("participations", ma_qua_trinh=2)
    world.spells = 1
    world.spell("voided", "2021-10", None, status="HUY")
    world.spells = 10
    world.ends("c12", madvi="TA0001A", thang=date(2021, 11, 1))
    world.account("TA0001A", "2021-11", ck_bhxh=10, ps_bh=4_100, stated="2022-01-04T01:00")
    world.account("TB0001B", "2021-12", ck_bhxh=50, ps_bh=60, stated="2022-01-04T01:00")
    world.plan("THU_BHYT", "3000", decision="2/QĐ", effective="2021-12-01")
    world.plan("THU_BHYT", "9000", decision="3/QĐ", effective="2022-01-01")


def many_late(world: Nights, count: int) -> None:
    """Many payments of one line each, recorded a week after they were credited."""
    world.night(LATEST, ["payments"])
    for number in range(count):
        world.payment(f"late-{number}", "2021-12-24T09:00", ("BHYT", 10 + number, 0))


def two_agencies(world: Nights, first: str, second: str) -> None:
    """Two agencies of a province with all that is judged; the first collected more."""
    world.night("2021-12-31T01:00", ["payments"])
    world.agency("072", parent=None, level=1)
    for code, collected in ((first, 900), (second, 800)):
        world.agency(code)
        world.employer(f"T{code}", code)
        world.payment(code, "2021-12-10T10:00", ("BHYT", collected, 0), agency=code)
        world.account(f"T{code}", "2021-12", code, "2021-12-30T01:00", ck_bhxh=1, ps_bh=1_000)
        world.plan("THU_TONG", "1000", target=code)
        world.plan("NO_TONG", "0.9", target=code)
        for measure in ("NGUOI_BHXH_BB", "NGUOI_BHXH_TN", "NGUOI_BHTN", "NGUOI_BHYT"):
            world.plan(measure, "10", target=code)


def parts() -> Parts:
    """The real build, with a final extract that finds nothing new, and a fixed clock."""

    def final_extract(
        settings: Settings,
        business_date: date,
        *,
        final_of: str,
        not_before: datetime | None,
        progress: Progress,
    ) -> Extracted:
        with freeze_world.connect(settings) as conn:
            batches = [
                freeze_world.insert_batch(conn, feed, business_date, CUTOFF, final_of)
                for feed in FEEDS
            ]
        return Extracted(CUTOFF, batches, [])

    return dataclasses.replace(
        Parts(),
        feeds=lambda: FEEDS,
        source_clock=lambda settings: CUTOFF,
        final_extract=final_extract,
    )


@contextmanager
def released(servers: Servers, folder: Path) -> Iterator[Released]:
    with new_warehouse(servers, folder) as made:
        settings = made.settings.model_copy(update={"releases_dir": folder / "releases"})
        with psycopg.connect(made.admin_url, autocommit=True) as admin:
            world = Nights(admin)
            before_the_cutoff(world)
            report = freeze(settings, PERIOD, parts=parts())
            yield Released(settings, admin, world, report)
