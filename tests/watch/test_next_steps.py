"""The next step of an incident, carried out as it is written, ends it."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest

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

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(600)]

_COMMAND = re.compile(r"`(chotso [a-z][^`…]*)`")


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built."""

    def also(made: QuarantineWorld) -> None:
        made.accounts({"07201": [account("TA0001A", 100)]})

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
