"""A backup holds what it should and nothing else, and comes back on an empty machine."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from chotso.backup import manifest, objects, programs, take
from chotso.backup.restore import check, restore
from chotso.backup.take import Taken
from chotso.cli import app as command
from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.release.check.database import verify_with_database
from chotso.release.seal.readiness import freeze_obstacles
from chotso.sandbox import server
from chotso.sandbox.server import SandboxServer
from chotso.settings import Places, Settings
from tests.backup.drill import content, moved, places
from tests.worlds import freeze_world as world
from tests.worlds.product import Product, product
from tests.worlds.sandbox_homes import new_home

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

SPRINT, _ = world.PERIODS


@pytest.fixture(scope="module")
def made(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A warehouse with a night and a sealed release."""
    with product(running, "backup", tmp_path_factory.mktemp("backup")) as made:
        world.prepare(made.settings, made.source_admin_url)
        world.seal(made.settings)
        yield made


@pytest.fixture(scope="module")
def settings(made: Product) -> Settings:
    landing = Path(made.settings.landing_url)
    for name in ("payments/2021-12-30/b1/data.parquet", "originals/ab/C12.xlsx", "acts/d/a.json"):
        (landing / name).parent.mkdir(parents=True)
        (landing / name).write_bytes(name.encode())
    return made.settings


@pytest.fixture(scope="module")
def taken(here: Places, to: Path) -> Taken:
    return take.take(here, to)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for PostgreSQL's programs, where a test is about files alone."""

    def run(name: str, _: int, *how: str, **__: Any) -> None:
        if name == "pg_basebackup":
            folder = Path(how[-1].removeprefix("--pgdata="))
            (folder / "pg_wal").mkdir(parents=True)
            (folder / "backup_manifest").write_bytes(b"{}")

    monkeypatch.setattr(programs, "run", run)


def test_what_was_backed_up_comes_back(settings: Settings, taken: Taken) -> None:
    with new_home() as home:
        empty = places(home)

        done = restore(empty, taken.backup)

        found = server.load(home)
        assert found is not None
        assert (done.is_running, done.database) == (True, found.data_dir)
        assert taken.server_bytes > 10_000_000
        back = moved(settings, found, empty)
        assert back.admin_url is not None
        assert settings.admin_url is not None
        assert content(back.admin_url) == content(settings.admin_url)
        assert migrate(back).rights_put_back == 0, "a base backup holds roles and rights"
        assert freeze_obstacles(back) == []
        root = hashlib.sha256((empty.releases_dir / SPRINT / "manifest.json").read_bytes())
        again = verify_with_database(back, empty.releases_dir / SPRINT, root.hexdigest())
        assert (again.status, again.findings) == ("verified", [])
        assert (Path(empty.landing_url) / "originals").stat().st_mode & 0o777 == 0o700
        with pytest.raises(ChotsoError, match="has an embedded server already"):
            restore(empty, taken.backup)


def test_neither_the_key_nor_a_password_stands_in_it(
    running: SandboxServer, settings: Settings, taken: Taken, to: Path
) -> None:
    urls = (running.admin_url, running.warehouse_url, running.airflow_url, running.source_url)
    secrets = [url.split("@")[0].rsplit(":", 1)[1].encode() for url in urls]
    secrets.append(settings.pseudonym_key())
    files = [path for path in to.rglob("*") if path.is_file()]
    assert len(files) > 1000
    for path in files:
        text = path.read_bytes()
        assert not [secret for secret in secrets if secret in text], path
    assert to.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("quickly")
def test_a_second_backup_copies_what_is_new(
    here: Places, settings: Settings, taken: Taken, to: Path
) -> None:
    Path(settings.landing_url, "acts/2099-01-01").mkdir(parents=True)
    new = Path(settings.landing_url, "acts/2099-01-01/new.json")
    new.write_bytes(b"{}")
    try:
        second = take.take(here, to)
    finally:
        shutil.rmtree(new.parent)
    assert (second.new_bytes, second.files) == (2, taken.files + 1)
    assert manifest.complete_in(to) == [taken.backup, second.backup]
    check(taken.backup)
    shutil.rmtree(second.backup)


def test_a_changed_file_harms_no_earlier_backup(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a").write_bytes(b"true")
    place = tmp_path / "objects"
    place.mkdir()
    first, _ = objects.keep(str(folder), place, {})
    (folder / "a").write_bytes(b"lied")
    (folder / "b.part").write_bytes(b"half")
    second, read = objects.keep(str(folder), place, {file.path: file for file in first})
    assert read == 4, "the naive twin, by name and size, copies nothing"
    assert [file.path for file in second] == ["a"]
    assert objects.damaged([*first, *second], place) == []
    with pytest.raises(ChotsoError, match="1 files stand where the backup has others"):
        objects.put_back(first, place, str(folder))
    assert objects.put_back(first, place, str(tmp_path / "back")) == 1
    assert (tmp_path / "back/a").read_bytes() == b"true"


@pytest.mark.usefixtures("quickly")
def test_an_interrupted_backup_counts_for_nothing(
    here: Places, settings: Settings, taken: Taken, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = objects.keep

    def full(url: str, *rest: Any) -> Any:
        if url == settings.landing_url:
            raise OSError(28, "No space left on device", str(to))
        return honest(url, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(objects, "keep", full)
        with pytest.raises(ChotsoError, match="cannot be written: No space left"):
            take.take(here, to)
    (draft,) = to.glob(".draft-*")
    assert (draft / "database/backup_manifest").exists()
    assert manifest.complete_in(to) == [taken.backup]
    with pytest.raises(ChotsoError, match="is no complete backup"):
        check(draft)
    second = take.take(here, to)
    assert not list(to.glob(".draft-*"))
    shutil.rmtree(second.backup)


@pytest.mark.usefixtures("quickly")
def test_old_backups_go_and_what_others_need_stays(
    here: Places, taken: Taken, tmp_path: Path
) -> None:
    to = tmp_path / "to"
    archive = tmp_path / "archive"
    archive.mkdir()
    mine = here.model_copy(
        update={"landing_url": str(archive), "releases_dir": tmp_path / "releases"}
    )
    (archive / "a").write_bytes(b"same")
    (archive / "b").write_bytes(b"former")
    first = take.take(mine, to)
    (archive / "b").write_bytes(b"newer")
    time.sleep(1.1)  # a backup's name has whole seconds
    second = take.take(mine, to, keep=1)
    assert manifest.complete_in(to) == [second.backup] != [first.backup]
    assert sorted(path.read_bytes() for path in to.glob("objects/*/*")) == [b"newer", b"same"]


@pytest.mark.parametrize("part", ["data", "wal", "proof", "object"])
def test_a_damaged_backup_is_refused_and_nothing_is_written(
    taken: Taken, to: Path, tmp_path: Path, part: str
) -> None:
    database = taken.backup / "database"
    (path, *_) = {
        "data": lambda: [p for p in database.glob("base/*/*") if p.stat().st_size >= 8192],
        "wal": lambda: sorted(database.glob("pg_wal/0*")),
        "proof": lambda: [database / "backup_manifest"],
        "object": lambda: sorted(to.glob("objects/*/*")),
    }[part]()
    sound = path.read_bytes()
    path.write_bytes(sound[:100] + bytes([sound[100] ^ 1]) + sound[101:])
    try:
        with pytest.raises(ChotsoError):
            restore(places(tmp_path / "home"), taken.backup)
        assert not (tmp_path / "home").exists()
    finally:
        path.write_bytes(sound)
    check(taken.backup)


def test_wrong_places_and_logins_are_refused(
    here: Places, settings: Settings, tmp_path: Path
) -> None:
    def refused(to: Path, **changed: object) -> str:
        with pytest.raises(ChotsoError) as told:
            take.take(here.model_copy(update=changed), to)
        assert not (tmp_path / "to").exists()
        return str(told.value)

    landing = Path(settings.landing_url)
    assert "which is backed up" in refused(landing / "backups")
    key = landing / "pseudonym.key"
    assert "it would stand with the backup" in refused(tmp_path / "to", pseudonym_key_file=key)
    assert "CHOTSO_BACKUP_URL is not set" in refused(tmp_path / "to", backup_url=None)
    assert "REPLICATION" in refused(tmp_path / "to", backup_url=settings.warehouse_url)


def test_a_login_that_may_replicate_and_nothing_else_is_enough(
    running: SandboxServer, here: Places, taken: Taken, to: Path
) -> None:
    with psycopg.connect(running.admin_url, autocommit=True) as admin:
        admin.execute("create role chotso_backup login replication password 'b#/@%'")
        try:
            url = running.admin_url.split("@")[1]
            login = f"postgresql://chotso_backup:b%23%2F%40%25@{url}"
            second = take.take(here.model_copy(update={"backup_url": login}), to)
        finally:
            admin.execute("drop role chotso_backup")
    shutil.rmtree(second.backup)


def test_a_server_of_ones_own(taken: Taken, tmp_path: Path) -> None:
    """The data directory is put where it is asked for; who starts it is its owner."""
    own = places(tmp_path / "home").model_copy(update={"embedded": False})
    with pytest.raises(ChotsoError, match="no data directory was named"):
        restore(own, taken.backup)
    data = tmp_path / "data"
    done = restore(own, taken.backup, database=data)
    assert (done.is_running, data.stat().st_mode & 0o777) == (False, 0o700)
    assert (data / "backup_label").exists()
    with pytest.raises(ChotsoError, match="is not empty"):
        restore(own, taken.backup, database=data)


def test_the_commands(here: Places, taken: Taken, tmp_path: Path) -> None:
    run = CliRunner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chotso.cli.backup.load_places", lambda: here)
        told = run.invoke(command.app, ["restore", str(taken.backup), "--check"])
        assert (told.exit_code, told.output.count("is whole")) == (0, 1), told.output
        patch.setattr(programs, "run", lambda *_, **__: None)
        failed = run.invoke(command.app, ["backup", "--to", str(tmp_path / "to"), "--json"])
        assert failed.exit_code == 1
    for wrong in (["--until", "2021-12-31"], ["--check", "--wal", "x"]):
        assert run.invoke(command.app, ["restore", str(taken.backup), *wrong]).exit_code == 2
