"""Faults of what the night needs: the source, the drop folder, the disk, the clock, the servers."""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from chotso.calendar import night_of
from chotso.local import airflow as local
from chotso.local import processes
from chotso.local.airflow_home import AirflowHome
from chotso.local.drive import EXTRACTS
from chotso.sandbox import place
from chotso.sandbox import server as sandbox
from chotso.sandbox.account import account_for
from tests.faults.small_disk import filled
from tests.live.fault import Fault
from tests.live.installation import Installation, Told, make, wait_until

WRONG_CLOCK = Path(__file__).with_name("wrong_clock.c")


class SourceDown(Fault):
    """The source's server is stopped when the registers have been read."""

    name = "the source is down"
    kind = "source_away"
    step = "the source is started, then `chotso nightly`"

    def prepare(self, live: Installation) -> None:
        live.next_day()
        live.begin_night(EXTRACTS[0])
        live.until_runs_are_over()

    def make(self, live: Installation) -> None:
        sandbox.stop(live.source_home)
        live.begin_night(*EXTRACTS[1:])

    def mend(self, live: Installation, told: Told) -> None:
        self.undo(live)
        live.carry_out(told.next_step)

    def undo(self, live: Installation) -> None:
        sandbox.start(live.source_home)


class FolderGone(Fault):
    """The drop folder is not where it was."""

    name = "the drop folder is gone"
    kind = "drop_folder_away"
    step = "the folder is back, then `chotso nightly`"

    def make(self, live: Installation) -> None:
        live.next_day()
        (live.home / "drop").rename(live.home / "drop.away")
        live.begin_night()

    def mend(self, live: Installation, told: Told) -> None:
        self.undo(live)
        live.carry_out(told.next_step)

    def undo(self, live: Installation) -> None:
        if (away := live.home / "drop.away").exists():
            away.rename(live.home / "drop")


class TruncatedFile(Fault):
    """The night's workbook arrives in part."""

    name = "a truncated file"
    kind = "file_refused"
    step = "it is delivered again, and the next night reads it"

    def make(self, live: Installation) -> None:
        live.next_day()
        self.path = max((live.home / "drop").glob("C12_*.xlsx"), key=lambda p: p.stat().st_mtime_ns)
        self.whole = self.path.read_bytes()
        self.path.write_bytes(self.whole[: len(self.whole) // 2])
        live.begin_night()

    def mend(self, live: Installation, told: Told) -> None:
        assert told.next_step.startswith(f"have {self.path.name} delivered again")
        self.undo(live)
        live.night()

    def undo(self, live: Installation) -> None:
        self.path.write_bytes(self.whole)


class DiskFull(Fault):
    """Something else has filled the archive's disk."""

    name = "the disk is full"
    kind = "disk_nearly_full"
    step = "room is made, `chotso retention`, then `chotso nightly`"

    def make(self, live: Installation) -> None:
        if live.disk is None:
            pytest.skip("mounting a small disk is not allowed here")
        live.next_day()
        self.full = ExitStack()
        self.full.enter_context(filled(live.disk, leaving=0))
        live.begin_night()

    def settle(self, live: Installation) -> None:
        wait_until(lambda: live.states()["extract_registers"] == "failed", 200, "it never gave up")

    def mend(self, live: Installation, told: Told) -> None:
        assert f"make room on the disk of {live.disk}" in told.next_step
        self.full.close()
        live.carry_out(told.next_step, 0)
        live.carry_out(told.next_step, 1)
        live.go_on()

    def undo(self, live: Installation) -> None:
        self.full.close()


class SchedulerDead(Fault):
    """The scheduler is killed at the hour and nobody starts it: nothing begins."""

    name = "the scheduler is dead over the hour"
    kind = "airflow_away"
    step = "`make up`, then `chotso nightly`"

    def make(self, live: Installation) -> None:
        live.next_day()
        live.let_the_watch_look()  # a slow look from before the hour would name the night before
        scheduler = processes.recorded("scheduler", AirflowHome(live.home).run)
        assert scheduler is not None
        os.kill(scheduler.pid, signal.SIGKILL)
        live.pipeline.advance(night_of(live.day) + timedelta(minutes=6))

    def mend(self, live: Installation, told: Told) -> None:
        assert "`make up`" in told.next_step
        make("up", live.environment)
        live.carry_out(told.next_step)

    def undo(self, live: Installation) -> None:
        local.start(live.home)


class MissedNight(Fault):
    """The hour has passed, everything is up, and nothing has begun."""

    name = "a night missed with everything up"
    kind = "night_not_begun"
    step = "`chotso nightly`"

    def make(self, live: Installation) -> None:
        live.next_day()
        live.pipeline.advance(night_of(live.day) + timedelta(minutes=6))

    def mend(self, live: Installation, told: Told) -> None:
        live.carry_out(told.next_step)


class WrongClock(Fault):
    """Airflow's machine has come up twenty minutes late, and runs a night."""

    name = "a wrong wall clock"
    kind = "clock_differs"
    step = "the clock is set right, then `chotso status`"
    offset_s: ClassVar[int] = -20 * 60

    def make(self, live: Installation) -> None:
        if (compiler := shutil.which("cc")) is None:
            pytest.skip("no C compiler for a clock that is wrong")
        # a path of a preloaded library has no blanks
        self.library = Path(tempfile.gettempdir()) / f"chotso-clock-{os.getpid()}.so"
        options = ("-shared", "-fPIC", "-o", str(self.library), str(WRONG_CLOCK), "-ldl")
        subprocess.run([compiler, *options], check=True)
        live.restart_airflow(LD_PRELOAD=str(self.library), CLOCK_OFFSET=str(self.offset_s))
        live.next_day()
        live.begin_night()

    def settle(self, live: Installation) -> None:
        live.until_runs_are_over()
        live.built()

    def mend(self, live: Installation, told: Told) -> None:
        assert told.next_step.startswith("set the wrong one right")
        self.undo(live)
        assert live.carry_out(told.next_step).startswith("healthy")

    def undo(self, live: Installation) -> None:
        live.restart_airflow()
        self.library.unlink()


class WarehouseRestored(Fault):
    """The server's files are those of the night before, Airflow's own database with them."""

    name = "the warehouse restored to yesterday"
    kind = "warehouse_restored"
    step = "`chotso migrate`, then `chotso nightly`"

    def prepare(self, live: Installation) -> None:
        self.backups = live.source_home / "backups"
        still_open = "select 1 from ops.incident where ended_at is null"
        wait_until(lambda: not live.pipeline.rows(still_open), 300, "something is open still")
        live.run(f"chotso backup --to {str(self.backups)!r}")
        live.night()
        self.archive = _hashes(live)

    def make(self, live: Installation) -> None:
        live.stop_watch()
        local.stop(live.home)
        sandbox.stop(live.home)
        data = live.pipeline.server.data_dir
        data.rename(data.with_name("data.lost"))
        (backup,) = (each for each in self.backups.iterdir() if (each / "manifest.json").exists())
        live.run(f"chotso restore {str(backup)!r} --database {str(data)!r}")
        (data / place.MARKER).touch(mode=0o600)
        account = account_for(live.home, data)
        for path in (data, *data.rglob("*")):
            account.take(path)
        self.undo(live)

    def mend(self, live: Installation, told: Told) -> None:
        live.carry_out(told.next_step, 0)
        live.carry_out(told.next_step, 1)
        now = _hashes(live)
        assert self.archive.items() <= now.items(), "what was archived stands as it was"
        assert len(now) > len(self.archive)

    def undo(self, live: Installation) -> None:
        sandbox.start(live.home)
        local.start(live.home)
        live.start_watch()


def _hashes(live: Installation) -> dict[str, str]:
    """SHA-256 of each file of the landing archive."""
    files = (path for path in (live.home / "landing").rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
