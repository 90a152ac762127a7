"""A hostile world with an archive as in real life; its releases are made again from this archive.

Between its nights, a row is waived and the others are replayed; a month is read again because a
change had no new instant; a delivered C12 is repeated with a newer instant; and the drop folder has
a file that is refused.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from chotso.errors import ChotsoError
from chotso.ingest import missing
from chotso.ingest.night import extract_all
from chotso.quarantine.close import close_missing
from chotso.quarantine.replay import replay
from chotso.quarantine.rows import rows_set_aside
from chotso.quarantine.waive import waive
from chotso.release.check.deep import Rebuilt, rebuild
from chotso.release.seal.checks import Override
from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.oracle.hostile.tst import CONTROL_TOTALS
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.worlds import World
from tests.worlds.product import SOURCE_LOGIN, Product, product

SPRINT = "sprint-2021-q4"
MAY_PASS = (
    "quarantined_money_below_limit",
    "no_blocking_rule_failed",
    "control_totals_equal",
    "everything_counts",
)
NAMES = ("Trần Thị Thử", "Lê Văn Mẫu")
SAID = {"reason": "Đã chuyển công tác", "by": NAMES[0]}
HIDDEN = """
update tst.chung_tu set so_tien = so_tien + 1
where so_chung_tu = (
    select so_chung_tu from tst.chung_tu where ngay_ghi_co < '2021-12-01'
    order by ngay_sua, so_chung_tu limit 1
)
"""
GONE = "delete from tst.can_bo where ma_can_bo = (select max(ma_can_bo) from tst.can_bo)"


@dataclass
class Lived:
    """A world after all its nights: its releases by kind, and the cases that occurred."""

    warehouse: Product
    releases: dict[str, FreezeReport] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    restated: str = ""


def live(warehouse: Product, seed: int, *, rehearse: bool) -> Lived:
    """Every night of a world, and the release at the cutoff."""
    lived = Lived(warehouse)
    world = World.create(
        warehouse.source_admin_url, warehouse.drop, seed, reader=SOURCE_LOGIN, plant_unknown=True
    )
    for number, _ in enumerate(world.nights):
        night = world.advance()
        if CUTOFF <= night.clock < CUTOFF + timedelta(minutes=1):
            lived.releases["original"] = sealed(
                lambda override: freeze(warehouse.settings, SPRINT, override=override), lived
            )
            continue
        extract_all(warehouse.settings, night.business_date)
        if number == 0:
            _disturb(lived, night.clock)
        if rehearse and number == 0:
            lived.releases["rehearsal"] = sealed(
                lambda override: freeze(
                    warehouse.settings, SPRINT, rehearse=True, override=override
                ),
                lived,
            )
    return lived


def correct(lived: Lived) -> FreezeReport:
    """The corrigendum with facts that became known in the nights after the cutoff."""
    settings = lived.warehouse.settings
    lived.releases["corrigendum"] = report = sealed(
        lambda override: corrigendum(
            settings, SPRINT, reason="Ghi nhận muộn", author=NAMES[0], override=override
        ),
        lived,
    )
    return report


def sealed(make: Callable[[Override | None], FreezeReport], lived: Lived) -> FreezeReport:
    """A release; checks that fail are overridden one by one."""
    override = None
    for _ in MAY_PASS:
        try:
            return make(override)
        except ChotsoError as error:
            unmet = next((each for each in MAY_PASS if f"{each}:" in str(error)), None)
            if unmet is None:
                raise
            lived.met.add(unmet)
            override = Override(unmet, "Đã báo cáo", *NAMES)
    return make(override)


def _disturb(lived: Lived, clock: datetime) -> None:
    """The events between two nights, each at its own instant."""
    made = lived.warehouse
    day = clock.date() - timedelta(days=1)
    lived.restated = _repeat_a_statement(made.drop, clock)
    (made.drop / "C12_202111_20211201T000000.csv").write_bytes(b"\0\0")
    with psycopg.connect(made.source_admin_url) as source:
        assert source.execute(HIDDEN).rowcount == 1
        assert source.execute(GONE).rowcount == 1
        source.execute("delete from tst.doi_soat")
        source.execute(CONTROL_TOTALS, (clock,))
        source.execute("update tst.dong_ho set bay_gio = %s", [clock + timedelta(hours=3)])
    extract_all(made.settings, day)
    with connect(made.settings) as conn:
        aside = rows_set_aside(conn)
        found = conn.execute("select distinct read_mode from ops.batch where status = 'published'")
        lived.met |= {row[0] for row in found} | {row.feed for row in aside}
        gone = missing.listing(conn, ["officers"])
    close_missing(made.settings, "officers", [r.row_key for r in gone], **SAID)
    lived.met |= {row.feed for row in gone}
    for feed in sorted({row.feed for row in aside}):
        row = next(each for each in aside if each.feed == feed)
        waive(made.settings, row.id, reason="Đã xem, không tính", by=NAMES[0])
    with psycopg.connect(made.source_admin_url) as source:
        source.execute("update tst.dong_ho set bay_gio = %s", [clock + timedelta(hours=4)])
    replay(made.settings)
    with connect(made.settings) as conn:
        found = conn.execute("select distinct read_mode from ops.batch where status = 'published'")
        lived.met |= {row[0] for row in found}


def _repeat_a_statement(drop: Path, clock: datetime) -> str:
    """Deliver the newest export of accounts again, with a newer instant; returns its new name."""
    paths = [p for p in drop.glob("C12_*") if p.suffix in (".csv", ".xlsx")]
    path = max(paths, key=lambda p: (p.stem.split("_")[2], p.name))
    parts = path.stem.split("_")
    parts[2] = f"{clock + timedelta(hours=2):%Y%m%dT%H%M%S}"
    name = "_".join(parts) + path.suffix
    for extra in ("", ".sha256", ".count"):
        if (beside := path.with_name(path.name + extra)).exists():
            shutil.copyfile(beside, drop / f"{name}{extra}")
    return name


def made_again(
    running: SandboxServer,
    lived: Lived,
    report: FreezeReport,
    place: Path,
    landing: Path | None = None,
) -> Rebuilt:
    """The release made again in a new database, only from the archive."""
    with product(running, "made_again", place / "empty") as empty:
        assert empty.settings.pseudonym_key_file is not None
        empty.settings.pseudonym_key_file.unlink()  # landed files need no key
        archive = str(landing or lived.warehouse.settings.landing_url)
        return rebuild(empty.settings, report.bundle, archive, place / "again")


def folders(landing: Path, feed: str) -> Iterator[Path]:
    """The landed folders of a feed, oldest first."""
    return (path.parent for path in sorted(landing.glob(f"{feed}/*/*/manifest.json")))
