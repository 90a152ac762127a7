"""A refresh: reads the changes of all feeds within the day, builds, and shows the new figures.

Reading, judging and counting are the same as at night. The night of the date still follows: the
ledger marks batches of a refresh (`ops.batch.is_refresh`), and questions about nights leave them
out. Every other run has precedence. A refresh does not begin while another run works, and it stops
before the next group of feeds if another run has begun.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from chotso import telemetry
from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.build.dbt import BuildReport, run_build
from chotso.calendar import local_minute
from chotso.contracts import groups
from chotso.errors import BusyError, ChotsoError
from chotso.ingest.night import extract_or_tell
from chotso.orchestration.countdown import load_countdown, next_cutoff, period_due
from chotso.orchestration.deadline import source_now
from chotso.orchestration.due import newest_due
from chotso.orchestration.night import is_built
from chotso.progress import Progress, silent
from chotso.registers import load_registers
from chotso.release.seal.freeze import LOCK as FREEZE
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold, is_held
from chotso.warehouse.refused import refused

_LOCK = "refresh"
_USUAL_OF = 9  # newest refreshes
_USUAL = """
select percentile_cont(0.5) within group (order by seconds)
from (
    select extract(epoch from build.exposed_at - min(batch.started_at)) as seconds
    from ops.build as build
    inner join ops.batch as batch on batch.first_build_id = build.build_id and batch.is_refresh
    where build.is_refresh and build.exposed_at is not null
    group by build.build_id
    order by build.build_id desc
    limit %s
) as recent
having count(*) >= 3
"""


class NotNowError(ChotsoError):
    """A refresh is not due, or another run has precedence; nothing is wrong."""


@dataclass
class Refresh:
    """What a refresh did.

    Attributes:
        business_date: The date whose night comes next.
        as_known_at: The instant whose knowledge readers see now; None if nothing new is shown.
        batches: One dict per published batch, as of a night.
        build: The build that they see; None if it was stopped.
        stopped: What was blocked or refused, and why nothing was built.
        notes: Messages on things that stopped nothing.
    """

    business_date: date
    as_known_at: datetime | None = None
    batches: list[dict[str, Any]] = field(default_factory=list)
    build: BuildReport | None = None
    stopped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def raise_if_stopped(self) -> None:
        """Raise an error if anything was stopped, after the rest went on.

        Raises:
            ChotsoError: Something was blocked or refused, or nothing was built.
        """
        if self.stopped:
            raise ChotsoError(
                "\n".join(self.stopped),
                kept="all that is not named here went on; the night still comes.",
                next_step="see to what is named above; the next refresh, or the night, reads it "
                "again.",
            )


def refresh(
    settings: Settings, *, only_if_due: bool = False, progress: Progress = silent
) -> Refresh:
    """Extract the changes of all feeds and show what they change. Errors are in the result.

    Args:
        settings: Where everything is.
        only_if_due: Only in the last days of a period (`config/operations/refresh.yml`).
        progress: Told what is being done.

    Raises:
        NotNowError: It is not due, another run works, the night that is due comes first, or a
            cutoff is too close.
        ChotsoError: Source or warehouse are away, or a register is wrong.
    """
    now = source_now(settings)
    day = newest_due(now) + timedelta(days=1)
    if only_if_due:
        _refuse_if_not_due(now)
    with connect(settings) as conn, _alone(conn):
        _refuse_while_others_work(conn, [])
        _refuse_before_the_night(conn, day - timedelta(days=1))
        _refuse_close_to_a_cutoff(conn, now)
        with telemetry.step("refresh", "refresh", business_date=day) as step:
            done = Refresh(day)
            _extract(settings, conn, done, progress)
            _build(settings, conn, done, progress)
            if done.stopped:
                step.fail("stopped")
    return done


def _extract(
    settings: Settings, conn: psycopg.Connection, done: Refresh, progress: Progress
) -> None:
    for number, group in enumerate(groups()):
        _refuse_while_others_work(conn, list(groups())[:number])
        report = extract_or_tell(settings, group, done.business_date, progress, is_refresh=True)
        done.batches += report.batches
        done.stopped += report.stopped
        done.notes += [note for note in report.notes if note not in done.notes]


def _build(settings: Settings, conn: psycopg.Connection, done: Refresh, progress: Progress) -> None:
    _refuse_while_others_work(conn, list(groups()))
    progress("building")
    try:
        done.build = run_build(settings)
    except ChotsoError as error:
        done.stopped.append(str(error))
    except psycopg.Error as error:
        done.stopped.append(str(refused(error)))
    else:
        done.as_known_at = done.build.as_known_at
        done.notes += done.build.notes


@contextmanager
def _alone(conn: psycopg.Connection) -> Iterator[None]:
    """Hold the lock of refreshes. If another refresh holds it, do not wait."""
    with ExitStack() as lock:
        try:
            lock.enter_context(hold(conn, _LOCK, wait_seconds=0))
        except BusyError as error:
            raise NotNowError(
                "Another refresh is running.",
                kept="nothing was read.",
                next_step="wait for it; readers then see its figures.",
            ) from error
        yield


def _refuse_if_not_due(now: datetime) -> None:
    if period_due(load_countdown(), load_registers().periods, now) is None:
        raise NotNowError(
            f"No refresh is due at {local_minute(now)}, by the source's clock: it is in no "
            "period's last days, or not at their hours (config/operations/refresh.yml).",
            next_step="nothing; `chotso refresh` without --if-due refreshes at any time.",
        )


def _refuse_while_others_work(conn: psycopg.Connection, published: list[str]) -> None:
    """Refuse to refresh while a freeze, an extract or a build of another run works."""
    locks = [FREEZE, *(f"extract of {group}" for group in groups()), f"build {NIGHTLY_SCHEMA}"]
    held = [name for name in locks if is_held(conn, name)]
    conn.commit()
    if held:
        raise NotNowError(
            f"Another run works ({', '.join(held)}).",
            kept=f"{', '.join(published)}: published; the next build counts it."
            if published
            else "nothing was read.",
            next_step="wait for it; the next refresh goes on.",
        )


def _refuse_before_the_night(conn: psycopg.Connection, night: date) -> None:
    """Refuse to refresh before the last due night is built.

    Its older figures could not be shown after newer ones.
    """
    is_done = is_built(conn, night)
    conn.commit()
    if not is_done:
        raise NotNowError(
            f"The night of {night} is due and readers do not see it yet; it comes first.",
            kept="nothing was read.",
            next_step=f"wait for it, or run `chotso nightly --date {night}`.",
        )


def _refuse_close_to_a_cutoff(conn: psycopg.Connection, now: datetime) -> None:
    row = conn.execute(_USUAL, [_USUAL_OF]).fetchone()
    conn.commit()
    usual = (
        timedelta(seconds=float(row[0]))
        if row
        else timedelta(minutes=load_countdown().usual_minutes)
    )
    cutoff = next_cutoff(load_registers().periods, now)
    if cutoff is not None and now + usual >= cutoff:
        raise NotNowError(
            f"The cutoff of {local_minute(cutoff)} is closer than a refresh usually takes "
            f"({usual.total_seconds():.0f} s).",
            kept="nothing was read.",
            next_step="wait for the freeze, which reads everything.",
        )
