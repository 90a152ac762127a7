"""500 known numbers and names at the source appear in no byte that the system writes."""

import hmac
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.canaries import naive, planted, scan
from tests.canaries.scene import Scene, made, play
from tests.proofs import record

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Played:
    """A scene after its last command, and how many rows at the source carry a canary."""

    scene: Scene
    rows: int


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with made(tmp_path_factory.mktemp("canaries")) as scene:
        rows = play(scene)
        with psycopg.connect(scene.warehouse.admin_url, autocommit=True) as conn:
            conn.execute("checkpoint")
        yield Played(scene, rows)


def test_the_scene_did_what_it_should(played: Played) -> None:
    """Or the scans below would find nothing because nothing happened."""
    assert played.rows == planted.PERSONS
    told = "\n".join(played.scene.outputs.values())
    # The order of words differs by command; these are the things that must have happened.
    for word in ("blocked", "refused", "does not answer", "set aside"):
        assert word in told, f"no command said {word!r}:\n{told}"
    with psycopg.connect(played.scene.warehouse.admin_url) as conn:
        known = {row[0] for row in conn.execute("select person_pseudonym from raw.participations")}
        aside = conn.execute(
            "select count(*) from quarantine.row where feed = 'participations'"
        ).fetchone()
    key = (played.scene.folder / "pseudonym.key").read_bytes()
    here = {hmac.digest(key, p.number.encode(), "sha256").hex() for p in planted.persons()}
    assert len(known & here) > planted.PERSONS // 2
    assert aside is not None
    assert aside[0] > 50


def test_no_table_shows_a_canary(played: Played) -> None:
    told, tables, rows = scan.found_in_tables(played.scene.warehouse.admin_url)
    assert not told, "\n".join(told[:20])
    assert tables > 40
    record("Canaries: tables", tables=tables, rows=rows, found=len(told))


def test_no_file_of_the_archive_the_releases_or_the_logs_shows_a_canary(played: Played) -> None:
    originals = played.scene.home / "landing" / "originals"
    told, files, size = scan.found_in_folder(played.scene.home, but_not=originals)
    for folder in ("user", "tmp"):
        more, here, bytes_here = scan.found_in_folder(played.scene.folder / folder)
        told, files, size = told + more, files + here, size + bytes_here
    assert not told, "\n".join(told[:20])
    assert files > 50
    record("Canaries: files", files=files, bytes=size, found=len(told))


def test_nothing_that_a_command_said_shows_a_canary(played: Played) -> None:
    told = [
        line
        for name, text in played.scene.outputs.items()
        for line in scan.found_in(text.encode(), name)
    ]
    assert not told, "\n".join(told[:20])
    record("Canaries: commands", commands=len(played.scene.outputs), found=len(told))


def test_no_byte_of_the_warehouse_server_shows_a_canary(played: Played) -> None:
    """Data files, write-ahead log and server log of the warehouse; the source has its own."""
    server = played.scene.warehouse
    told, files, size = scan.found_in_folder(Path(server.data_dir))
    told += scan.found_in_file(Path(server.log_file))
    assert not told, "\n".join(told[:20])
    assert size > 10_000_000
    record("Canaries: server", files=files, bytes=size, found=len(told))


def test_originals_are_for_their_owner_only(played: Played) -> None:
    """They hold the contacts as delivered, so they are the one place that is closed instead."""
    originals = played.scene.home / "landing" / "originals"
    told, files, _ = scan.found_in_folder(originals)
    assert told, "the delivered files hold canaries: the scan must see them"
    assert files > 3
    assert stat.S_IMODE(originals.stat().st_mode) == 0o700


def test_the_scan_finds_every_form(tmp_path: Path) -> None:
    """Each canary, in each encoding and packing, is found: so the scans above can fail."""
    for person in planted.persons():
        for value in (person.number, person.name, person.birth):
            for encoding in ("utf-8", "utf-16-le"):
                spaced = value.replace(f"{planted.NUMBER_MARK} ", planted.NUMBER_MARK)
                raw = spaced.encode(encoding)
                assert scan.found_in(raw, "raw"), value
                assert scan.found_in(raw.hex().encode(), "hex"), value
    row = planted.account("TA0001A", 1)
    planted.write_workbook(tmp_path / "a.xlsx", "08/2021", [row], "07201")
    assert scan.found_in_file(tmp_path / "a.xlsx")


def test_the_naive_twin_that_masks_later_is_caught(played: Played) -> None:
    """A table that a dump shows clean, and data files that do not."""
    server = played.scene.source  # its own data files hold canaries: look at the twin's alone
    naive.land_then_mask(server.source_admin_url, planted.persons())
    with psycopg.connect(server.source_admin_url) as conn:
        dump = str(conn.execute("select * from public.naive_spell").fetchall())
        path = conn.execute("select pg_relation_filepath('public.naive_spell')").fetchone()
    assert not scan.found_in(dump.encode(), "dump")
    assert path is not None
    assert scan.found_in_file(Path(server.data_dir) / path[0])


def test_a_plain_hash_is_undone_by_trying(played: Played) -> None:
    """10⁵ tries around a known number name the persons; against the keyed one they name none."""
    numbers = [p.number for p in planted.persons() if p.number.isdigit() and len(p.number) == 10]
    plain = {naive.plain_hash(number) for number in numbers}
    assert set(naive.undone(plain, numbers[0], 100_000).values()) >= set(numbers)
    with psycopg.connect(played.scene.warehouse.admin_url) as conn:
        kept = {row[0] for row in conn.execute("select person_pseudonym from raw.participations")}
    assert not naive.undone(kept, numbers[0], 100_000)
