"""The next step of an incident, carried out as it is written, ends it."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_all
from chotso.sandbox.server import SandboxServer
from chotso.watch import judge as judging
from chotso.watch.incident import Incident
from chotso.watch.limits import load_limits
from chotso.watch.rounds import look_once
from tests.worlds.quarantine_world import DAY, QuarantineWorld, account
from tests.worlds.typed import typed
from tests.worlds.watched import (
    a_build_that_waits,
    a_night_built,
    begin_anew,
    environment,
    leave_a_batch,
    leave_a_build,
    rename_column,
)

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(600)]

_COMMAND = re.compile(r"`(chotso [a-z][^`…]*)`")


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built."""

    def also(made: QuarantineWorld) -> None:
        made.accounts({"07201": [account("TA0001A", 100)]})

        made.insert(
            "can_bo", ma_can_bo="CB009", ho_ten="Khác", ma_co_quan="07202", ngay_sua=made.clock
        )

    with a_night_built(running, "steps", tmp_path_factory.mktemp("steps"), also) as made:
        yield made


@pytest.fixture(autouse=True)
def at_once(world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_anew(world, monkeypatch)


def only(world: QuarantineWorld, kind: str) -> Incident:
    (found,) = look_once(world.settings).open_incidents
    assert found.kind == kind, found
    return found


def carry_out(world: QuarantineWorld, incident: Incident) -> None:
    """Run the first command that the next step names, with an operator's environment."""
    _, *command = shlex.split(_COMMAND.findall(incident.next_step)[0])
    done = typed(*command, environment=environment(world))
    assert done.returncode == 0, (command, done.stderr)


@contextmanager
def a_process_that_holds(world: QuarantineWorld, lock: str) -> Iterator[None]:
    """A process that has taken a lock of ours and does not go on; at the end it is ended.

    That is what Airflow does when a person marks its task failed.
    """
    with closing(psycopg.connect(world.settings.warehouse_url)) as other:
        other.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"chotso/{lock}"])
        other.commit()
        yield


def limited(monkeypatch: pytest.MonkeyPatch, **changed: object) -> None:
    limits = load_limits().model_copy(update={"quiet_minutes": 0, "retry_grace_minutes": 0})
    monkeypatch.setattr(judging, "load_limits", lambda: limits.model_copy(update=changed))


def blocked(world: QuarantineWorld) -> None:
    rename_column(world, "tien_goc", "tien_khac")
    extract_all(world.settings, DAY)
    rename_column(world, "tien_khac", "tien_goc")


def night_missed(world: QuarantineWorld) -> None:
    world.tick(days=1, minutes=6)


def totals_wrong(world: QuarantineWorld) -> None:
    with psycopg.connect(world.warehouse.source_admin_url) as conn:
        conn.execute("update tst.doi_soat set so_dong = so_dong + 1 where bang = 'chung_tu'")
    extract_all(world.settings, DAY)
    world.source("select 1")  # the source's owner has mended its count


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (blocked, "batch_blocked"),
        (leave_a_batch, "landing_failed"),
        (leave_a_build, "build_failed"),
        (totals_wrong, "control_totals_differ"),
        (night_missed, "night_not_begun"),
    ],
)
def test_the_command_of_the_next_step_ends_the_incident(
    world: QuarantineWorld, fault: Callable[[QuarantineWorld], None], kind: str
) -> None:
    fault(world)
    incident = only(world, kind)
    carry_out(world, incident)
    assert look_once(world.settings).open_incidents == []
    (row,) = world.rows("select ended_by from ops.incident")
    assert row == {"ended_by": "watch"}


def test_the_session_that_holds_a_lock_is_ended_by_the_statement_that_is_named(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = load_limits().model_copy(update={"quiet_minutes": 0, "lock_wait_seconds": 1})
    monkeypatch.setattr(judging, "load_limits", lambda: limits)
    with (
        closing(psycopg.connect(world.warehouse.admin_url, application_name="pg_dump")) as holder,
        a_build_that_waits(world, holder) as waiter,
    ):
        found: list[Incident] = []
        for _ in range(30):
            if found := look_once(world.settings).open_incidents:
                break
        (incident,) = found
        assert incident.kind == "lock_waited_for"
        (statement,) = re.findall(
            r"`(select pg_terminate_backend\([0-9, ]+\))`", incident.next_step
        )
        world.act(statement)
        waiter.wait(30)
        assert look_once(world.settings).open_incidents == []


def test_a_refused_file_that_is_taken_away_ends_its_incident(world: QuarantineWorld) -> None:
    path = world.warehouse.drop / "C12_202110_20211101T230000.xlsx"
    path.write_bytes(b"no workbook")
    extract_all(world.settings, DAY)
    assert path.name in only(world, "file_refused").next_step
    path.unlink()
    world.tick(hours=1)
    extract_all(world.settings, DAY + timedelta(days=1))
    assert look_once(world.settings).open_incidents == []


def test_many_refused_files_of_a_feed_are_one_incident(world: QuarantineWorld) -> None:
    add = (
        "insert into ops.drop_entry (name, feed, kind, reason, first_seen, last_seen) "
        "select 'C12_' || n || '.txt', 'c12', 'unreadable', 'no layout', now(), now() "
        "from generate_series(%s::int, %s::int) as n"
    )

    def subjects() -> list[str]:
        return sorted(each.subject for each in look_once(world.settings).open_incidents)

    try:
        world.act(add, 1, 2)
        assert subjects() == ["C12_1.txt", "C12_2.txt"]
        world.act(add, 3, 300)
        assert subjects() == ["C12_1.txt", "C12_2.txt", "files of c12"], "none ends, one is new"
        (many,) = [
            each
            for each in look_once(world.settings).open_incidents
            if each.subject == "files of c12"
        ]
        assert many.what.startswith("300 files of c12 were not taken: C12_1.txt; C12_10.txt")
        assert "and 295 more" in many.what
    finally:
        world.act("delete from ops.drop_entry where reason = 'no layout'")
    assert subjects() == []


def test_an_extract_that_hangs_is_ended_and_read_again(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.act("delete from ops.batch where batch_id like '%_999999'")  # an earlier test's
    leave_a_batch(world)
    with a_process_that_holds(world, "extract of contributions"):
        limited(monkeypatch, extract_longest_minutes=0)
        step = only(world, "extract_hangs").next_step
        assert "log of `land` in `extract_contributions`" in step
        assert step.endswith("to end it, mark it failed, then clear it")
    world.extract("contributions")  # what the task does when it is cleared
    run_build(world.settings)
    assert look_once(world.settings).open_incidents == []


def test_a_build_that_hangs_is_ended_and_made_again(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_build(world)
    with a_process_that_holds(world, "build marts_build"):
        limited(monkeypatch, build_longest_minutes=0)
        step = only(world, "build_hangs").next_step
        assert "log of `build` in `build_warehouse`" in step
        assert step.endswith("mark the task failed, wait ten seconds, then clear it")
    run_build(world.settings)  # what the task does when it is cleared
    assert look_once(world.settings).open_incidents == []


def test_a_register_row_that_is_missing_is_listed_and_closed(world: QuarantineWorld) -> None:
    world.tick()
    world.source("delete from tst.can_bo where ma_can_bo = 'CB009'")
    extract_all(world.settings, DAY)
    run_build(world.settings)
    incident = only(world, "register_rows_missing")
    assert "officers CB009" in incident.what
    listing, closing_it = _COMMAND.findall(incident.next_step)
    listed = typed(*shlex.split(listing)[1:], environment=environment(world))
    assert "CB009" in listed.stdout
    by = ["CB009", "--feed", "officers", "--reason", "Đã nghỉ việc", "--by", "Trần Thị Thử"]
    done = typed(*shlex.split(closing_it)[1:], *by, environment=environment(world))
    assert done.returncode == 0, done.stderr
    assert look_once(world.settings).open_incidents == []


def test_rows_set_aside_for_long_and_for_much_money_are_listed_and_mended(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An amount that no payment can have: it is more than the next period allows, and it ages."""
    oldest = load_limits().quarantine.model_copy(update={"oldest_days": 0})
    limited(monkeypatch, quarantine=oldest)
    world.payment("A9", 10**16, agency="07202")
    for _ in range(2):
        world.tick(days=1)
        world.extract()
    run_build(world.settings)
    found = {each.kind: each for each in look_once(world.settings).open_incidents}
    assert set(found) == {"quarantine_money", "quarantine_old"}
    assert (found["quarantine_money"].severity, found["quarantine_old"].severity) == (
        "error",
        "warning",
    )
    assert found["quarantine_money"].period_id == "sprint-2021-q4"
    assert "10,000,000,000,000,000 đồng are set aside in 072" in found["quarantine_money"].what
    assert "1 rows are set aside, the oldest for 1 days; 0 are" in found["quarantine_old"].what
    for each in found.values():
        (command,) = _COMMAND.findall(each.next_step)
        listed = typed(*shlex.split(command)[1:], environment=environment(world))
        assert "A9" in listed.stdout
    world.source(
        "update tst.chung_tu set so_tien = 5, ngay_sua = %s where so_tien > 10 ^ 15", world.clock
    )
    world.tick()
    world.extract()
    run_build(world.settings)
    assert look_once(world.settings).open_incidents == []


def test_what_would_stop_a_freeze_is_told_long_before_and_taken_away(
    world: QuarantineWorld,
) -> None:
    world.act("create schema freeze_sprint_2021_q4")
    incident = only(world, "freeze_would_fail")
    assert incident.severity == "warning"
    assert incident.period_id == "sprint-2021-q4"
    assert "freeze_sprint_2021_q4 is there and was not made by a build" in incident.what
    assert "rename or drop it" in incident.next_step
    world.act("drop schema freeze_sprint_2021_q4")
    assert look_once(world.settings).open_incidents == []
