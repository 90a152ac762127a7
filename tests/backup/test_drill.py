"""The drill: a world's nights and sealed release, back on an empty machine, and point in time."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.backup import take
from chotso.backup.restore import Replay, restore
from chotso.migrate import migrate
from chotso.release.check.database import verify_with_database
from chotso.release.seal.freeze import freeze
from chotso.sandbox import server
from chotso.sandbox.server import SandboxServer
from chotso.settings import Places, Settings
from tests.backup.drill import content, moved, on, places, receiving
from tests.worlds.deep_world import SPRINT, Lived, live, made_again
from tests.worlds.product import product
from tests.worlds.sandbox_homes import new_home

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(1800)]

SEED = 2


@pytest.fixture(scope="module")
def lived(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with product(running, "drill", tmp_path_factory.mktemp("drill")) as made:
        yield live(made, SEED, rehearse=False)


@pytest.fixture(scope="module")
def settings(lived: Lived) -> Settings:
    return lived.warehouse.settings


def test_the_drill(
    running: SandboxServer, lived: Lived, settings: Settings, here: Places, to: Path
) -> None:
    taken = take.take(here, to)
    report = lived.releases["original"]
    with new_home() as home:
        empty = places(home)
        restore(empty, taken.backup)
        found = server.load(home)
        assert found is not None
        back = moved(settings, found, empty)
        assert content(back.admin_url or "") == content(settings.admin_url or "")
        assert migrate(back).rights_put_back == 0
        bundle = empty.releases_dir / SPRINT
        again = verify_with_database(back, bundle, report.root_sha256)
        assert (again.status, again.findings) == ("verified", [])
        deep = made_again(running, lived, report, home / "deep", Path(empty.landing_url))
        assert (deep.findings, deep.root_sha256) == ([], report.root_sha256)
        assert freeze(back, SPRINT).root_sha256 == report.root_sha256


def test_point_in_time(
    running: SandboxServer, here: Places, settings: Settings, tmp_path: Path
) -> None:
    wal = tmp_path / "wal 50% [a]"
    assert settings.admin_url is not None
    name = settings.admin_url.rsplit("/", 1)[1]
    with receiving(running.admin_url, wal):
        base = take.take(here, tmp_path / "to")
        with psycopg.connect(settings.admin_url, autocommit=True) as admin:
            admin.execute("create table public.fault (at timestamptz)")
            admin.execute("insert into public.fault select clock_timestamp()")
            row = admin.execute("select clock_timestamp() + '1 ms'").fetchone()
            admin.execute("select pg_sleep(0.01)")
            admin.execute("delete from public.fault")
            admin.execute("insert into public.fault select null")
    assert row is not None
    found = {}
    for kind, replay in (("no WAL", None), ("all", Replay(wal)), ("until", Replay(wal, row[0]))):
        with new_home() as home:
            restore(places(home), base.backup, replay=replay)
            back = server.load(home)
            assert back is not None
            with psycopg.connect(on(back.admin_url, name)) as connection:
                exists = connection.execute("select to_regclass('public.fault')").fetchone()
                found[kind] = (
                    exists != (None,)
                    and connection.execute("select at is not null from public.fault").fetchall()
                )
    assert found == {"no WAL": False, "all": [(False,)], "until": [(True,)]}
    with psycopg.connect(settings.admin_url, autocommit=True) as admin:
        admin.execute("drop table public.fault")
        admin.execute("select pg_drop_replication_slot('chotso_backup')")
