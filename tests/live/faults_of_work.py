"""Faults of the work itself: a rule, a process, a lock, a build, a freeze."""

import os
import re
import signal
from contextlib import closing, suppress
from datetime import date, datetime, timedelta

import psycopg

from chotso.local.drive import BUILD, FREEZE
from tests.live.fault import Fault, to_clear
from tests.live.installation import Installation, Told, wait_until

CONTRIBUTIONS = "extract_contributions"
BEFORE_THE_CUTOFF = date(2021, 12, 30)
AFTER_THE_CUTOFF = datetime.fromisoformat("2021-12-31T17:00:30+07:00")
_IS_WAITED_FOR = """
select count(*) from pg_locks as wanted inner join pg_stat_activity as session using (pid)
where wanted.relation = 'raw.allocations'::regclass and not wanted.granted
    and session.application_name = 'chotso: extract of contributions'
"""
# A statement of the build that does not come to an end, for whatever reason at the server.
_HANG = """
create function public.hang() returns event_trigger language plpgsql as $$
begin
    if current_setting('application_name') like 'chotso build%' then
        perform pg_sleep(3600);
    end if;
end $$;
revoke execute on function public.hang() from public;
create event trigger hang on ddl_command_start when tag in ('CREATE TABLE AS')
    execute function public.hang();
"""
_NO_HANG = "drop event trigger if exists hang; drop function if exists public.hang()"
_TWICE = """
insert into raw.officers
select (jsonb_populate_record(officers, '{"known_to": "infinity"}')).* from raw.officers
where known_to is null order by ma_can_bo limit 1
"""
_ONCE = "delete from raw.officers where known_to = 'infinity'"


class EmptyRegister:
    """A register that the source shows without rows: the rule `whole_read_not_empty` blocks it."""

    def empty(self, live: Installation) -> None:
        """Let all its rows be gone."""
        _at_source(live, "create table tst.phan_cong_away as table tst.phan_cong")
        _at_source(live, "delete from tst.phan_cong")

    def mend_at_the_source(self, live: Installation) -> None:
        """Let them be there again."""
        _at_source(live, "insert into tst.phan_cong table tst.phan_cong_away")
        _at_source(live, "drop table tst.phan_cong_away")


class RuleBlocks(Fault, EmptyRegister):
    """A register comes empty."""

    name = "a rule blocks"
    kind = "batch_blocked"
    step = "mended at the source, `land` and all after it cleared in Airflow"

    def make(self, live: Installation) -> None:
        live.next_day()
        self.empty(live)
        live.begin_night()

    def mend(self, live: Installation, told: Told) -> None:
        self.mend_at_the_source(live)
        dag_id, task_id = to_clear(told.next_step)
        assert dag_id == told.posted["dag_id"]
        live.clear(dag_id, task_id)
        live.built()

    def undo(self, live: Installation) -> None:
        self.mend_at_the_source(live)


class WithAProcess(Fault):
    """A night whose `publish` of contributions is in the middle of its transaction."""

    pid: int | None = None

    def signal_in_mid_work(self, live: Installation, number: int) -> None:
        """Begin a night and send a signal to the task's process while it works."""
        live.next_day()
        with psycopg.connect(live.pipeline.server.admin_url) as holder:
            holder.execute("lock table raw.allocations in access exclusive mode")
            live.begin_night()
            self.pid = wait_until(lambda: _in_mid_work(live), 300, "it never published")
            os.kill(self.pid, number)

    def undo(self, live: Installation) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class TaskKilled(WithAProcess):
    """The task's process is killed."""

    name = "a task is killed"
    kind = None
    step = "none: Airflow tries it again"

    def make(self, live: Installation) -> None:
        self.signal_in_mid_work(live, signal.SIGKILL)

    def settle(self, live: Installation) -> None:
        live.until_runs_are_over()
        assert set(live.states().values()) == {"success"}
        live.built()


class ProcessStopped(WithAProcess):
    """The task's process is stopped: it neither works nor ends."""

    name = "a process is stopped"
    kind = "extract_hangs"
    step = "the task is marked failed, then cleared"

    def prepare(self, live: Installation) -> None:
        live.until_it_is_known_what_is_usual()

    def make(self, live: Installation) -> None:
        self.signal_in_mid_work(live, signal.SIGSTOP)

    def settle(self, live: Installation) -> None:
        """It hangs; nothing else comes."""

    def mend(self, live: Installation, told: Told) -> None:
        task_id, dag_id = re.findall(r"log of `(\w+)` in `(\w+)`", told.next_step)[0]
        assert told.next_step.endswith("to end it, mark it failed, then clear it")
        live.mark_failed(dag_id, task_id)
        live.clear(dag_id, task_id)
        live.built()


class BehindALock(Fault):
    """A session of somebody else holds a table that `publish` needs."""

    name = "a statement behind a lock"
    kind = "lock_waited_for"
    step = "the statement that ends the holder; the night goes on by itself"

    def make(self, live: Installation) -> None:
        live.next_day()
        self.holder = psycopg.connect(live.pipeline.server.admin_url, application_name="pg_dump")
        self.holder.execute("lock table raw.allocations in access exclusive mode")
        live.begin_night()

    def settle(self, live: Installation) -> None:
        """It waits; nothing else comes."""

    def mend(self, live: Installation, told: Told) -> None:
        (statement,) = re.findall(r"`(select pg_terminate_backend\([0-9]+\))`", told.next_step)
        live.pipeline.rows(statement)
        live.until_runs_are_over()
        assert set(live.states().values()) == {"success"}
        live.built()

    def undo(self, live: Installation) -> None:
        with suppress(psycopg.Error), closing(self.holder):
            self.holder.rollback()


class BuildHung(Fault):
    """A statement of the build does not come to an end."""

    name = "a build hangs"
    kind = "build_hangs"
    step = "what it waits for is taken away; the task is marked failed, then cleared"

    def prepare(self, live: Installation) -> None:
        live.until_it_is_known_what_is_usual()

    def make(self, live: Installation) -> None:
        live.next_day()
        _in_warehouse(live, _HANG)
        live.begin_night()
        live.until_runs_are_over()
        live.runs = wait_until(lambda: live.pipeline.api.runs(BUILD, live.day), 60, "no build")

    def settle(self, live: Installation) -> None:
        """It hangs; nothing else comes."""

    def mend(self, live: Installation, told: Told) -> None:
        assert "Running: " in told.posted["what"], "the models that run are named"
        task_id, dag_id = re.findall(r"log of `(\w+)` in `(\w+)`", told.next_step)[0]
        self.undo(live)
        live.mark_failed(dag_id, task_id)
        live.clear(dag_id, task_id)

    def undo(self, live: Installation) -> None:
        _in_warehouse(live, _NO_HANG)


class BuildTestFails(Fault):
    """A superuser has put a second version of an officer beside the one in force."""

    name = "a test of the build fails"
    kind = "build_failed"
    step = "mended, then `chotso build`"

    def make(self, live: Installation) -> None:
        live.next_day()
        _in_warehouse(live, _TWICE)
        live.begin_night()

    def settle(self, live: Installation) -> None:
        live.until_runs_are_over()
        build = live.pipeline.api.wait_for_run(BUILD, live.day, timeout_s=400)
        assert build.state == "failed"

    def mend(self, live: Installation, told: Told) -> None:
        assert "stg_officers" in told.posted["what"], "it names the test"
        self.undo(live)
        live.carry_out(told.next_step)

    def undo(self, live: Installation) -> None:
        _in_warehouse(live, _ONCE)


class FreezeStopped(Fault, EmptyRegister):
    """The cutoff has come, and a register that the freeze reads is empty."""

    name = "a freeze with a blocked feed"
    kind = "freeze_due"
    step = "mended at the source, `freeze` cleared in Airflow"

    def prepare(self, live: Installation) -> None:
        live.day = BEFORE_THE_CUTOFF - timedelta(days=1)
        live.night()

    def make(self, live: Installation) -> None:
        live.pipeline.advance(AFTER_THE_CUTOFF)
        self.empty(live)
        live.runs = [live.pipeline.api.create_run(FREEZE)]

    def mend(self, live: Installation, told: Told) -> None:
        self.mend_at_the_source(live)
        dag_id, task_id = to_clear(told.next_step)
        live.clear(dag_id, task_id)
        sealed = "select release_id from frozen.release order by sealed_at"
        assert live.pipeline.rows(sealed) == [("sprint-2021-q4",), ("plan-2021-m09-12",)]

    def undo(self, live: Installation) -> None:
        self.mend_at_the_source(live)


def _in_mid_work(live: Installation) -> int | None:
    """The process of `publish` while its transaction waits for our lock."""
    if live.pipeline.rows(_IS_WAITED_FOR) == [(0,)]:
        return None
    return live.pid_of(CONTRIBUTIONS, "publish")


def _at_source(live: Installation, statement: str) -> None:
    with psycopg.connect(live.pipeline.server.source_admin_url) as conn:
        conn.execute(statement.encode())


def _in_warehouse(live: Installation, statements: str) -> None:
    with psycopg.connect(live.pipeline.server.admin_url) as conn:
        conn.execute(statements.encode())
