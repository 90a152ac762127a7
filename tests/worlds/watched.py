"""A world that is watched: an operator's environment, and faults that several tests make."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.watch import away
from chotso.watch import judge as judging
from chotso.watch.limits import load_limits
from tests.worlds.quarantine_world import DAY, QuarantineWorld, quarantine_world


def environment(world: QuarantineWorld) -> dict[str, str]:
    """The variables that `chotso` reads, for this world's databases and folders."""
    return environment_of(world.settings)


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that `chotso` reads, for these databases and folders."""
    return os.environ | {
        "CHOTSO_HOME": str(settings.home),
        "CHOTSO_WAREHOUSE_URL": settings.warehouse_url,
        "CHOTSO_SOURCE_URL": settings.source_url,
        "CHOTSO_DROP_URL": settings.drop_url,
        "CHOTSO_LANDING_URL": settings.landing_url,
        "CHOTSO_RELEASES_DIR": str(settings.releases_dir),
        "CHOTSO_PSEUDONYM_KEY_FILE": str(settings.pseudonym_key_file),
    }


@contextmanager
def a_night_built(
    running: SandboxServer,
    name: str,
    folder: Path,
    also: Callable[[QuarantineWorld], None] = lambda world: None,
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built and seen by readers.

    Args:
        running: The server.
        name: Of its databases.
        folder: Its home.
        also: What there is beside a document with its line.
    """
    with quarantine_world(running, name, folder) as made:
        made.payment("A1", 100_000)
        made.line("A1", 1, 100_000)
        also(made)
        made.extract()
        run_build(made.settings)
        yield made


def begin_anew(world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """No incident yet, no grace, and a cause that is gone ends its incident at once."""
    limits = load_limits().model_copy(update={"quiet_minutes": 0, "retry_grace_minutes": 0})
    monkeypatch.setattr(judging, "load_limits", lambda: limits)
    monkeypatch.setattr(away, "_TOLD_HERE", {})
    world.act("truncate ops.incident, ops.incident_notice")
    (world.settings.home / "alerts.jsonl").unlink(missing_ok=True)


def rename_column(world: QuarantineWorld, old: str, new: str) -> None:
    """Rename a column of `tst.phan_bo`, and leave the source's own count as it is."""
    with psycopg.connect(world.warehouse.source_admin_url) as conn:
        conn.execute(f"alter table tst.phan_bo rename column {old} to {new}".encode())


def leave_a_batch(world: QuarantineWorld) -> None:
    """A batch in work, of the newest night, whose process is gone."""
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "code_version) select 'payments_20211101_999999', 'payments', 'contributions', "
        "coalesce(max(business_date), %s), 'running', 'changes', 'x' from ops.batch",
        DAY,
    )


def leave_a_build(world: QuarantineWorld) -> None:
    """A build for readers whose process is gone."""
    world.act(
        "insert into ops.build (business_date, as_known_at, target_schema, config, config_sha256, "
        "code_version, status) select business_date, as_known_at, 'marts_build', config, "
        "config_sha256, code_version, 'running' from ops.build order by build_id limit 1"
    )


@contextmanager
def a_build_that_waits(
    world: QuarantineWorld, holder: psycopg.Connection
) -> Iterator[subprocess.Popen[bytes]]:
    """A build's session that waits for a table that `holder` has locked."""
    world.act("create table if not exists public.held (x int)")
    holder.execute("lock table public.held in access exclusive mode")
    waiter = subprocess.Popen([sys.executable, "-c", _WAIT, world.settings.warehouse_url])
    try:
        yield waiter
    finally:
        waiter.kill()
        waiter.wait()


_WAIT = """
import sys, psycopg
with psycopg.connect(sys.argv[1], application_name="chotso build 7 marts_build") as conn:
    conn.execute("select * from public.held")
"""
