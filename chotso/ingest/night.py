"""A night: reads, publishes and proves every group. An error stops its own group; the others go on.

After a killed run, run it again: it publishes what had landed and reads the rest anew.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from chotso import telemetry
from chotso.contracts import contract_of, contracts, groups
from chotso.errors import ChotsoError, frames_of, unexpected
from chotso.ingest import ledger, missing
from chotso.ingest.control_totals import refuse_unproven, unmended
from chotso.ingest.extract import land
from chotso.ingest.landing_run import Landings
from chotso.ingest.load import sweep
from chotso.ingest.prove import prove
from chotso.ingest.rejudge import judge_again
from chotso.ingest.waiting import GroupReport, process_waiting
from chotso.progress import Progress, silent
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.warehouse.refused import refused

_LOG = logging.getLogger(__name__)
# How often a final extract is read if a later read had to mend its control totals.
_FINAL_READS = 2
_SUNDAY = 6


@dataclass(frozen=True)
class FinalExtract:
    """The extract that a release is made from: every feed, read in one snapshot."""

    known_at: datetime
    batch_ids: list[str]
    stopped: list[str]


def is_weekly_full_read(day: date) -> bool:
    """Whether the night of this business date reads the whole open year."""
    return day.weekday() == _SUNDAY


def land_group(
    settings: Settings,
    group: str,
    business_date: date,
    full: bool = False,
    progress: Progress = silent,
) -> list[str]:
    """Read a group's feeds in one snapshot into the landing archive; returns the batch ids.

    Raises:
        ChotsoError: The source is away, its clock went back, the date lies after it, or a file or
            relation could not be landed (the rest has landed).
    """
    with _locked(settings, [group]) as conn:
        landings = _land(settings, conn, [group], business_date, full=full, progress=progress)
    for note in landings.notes:
        _LOG.warning("note: %s", note)
    report = GroupReport(group, business_date, stopped=landings.stopped)
    report.raise_if_stopped()
    return landings.batch_ids


def process_and_prove(
    settings: Settings, group: str, business_date: date, progress: Progress = silent
) -> GroupReport:
    """Load, judge and publish all landed batches of a group, then compare control totals.

    Batches that landed in earlier runs and still wait are processed, too.

    Raises:
        ChotsoError: A batch was blocked or refused, or totals differ; the rest was published.
    """
    with (
        telemetry.step("publish", group, business_date=business_date) as step,
        _locked(settings, [group]) as conn,
    ):
        report = _process_landed(settings, conn, group, business_date, progress)
        _prove(settings, conn, report, progress)
        if report.stopped:
            step.fail("stopped")
    for note in report.notes:
        _LOG.warning("note: %s", note)
    report.raise_if_stopped()
    return report


def extract_group(
    settings: Settings,
    group: str,
    business_date: date,
    *,
    full: bool = False,
    is_refresh: bool = False,
    progress: Progress = silent,
) -> GroupReport:
    """Land, publish and prove one group under its lock. Errors are in the report.

    With `is_refresh` the ledger marks the batches as a refresh's: the night of the date follows.
    """
    with (
        telemetry.step("extract", group, business_date=business_date) as step,
        _locked(settings, [group]) as conn,
    ):
        left = _process_landed(settings, conn, group, business_date, progress)
        landings = _land(
            settings,
            conn,
            [group],
            business_date,
            full=full,
            is_refresh=is_refresh,
            progress=progress,
        )
        report = _process_landed(settings, conn, group, business_date, progress)
        _prove(settings, conn, report, progress)
        if report.stopped or left.stopped or landings.stopped:
            step.fail("stopped")
    report.stopped[:0] = [*left.stopped, *landings.stopped]
    report.batches[:0] = left.batches
    report.notes[:0] = [*left.notes, *landings.notes]
    return report


def extract_feed(
    settings: Settings,
    feed: str,
    business_date: date,
    *,
    full: bool = False,
    progress: Progress = silent,
) -> GroupReport:
    """Extract one feed together with the feeds of its group, which share the snapshot."""
    group = contract_of(feed).group
    return extract_group(settings, group, business_date, full=full, progress=progress)


def extract_all(
    settings: Settings, business_date: date, progress: Progress = silent
) -> list[GroupReport]:
    """Extract all groups in order, registers first. If one fails, the others go on."""
    return [extract_or_tell(settings, group, business_date, progress) for group in groups()]


def extract_or_tell(
    settings: Settings,
    group: str,
    business_date: date,
    progress: Progress = silent,
    *,
    is_refresh: bool = False,
) -> GroupReport:
    """Extract one group; every error is in the report, so that other groups go on."""
    told: ChotsoError
    try:
        return extract_group(
            settings, group, business_date, is_refresh=is_refresh, progress=progress
        )
    except ChotsoError as error:
        told = error
    except psycopg.Error as error:
        told = refused(error)
    except Exception as error:
        _LOG.error("the extract of %s:\n%s", group, frames_of(error))
        told = unexpected(error, f"The extract of {group}")
    return GroupReport(group, business_date, stopped=[str(told)])


def final_extract(
    settings: Settings,
    business_date: date,
    *,
    final_of: str,
    not_before: datetime | None,
    progress: Progress = silent,
) -> FinalExtract:
    """Read every feed whole in one snapshot at or after an instant, and publish it.

    The first attempt that lands all feeds sets `known_at`. A later attempt publishes what that one
    landed. Everything is read anew in three cases: a batch was blocked, a later read had to mend
    control totals, or register rows were missing. So the extract is complete and proven in one
    snapshot.

    Args:
        settings: Where everything is.
        business_date: The cutoff's local date.
        final_of: The period (or rehearsal) that is frozen from it.
        not_before: The cutoff; None for a rehearsal.
        progress: Called with what is being done.

    Raises:
        ChotsoError: The source is away or its clock too early, or totals differ unmended.
    """
    names = list(groups())
    with telemetry.step("extract", "all", final_of=final_of), _locked(settings, names) as conn:
        stopped = [
            s
            for g in names
            for s in _process_landed(settings, conn, g, business_date, progress).stopped
        ]
        known_at = _final_known_at(conn, final_of)
        lacks_rows = known_at is not None and missing.lacks_rows(conn, known_at)
        if known_at is not None and not lacks_rows:
            # an earlier attempt may have been killed before its totals were compared
            stopped += _prove_all(settings, conn, business_date, progress)
        reads_left = _FINAL_READS
        while (
            known_at is None or lacks_rows or (reads_left and _was_mended(conn, final_of, known_at))
        ):
            reads_left -= 1
            lacks_rows = False
            landings = _land(
                settings,
                conn,
                names,
                business_date,
                full=True,
                final_of=final_of,
                not_before=not_before,
                progress=progress,
            )
            known_at = landings.known_at
            stopped += landings.stopped
            for group in names:
                stopped += _process_landed(settings, conn, group, business_date, progress).stopped
            stopped += _prove_all(settings, conn, business_date, progress)
        refuse_unproven(conn)
        return FinalExtract(known_at, _published_at(conn, known_at, final_of), stopped)


def _prove(
    settings: Settings, conn: psycopg.Connection, report: GroupReport, progress: Progress
) -> None:
    """Compare control totals, and report missing rows of feeds that have none."""
    prove(settings, conn, report, progress)
    report.stopped += missing.told(conn, report.group)


def _prove_all(
    settings: Settings, conn: psycopg.Connection, business_date: date, progress: Progress
) -> list[str]:
    reports = [GroupReport(group, business_date) for group in groups()]
    for report in reports:
        _prove(settings, conn, report, progress)
    return [text for report in reports for text in report.stopped]


def _was_mended(conn: psycopg.Connection, final_of: str, known_at: datetime) -> bool:
    """Whether totals of this final extract differed and a later read has mended them."""
    row = conn.execute(
        """
        select count(*)
        from (
            select distinct on (total.feed, total.month) total.status
            from ops.control_total as total
            inner join ops.batch as batch on batch.batch_id = total.checked_batch_id
            where batch.final_of = %s and batch.known_at = %s
            order by total.feed asc, total.month asc, total.entry desc
        ) as newest
        where status = 'different'
        """,
        [final_of, known_at],
    ).fetchone()
    return row is not None and row[0] > 0 and not unmended(conn)


def _final_known_at(conn: psycopg.Connection, final_of: str) -> datetime | None:
    """The known_at of the newest final extract in which every feed was published."""
    row = conn.execute(
        """
        select known_at
        from ops.batch
        where final_of = %s and known_at is not null
        group by known_at
        having count(distinct feed) filter (where status = 'published') = %s
        order by known_at desc
        limit 1
        """,
        [final_of, len(contracts())],
    ).fetchone()
    return row[0] if row else None


def _published_at(conn: psycopg.Connection, known_at: datetime, final_of: str) -> list[str]:
    found = conn.execute(
        "select batch_id from ops.batch where final_of = %s and known_at = %s "
        "and status = 'published' order by batch_id",
        [final_of, known_at],
    )
    return [row[0] for row in found]


@contextmanager
def _locked(settings: Settings, names: list[str]) -> Iterator[psycopg.Connection]:
    with connect(settings) as conn, ExitStack() as locks:
        for name in names:
            if name not in groups():
                raise ChotsoError(
                    f"There is no group {name!r}.", next_step=f"name one of {', '.join(groups())}."
                )
            locks.enter_context(hold(conn, f"extract of {name}"))
        yield conn


def _land(
    settings: Settings,
    conn: psycopg.Connection,
    names: list[str],
    business_date: date,
    *,
    full: bool,
    progress: Progress,
    final_of: str | None = None,
    not_before: datetime | None = None,
    is_refresh: bool = False,
) -> Landings:
    for group in names:
        ledger.give_up_unlanded(conn, group)
    wanted = [contract for group in names for contract in groups()[group]]
    name = names[0] if len(names) == 1 else "all"
    with telemetry.step("land", name, business_date=business_date) as step:
        landings = land(
            settings,
            conn,
            wanted,
            business_date,
            full=full or (is_weekly_full_read(business_date) and not is_refresh),
            final_of=final_of,
            not_before=not_before,
            is_refresh=is_refresh,
            progress=progress,
        )
        if landings.stopped:
            step.fail("stopped")
    return landings


def _process_landed(
    settings: Settings,
    conn: psycopg.Connection,
    group: str,
    business_date: date,
    progress: Progress,
) -> GroupReport:
    """Process what has landed in three steps; the report says what became of it.

    First, tables that a killed run left are dropped. Second, rows in quarantine whose register has
    changed are landed as batches of their own. Third, every landed batch is loaded, judged and
    published.
    """
    report = GroupReport(group, business_date)
    sweep(conn, group)
    judge_again(settings, conn, group)
    process_waiting(settings, conn, report, progress)
    return report
