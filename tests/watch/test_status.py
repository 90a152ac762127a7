"""`chotso status` on a real ledger: stages, builds, ages, and what it says without a warehouse."""

import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from chotso.sandbox.server import SandboxServer
from chotso.status import status_of
from tests.worlds.quarantine_world import DAY, SHORT_NUMBER, QuarantineWorld, account
from tests.worlds.typed import typed
from tests.worlds.watched import a_night_built, environment, leave_a_batch, leave_a_build

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(300)]

AWAY = "postgresql://nobody:x@127.0.0.1:1/warehouse?connect_timeout=2"


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A night with a row set aside, an export of accounts, and a build."""

    def also(made: QuarantineWorld) -> None:
        made.spell(1, SHORT_NUMBER)
        made.accounts({"07201": [account("TA0001A", 7_000_000)]})

    with a_night_built(running, "status", tmp_path_factory.mktemp("status"), also) as made:
        yield made


def states(world: QuarantineWorld) -> dict[str, str]:
    return {each["feed"]: each["state"] for each in status_of(world.settings).stages}


def test_the_stages_of_a_night_that_went_well(world: QuarantineWorld) -> None:
    status = status_of(world.settings)
    stages = {each["feed"]: each for each in status.stages}
    assert {each["state"] for each in status.stages} == {"published"}
    assert {each["business_date"] for each in status.stages} == {DAY}
    assert stages["payments"]["money_delivered"] == 100_000
    assert stages["participations"]["rows_quarantined"] == 1
    assert stages["payments"]["age_seconds"] == 0, "by the source's clock, which stands"
    world.tick(hours=25)
    later = status_of(world.settings)
    assert {each["age_seconds"] for each in later.stages} == {25 * 3600}
    assert later.exposed is not None
    assert later.exposed["age_seconds"] == 25 * 3600
    world.tick(hours=-25)


def test_a_feed_in_work_has_landed_or_was_left(world: QuarantineWorld) -> None:
    leave_a_batch(world)
    try:
        assert states(world)["payments"] == "left"
        with psycopg.connect(world.settings.warehouse_url) as other:
            other.execute(
                "select pg_advisory_lock(hashtextextended('chotso/extract of contributions', 0))"
            )
            assert states(world)["payments"] == "running"
        world.act("update ops.batch set landed_at = clock_timestamp() where status = 'running'")
        assert states(world)["payments"] == "landed"
    finally:
        world.act("delete from ops.batch where batch_id = 'payments_20211101_999999'")


def test_of_two_files_the_refused_one_is_counted_until_it_is_delivered_again(
    world: QuarantineWorld,
) -> None:
    add = (
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "code_version, delivery_name, reason) values (%s, 'c12', 'c12', %s, %s, 'file', 'x', 'b', "
        "'truncated')"
    )
    world.act(add, "c12_20211101_999998", DAY, "refused")
    try:
        stage = next(s for s in status_of(world.settings).stages if s["feed"] == "c12")
        assert (stage["state"], stage["batches_in_state"]) == ("refused", 1)
        assert stage["batches"] > 1
        world.act(add, "c12_20211101_999999", DAY, "running")
        world.act("update ops.batch set landed_at = now() where batch_id = 'c12_20211101_999999'")
        assert states(world)["c12"] == "landed"
    finally:
        world.act("delete from ops.batch where batch_id like 'c12_20211101_99999_'")


def test_a_night_that_has_just_begun_waits_for_the_other_feeds(world: QuarantineWorld) -> None:
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "code_version) values ('agencies_20211102_1', 'agencies', 'registers', %s, 'failed', "
        "'whole', 'x')",
        DAY + timedelta(days=1),
    )
    try:
        found = states(world)
    finally:
        world.act("delete from ops.batch where batch_id = 'agencies_20211102_1'")
    assert found.pop("agencies") == "failed"
    assert set(found.values()) == {"not begun"}


def test_a_build_in_work_names_what_it_runs(world: QuarantineWorld) -> None:
    shown = status_of(world.settings).build
    assert shown is not None
    assert shown["status"] == "exposed"
    leave_a_build(world)
    world.act(
        "insert into ops.build_node (build_id, node, kind, status, started_at) select build_id, "
        "'int_islands', 'model', 'running', now() from ops.build where status = 'running'"
    )
    try:
        left = status_of(world.settings).build
        assert left is not None
        assert (left["is_worked_on"], left["running"]) == (False, [])
        with psycopg.connect(world.settings.warehouse_url) as other:
            other.execute(
                "select pg_advisory_lock(hashtextextended('chotso/build marts_build', 0))"
            )
            runs = status_of(world.settings).build
        assert runs is not None
        assert (runs["is_worked_on"], runs["running"]) == (True, ["int_islands"])
    finally:
        world.act("delete from ops.build_node where node = 'int_islands'")
        world.act("delete from ops.build where status = 'running'")


def test_a_watch_that_looks_no_more_is_a_warning(world: QuarantineWorld) -> None:
    looked = world.settings.home / "watch" / "looked"
    looked.unlink(missing_ok=True)
    assert status_of(world.settings).causes == [], "nobody ever wanted a watch here"
    looked.parent.mkdir(exist_ok=True)
    looked.touch()
    assert status_of(world.settings).causes == []
    long_ago = time.time() - 3 * 86_400
    os.utime(looked, (long_ago, long_ago))
    found = status_of(world.settings)
    to_come = time.time() + 3 * 86_400
    os.utime(looked, (to_come, to_come))
    (unknown,) = status_of(world.settings).causes
    assert (unknown.kind, "a clock was wrong" in unknown.what) == ("watch_silent", True)
    looked.unlink()
    (cause,) = found.causes
    assert (cause.kind, cause.severity) == ("watch_silent", "warning")
    assert "for 3 d" in cause.what
    assert found.is_well, "a warning leaves it so"


def test_a_warehouse_that_is_away_is_said_in_the_first_line(world: QuarantineWorld) -> None:
    away = environment(world) | {"CHOTSO_WAREHOUSE_URL": AWAY}
    done = typed("status", environment=away)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "NOT WELL: 1 critical"
    assert lines[1].startswith("critical: The warehouse ")
    assert "next: start it (`chotso sandbox start`)" in done.stdout
    assert done.stderr == ""
    told = typed("status", "--json", environment=away)
    assert told.returncode == 1
    found = json.loads(told.stdout)
    assert (found["is_well"], found["is_warehouse_there"]) == (False, False)
    assert [each["kind"] for each in found["causes"]] == ["warehouse_away"]
    assert "feeds" not in found, "nothing is said of what nobody could read"


def test_a_ledger_that_is_not_as_this_version_has_it_is_said(
    world: QuarantineWorld, tmp_path: Path
) -> None:
    world.act("alter table ops.drop_entry rename to drop_entry_of_old")
    try:
        done = typed("status", environment=environment(world))
    finally:
        world.act("alter table ops.drop_entry_of_old rename to drop_entry")
    assert done.returncode == 1
    assert done.stdout.startswith("NOT WELL")
    said = " ".join(line.strip() for line in done.stdout.splitlines())
    assert "the ledger could not be read: " in said
    assert "chotso migrate" in said
