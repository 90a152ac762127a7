"""A source that is a standby knows what it has replayed, whatever its clock shows."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.release.seal.freeze import freeze
from chotso.release.seal.parts import CATCH_UP_S, PeriodToFreeze, _caught_up
from chotso.sandbox import place, processes
from chotso.sandbox.account import account_for, run_as
from chotso.sandbox.launch import wait_ready
from chotso.sandbox.port import choose_port
from chotso.sandbox.server import SandboxServer
from chotso.source.database import open_snapshot
from tests.worlds.freeze_world import PARTS, PERIODS, count
from tests.worlds.own_server import own_server
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = pytest.mark.warehouse


@dataclass(frozen=True)
class Standby:
    """A standby of the products' server, and the product as it reads from it."""

    made: Product
    admin_url: str

    def primary(self, statement: str) -> datetime:
        """Commit on the primary; the instant after that."""
        with psycopg.connect(self.made.source_admin_url) as conn:
            conn.execute(statement.encode())
        return datetime.now(UTC)

    def does(self, statement: str) -> object:
        with psycopg.connect(self.admin_url, autocommit=True) as conn:
            row = conn.execute(statement.encode()).fetchone()
        return row[0] if row else None

    def catch_up(self) -> None:
        self.does("select pg_wal_replay_resume()")
        with psycopg.connect(self.made.source_admin_url, autocommit=True) as conn:
            row = conn.execute("select pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        behind = f"select pg_last_wal_replay_lsn() >= '{row[0]}'"
        assert processes.wait_until(lambda: self.does(behind) is True, 60, pause=0.1)


def at(url: str, port: int, database: str | None = None) -> str:
    parts = urlsplit(url)
    name = parts.netloc.rsplit(":", 1)[0]
    return urlunsplit(parts._replace(netloc=f"{name}:{port}", path=database or parts.path))


@contextmanager
def standby_of(running: SandboxServer, home: Path) -> Iterator[int]:
    """A hot standby on 127.0.0.1; its port."""
    account = account_for(home, running.data_dir)
    programs = place.programs(home, account)
    data_dir = running.data_dir.with_name("standby")
    data_dir.mkdir(mode=0o700)
    for path in (data_dir, running.data_dir / place.MARKER):  # a base backup reads every file
        if account.is_other:
            os.chown(path, account.uid, account.gid)
    port = choose_port(home)
    copied = run_as(
        account,
        [str(programs / "pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast",
         "--wal-method=stream", f"--pgdata={data_dir}", f"--dbname={running.admin_url}"],
    )  # fmt: skip
    assert copied.returncode == 0, copied.stderr
    log = data_dir.with_suffix(".log").open("ab")
    started = run_as(
        account,
        ["/bin/sh", "-c", '"$@" >&2 </dev/null & echo $!', "sh", str(programs / "postgres"),
         "-D", str(data_dir), "-p", str(port), "-c", "shared_buffers=32MB"],
        stderr=log,
    )  # fmt: skip
    pid = int(started.stdout)
    try:
        assert wait_ready(replace(running, data_dir=data_dir, port=port), pid)
        yield port
    finally:
        run_as(account, [str(programs / "pg_ctl"), "stop", "-D", str(data_dir), "-m", "immediate"])
        log.close()


@pytest.fixture(scope="module")
def standby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standby]:
    """A source without a clock: an agency, and a table that is written in."""
    folder = tmp_path_factory.mktemp("standby") / "w"
    with (
        own_server(durable=True) as (running, home),
        product(running, "standby", folder) as made,
    ):
        with psycopg.connect(made.source_admin_url) as conn:
            conn.execute("create schema tst")
            conn.execute("create table tst.co_quan (ma_co_quan text)")
            conn.execute(f"grant usage on schema tst to {SOURCE_LOGIN}".encode())
            conn.execute(f"grant select on tst.co_quan to {SOURCE_LOGIN}".encode())
        with standby_of(running, home) as port:
            settings = made.settings.model_copy(
                update={"source_url": at(made.settings.source_url, port)}
            )
            reads = replace(made, settings=settings)
            found = Standby(reads, at(running.admin_url, port))
            found.catch_up()
            yield found


@pytest.fixture(autouse=True)
def goes_on(standby: Standby) -> Iterator[None]:
    yield
    standby.primary("drop table if exists tst.dong_ho")
    standby.catch_up()


def known_at(standby: Standby) -> datetime:
    with open_snapshot(standby.made.settings.source_url) as snapshot:
        return snapshot.known_at


def test_a_standby_knows_what_it_has_replayed(standby: Standby) -> None:
    before = standby.primary("insert into tst.co_quan values ('072')")
    standby.catch_up()
    assert known_at(standby) <= before
    standby.does("select pg_wal_replay_pause()")
    time.sleep(0.3)
    begun = datetime.now(UTC)
    standby.primary("insert into tst.co_quan values ('07201')")
    assert known_at(standby) < begun
    with psycopg.connect(standby.made.settings.source_url) as conn:
        row = conn.execute("select now(), count(*) from tst.co_quan").fetchone()
    assert row is not None
    assert (row[0] > begun, row[1]) == (True, 1), "the naive twin takes the server's now()"
    standby.catch_up()
    assert known_at(standby) >= begun


def test_a_replicated_clock_is_as_old_as_the_rows(standby: Standby) -> None:
    standby.primary(
        "create table tst.dong_ho (id int, bay_gio timestamptz); "
        "insert into tst.dong_ho values (1, '2021-10-20T01:00+07:00'); "
        f"grant select on tst.dong_ho to {SOURCE_LOGIN}"
    )
    standby.catch_up()
    with open_snapshot(standby.made.settings.source_url) as snapshot:
        assert snapshot.known_at == snapshot.server_clock
        assert snapshot.known_at == datetime.fromisoformat("2021-10-20T01:00+07:00")


def test_a_freeze_waits_until_the_cutoff_has_been_replayed(standby: Standby) -> None:
    settings = standby.made.settings
    standby.does("select pg_wal_replay_pause()")
    cutoff = standby.primary("insert into tst.co_quan values ('07202')")
    standby.primary("insert into tst.co_quan values ('07203')")
    told: list[str] = []
    assert _caught_up(settings, cutoff, told.append, limit_s=0) < cutoff
    threading.Timer(1.5, lambda: standby.does("select pg_wal_replay_resume()")).start()
    assert _caught_up(settings, cutoff, told.append, limit_s=60) >= cutoff
    assert all("waiting" in each for each in told)
    assert told
    ahead = datetime.now(UTC) + timedelta(hours=1)
    begun = time.monotonic()
    assert _caught_up(settings, ahead, told.append) < ahead, "before the cutoff nothing waits"
    assert time.monotonic() - begun < CATCH_UP_S / 10


def test_a_standby_that_stays_behind_seals_nothing(standby: Standby) -> None:
    standby.does("select pg_wal_replay_pause()")
    cutoff = standby.primary("insert into tst.co_quan values ('07204')")
    parts = replace(
        PARTS,
        period=lambda name: PeriodToFreeze(name, cutoff),
        caught_up=partial(_caught_up, limit_s=0),
    )
    with pytest.raises(ChotsoError, match="standby") as refused:
        freeze(standby.made.settings, PERIODS[0], parts=parts)
    assert "has not come" in str(refused.value)
    assert count(standby.made.settings, "select count(*) from ops.freeze") == 0
