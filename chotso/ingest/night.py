"""A night: every group through publish, then the build. What is stopped is named; the rest goes on.

A run that was killed is finished by running it again: what had landed is published, what had not
is read anew.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg

from chotso.contracts import Contract, contract, contracts, groups
from chotso.errors import ChotsoError
from chotso.ingest import ledger, statements
from chotso.ingest.extract import Landings, land
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import drop_tables, load, sweep
from chotso.ingest.publish import publish, record_results
from chotso.ingest.rejudge import land_again
from chotso.ingest.validate import validate
from chotso.landing import Landing
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold

Progress = Callable[[str], None]


def _quiet(_: str) -> None:
    """Tell nobody."""


@dataclass
class GroupReport:
    """What became of a group's batches.

    `batches` has one dict per published batch (batch_id, feed, rows_*, money_*); `stopped` says
    what was blocked or refused, each with what was kept and what to do next.
    """

    group: str
    business_date: date
    batches: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def raise_if_stopped(self) -> None:
        """Fail after the rest went on.

        Raises:
            ChotsoError: Something was blocked or refused.
        """
        if self.stopped:
            raise ChotsoError(
                "\n".join(self.stopped),
                kept="everything else of the group was published; earlier figures stand.",
                next_step="see to what is named above, then run the same command again.",
            )


@dataclass(frozen=True)
class FinalExtract:
    """The extract that a release is frozen from: every feed, in one snapshot."""

    known_at: datetime
    batch_ids: list[str]
    stopped: list[str]


def land_group(
    settings: Settings,
    group: str,
    business_date: date,
    full: bool = False,
    progress: Progress = _quiet,
) -> list[str]:
    """Read a group's feeds in one snapshot into the landing archive; returns the batch ids.

    Raises:
        ChotsoError: The source is away, its clock went back, the date lies after it, or a file or
            relation was stopped at the door (the rest has landed).
    """
    with _locked(settings, [group]) as conn:
        landings = _land(settings, conn, [group], business_date, full=full, progress=progress)
    report = GroupReport(group, business_date, stopped=landings.stopped)
    report.raise_if_stopped()
    return landings.batch_ids


def publish_group(
    settings: Settings, group: str, business_date: date, progress: Progress = _quiet
) -> GroupReport:
    """Load, validate and publish all that a group has landed, this run's and earlier ones'.

    Raises:
        ChotsoError: A batch was blocked or refused; the rest was published.
    """
    with _locked(settings, [group]) as conn:
        report = _publish(settings, conn, group, business_date, progress)
    report.raise_if_stopped()
    return report


def extract_group(
    settings: Settings,
    group: str,
    business_date: date,
    *,
    full: bool = False,
    progress: Progress = _quiet,
) -> GroupReport:
    """One group from source through publish, under its lock; what was stopped is in the report."""
    with _locked(settings, [group]) as conn:
        left = _publish(settings, conn, group, business_date, progress)
        landings = _land(settings, conn, [group], business_date, full=full, progress=progress)
        report = _publish(settings, conn, group, business_date, progress)
    report.stopped[:0] = [*left.stopped, *landings.stopped]
    report.batches[:0] = left.batches
    return report


def extract_feed(
    settings: Settings,
    feed: str,
    business_date: date,
    *,
    full: bool = False,
    progress: Progress = _quiet,
) -> GroupReport:
    """One feed through publish, with those that share its snapshot."""
    group = contract(feed).group
    return extract_group(settings, group, business_date, full=full, progress=progress)


def extract_all(
    settings: Settings, business_date: date, progress: Progress = _quiet
) -> list[GroupReport]:
    """All groups in order, registers first; one that fails is reported and the rest goes on."""
    reports = []
    for group in groups():
        try:
            reports.append(extract_group(settings, group, business_date, progress=progress))
        except ChotsoError as error:
            reports.append(GroupReport(group, business_date, stopped=[str(error)]))
    return reports


def final_extract(
    settings: Settings,
    business_date: date,
    *,
    final_of: str,
    not_before: datetime | None,
    progress: Progress = _quiet,
) -> FinalExtract:
    """Every feed whole, in one snapshot at or after an instant, published.

    The first attempt that has landed all of it fixes `known_at`; a later attempt publishes what
    that one landed. When a batch of it was blocked, the next attempt reads everything anew.

    Args:
        settings: Where everything is.
        business_date: The cutoff's local date.
        final_of: The period (or rehearsal) that is frozen from it.
        not_before: The cutoff; None for a rehearsal.
        progress: Told what is being done.
    """
    names = list(groups())
    with _locked(settings, names) as conn:
        stopped = [
            s for g in names for s in _publish(settings, conn, g, business_date, progress).stopped
        ]
        known_at = _landed_final(conn, final_of)
        if known_at is None:
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
                stopped += _publish(settings, conn, group, business_date, progress).stopped
        return FinalExtract(known_at, _published_at(conn, known_at, final_of), stopped)


def _landed_final(conn: psycopg.Connection, final_of: str) -> datetime | None:
    """The known_at of the newest final extract of which every feed was published."""
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
) -> Landings:
    for group in names:
        ledger.give_up_unlanded(conn, group)
    items = [item for group in names for item in groups()[group]]
    return land(
        settings,
        conn,
        items,
        business_date,
        full=full,
        final_of=final_of,
        not_before=not_before,
        progress=progress,
    )


def _publish(
    settings: Settings,
    conn: psycopg.Connection,
    group: str,
    business_date: date,
    progress: Progress,
) -> GroupReport:
    report = GroupReport(group, business_date)
    landing = Landing(settings.landing_url)
    sweep(conn, group)
    land_again(settings, conn, group)
    for batch in ledger.waiting(conn, group):
        item = contract(batch.feed)
        progress(f"{item.feed}: publishing {batch.delivery_name or batch.batch_id}")
        stopped = _publish_batch(settings, conn, landing, item, batch, report)
        drop_tables(conn, batch.batch_id)
        conn.commit()
        if stopped:
            report.stopped.append(stopped)
    return report


def _publish_batch(
    settings: Settings,
    conn: psycopg.Connection,
    landing: Landing,
    item: Contract,
    batch: LandedBatch,
    report: GroupReport,
) -> str | None:
    try:
        load(conn, landing, item, batch)
        if batch.stated_at and (scope := statements.conflict(conn, item, batch)):
            return _stop(conn, batch, "refused", f"the same instant was already stated for {scope}")
        results = validate(settings, conn, item, batch)
        blocking = [r for r in results if r.rows_failed and r.rule.severity == "block"]
        if blocking:
            record_results(conn, item, batch, results)
            rule = blocking[0].rule
            reason = f"rule {rule.id}: {rule.sentence_en} {blocking[0].detail or ''}".strip()
            return _stop(conn, batch, "blocked", reason, rule.next_action)
        counts = publish(conn, item, batch, results)
    except ChotsoError as error:
        conn.rollback()
        ledger.stop(conn, batch.batch_id, "failed", error.what)
        return str(error)
    report.batches.append({"batch_id": batch.batch_id, "feed": item.feed, **asdict(counts)})
    return None


def _stop(
    conn: psycopg.Connection,
    batch: LandedBatch,
    status: str,
    reason: str,
    next_step: str = "have the sender deliver it again; it is read again when its bytes change.",
) -> str:
    ledger.stop(conn, batch.batch_id, status, reason)
    name = f"{batch.batch_id} ({batch.delivery_name})" if batch.delivery_name else batch.batch_id
    error = ChotsoError(
        f"{name} is {status}: {reason}.",
        kept="its landing; what was published before stands.",
        next_step=next_step,
    )
    return str(error)
