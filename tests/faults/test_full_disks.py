"""No room left, in the archive or at the server: a clear message, and nothing lost afterwards."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg import sql

from chotso.sandbox import server
from chotso.settings import Settings
from tests.faults.cloning import execute
from tests.faults.killing import STOPPED, once_at
from tests.faults.small_disk import filled, limit_files, small_disk
from tests.faults.tally import Tally
from tests.faults.world import World, group_at
from tests.proofs import size

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]

_KIND = "disks full"
_ARCHIVE_MIB, _SERVER_MIB = 32, 128
# The night's growth at the server, measured; a run that is left more room than this needs none.
_NEEDED = 1_500_000


def test_the_archive_is_full(small_world: World, tally: Tally) -> None:
    rng = Random(31)
    with _on_a_small_disk(small_world) as (settings, disk):
        needed = _growth(small_world)
        for _ in range(size(2, 8)):
            with filled(disk, leaving=rng.randrange(0, needed)):
                code, told = small_world.run(settings)
                assert code == STOPPED, told
                assert "No space left on device" in told
                assert "Next: make room on that disk" in told
            tally.struck(_KIND)
        tally.judge(small_world.finish(settings))


def test_no_file_may_grow(small_world: World, tally: Tally) -> None:
    """What a quota does; it needs no right to mount anything."""
    rng = Random(32)
    points = [p for p in small_world.points if p.startswith("landing.")]
    with small_world.copy() as settings:
        for _ in range(size(1, 4)):
            point = rng.choice(points)
            largest = rng.randrange(16, 1_000)
            fault = once_at(point, 1, partial(limit_files, largest))
            code, told = small_world.run(settings, at=fault, group=group_at(point))
            assert code == STOPPED, told
            assert "File too large" in told
            assert "Next: make room on that disk" in told
            tally.struck(_KIND, point)
        tally.judge(small_world.finish(settings))


def test_the_server_is_full(small_world: World, tally: Tally) -> None:
    rng = Random(33)
    with _small_tablespace(small_world) as disk:
        for _ in range(size(2, 8)):
            room = int(_NEEDED * rng.random() ** 2)
            while not _is_stopped(small_world, tally, disk, room):
                room //= 2  # this much was enough


def _is_stopped(small_world: World, tally: Tally, disk: Path, room: int) -> bool:
    """Run a night with so little room at the server; whether that stopped it."""
    with small_world.copy(tablespace="small") as settings:
        with filled(disk, leaving=room):
            code, told = small_world.run(settings)
            if code == 0:
                return False
            assert code == STOPPED, told
            # said of a file that could not grow at all, or only by half a page
            assert re.search("No space left on device|wrote only", told), told
            assert "make room on the server's disk" in told
        tally.struck(_KIND)
        tally.judge(small_world.finish(settings))
    return True


def test_the_naive_twin_counts_half_a_file(small_world: World, tmp_path: Path) -> None:
    """A loader that takes what stands in its folder, and no manifest's word for it."""
    with small_world.copy() as settings, psycopg.connect(settings.source_url) as source:
        rows = source.execute("select so_chung_tu from tst.chung_tu").fetchall()
    with small_disk(tmp_path / "disk", 1) as is_mounted:
        if not is_mounted:
            pytest.skip("mounting a small disk is not allowed here")
        archived = tmp_path / "disk" / "payments.csv"
        with filled(tmp_path / "disk", leaving=4096), suppress(OSError):  # what is there is there
            archived.write_text("".join(f"{row[0]}\n" for row in rows), encoding="utf-8")
        loaded = archived.read_text(encoding="utf-8").splitlines()
    assert 0 < len(loaded) < len(rows)


@contextmanager
def _on_a_small_disk(world: World) -> Iterator[tuple[Settings, Path]]:
    """A case whose landing archive is on a disk of its own."""
    disk = world.folder / "small"
    with ExitStack() as stack:
        if not stack.enter_context(small_disk(disk, _ARCHIVE_MIB)):
            pytest.skip("mounting a small disk is not allowed here")
        settings = stack.enter_context(world.copy())
        landing = disk / "landing"
        shutil.copytree(settings.landing_url, landing)
        yield settings.model_copy(update={"landing_url": str(landing)}), disk


def _growth(world: World) -> int:
    """Bytes that the night adds to the archive."""
    with world.copy() as settings:
        before = _bytes_in(Path(settings.landing_url))
        assert world.run(settings)[0] == 0
        return _bytes_in(Path(settings.landing_url)) - before


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def _small_tablespace(world: World) -> Iterator[Path]:
    """A tablespace `small` on a disk of its own."""
    disk = world.home.parent / "small"  # beside the home, where the server's account may go
    found = server.load(world.home)
    assert found is not None
    with small_disk(disk, _SERVER_MIB) as is_mounted:
        if not is_mounted:
            pytest.skip("mounting a small disk is not allowed here")
        place = disk / "tablespace"
        place.mkdir()
        owner = found.data_dir.stat()
        shutil.chown(place, owner.st_uid, owner.st_gid)
        admin_url = world.product.admin_url
        execute(
            admin_url,
            sql.SQL("create tablespace small location {}").format(sql.Literal(str(place))),
        )
        try:
            yield disk
        finally:
            execute(admin_url, sql.SQL("drop tablespace small").format())
