"""Processes landed batches one after the other: load, judge, publish.

A batch that is blocked, refused or fails stops only itself.
"""

import logging
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import psycopg

from chotso import telemetry
from chotso.contracts import Contract, contract_of
from chotso.errors import ChotsoError
from chotso.ingest import ledger, statement_proof, statements
from chotso.ingest.history import OutOfRangeError
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import commit_landing, drop_tables, load
from chotso.ingest.publish import Counts, publish_judged, record_results
from chotso.ingest.validate import validate
from chotso.landing import Landing
from chotso.progress import Progress
from chotso.settings import Settings
from chotso.warehouse import statistics

_LOG = logging.getLogger(__name__)


@dataclass
class GroupReport:
    """What became of a group's batches.

    `batches` has one dict per published batch (batch_id, feed, rows_*, money_*). `stopped` has a
    message per batch that was blocked or refused: what, what was kept, what to do next. `notes` has
    messages on things that stopped nothing.
    """

    group: str
    business_date: date
    batches: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def raise_if_stopped(self) -> None:
        """Raise an error if anything was stopped, after the rest has been published.

        Raises:
            ChotsoError: Something was blocked or refused.
        """
        if self.stopped:
            raise ChotsoError(
                "\n".join(self.stopped),
                kept="everything else of the group was published; earlier figures stand.",
                next_step="see to what is named above, then run the same command again.",
            )


def process_waiting(
    settings: Settings, conn: psycopg.Connection, report: GroupReport, progress: Progress
) -> None:
    """Load, judge and publish the group's landed batches in order; fills the report."""
    landing = Landing(settings.landing_url)
    for batch in ledger.waiting(conn, report.group):
        contract = contract_of(batch.feed)
        progress(f"{contract.feed}: publishing {batch.delivery_name or batch.batch_id}")
        began = time.monotonic()
        with telemetry.step("batch", batch.feed, batch_id=batch.batch_id) as step:
            done = _process_batch(settings, conn, landing, contract, batch, report)
            _tell(batch, done, time.monotonic() - began, step)
        drop_tables(conn, batch.batch_id)
        commit_landing(conn)
        # The next batch's queries need statistics of what was just published.
        statistics.gather(conn)
        if isinstance(done, str):
            report.stopped.append(done)


def _process_batch(
    settings: Settings,
    conn: psycopg.Connection,
    landing: Landing,
    contract: Contract,
    batch: LandedBatch,
    report: GroupReport,
) -> Counts | str:
    """The counts of what was published, or the message why nothing was."""
    try:
        load(conn, landing, contract, batch)
        if batch.stated_at and (scope := statements.conflict(conn, contract, batch)):
            return _stop(conn, batch, "refused", f"the same instant was already stated for {scope}")
        results = validate(settings, conn, contract, batch)
        blocking = [r for r in results if r.rows_failed and r.rule.severity == "block"]
        if blocking:
            record_results(conn, contract, batch, results)
            rule = blocking[0].rule
            reason = f"rule {rule.id}: {rule.sentence_en} {blocking[0].detail or ''}".strip()
            return _stop(conn, batch, "blocked", reason, rule.next_action)
        counts = publish_judged(conn, contract, batch, results)
    except OutOfRangeError as error:
        return _stop(conn, batch, "blocked", error.what, error.next_step)
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        # The error's message may contain values of rows, so only its type is reported.
        conn.rollback()
        reason = f"the warehouse refused its rows ({type(error).__name__}, {error.sqlstate})"
        step = "read the server's log for this batch's tables, and report it: it must not happen."
        return _stop(conn, batch, "failed", reason, step)
    except ChotsoError as error:
        conn.rollback()
        ledger.stop(conn, batch.batch_id, "failed", error.what)
        return str(error)
    if contract.kept_as == "statement":
        report.notes += statement_proof.unproven(conn, contract, batch)
    report.batches.append({"batch_id": batch.batch_id, "feed": contract.feed, **asdict(counts)})
    return counts


def _tell(batch: LandedBatch, done: Counts | str, seconds: float, step: telemetry.Step) -> None:
    """Log what became of a batch, and tell it to telemetry: numbers, no reason."""
    if isinstance(done, str):
        step.fail("stopped")
        _LOG.info("stopped %s: batch %s, %.1f s", batch.feed, batch.batch_id, seconds)
        return
    parts = {
        "delivered": (done.rows_delivered, done.money_delivered),
        "accepted": (done.rows_accepted, done.money_accepted),
        "set aside": (done.rows_quarantined, done.money_quarantined),
    }
    for outcome, (rows, money) in parts.items():
        step.count(outcome, rows=rows, money=money)
    _LOG.info(
        "published %s: batch %s, %s, %s rows changed, %.1f s",
        batch.feed,
        batch.batch_id,
        ", ".join(f"{o} {rows:,} rows / {money:,} đồng" for o, (rows, money) in parts.items()),
        f"{done.rows_changed:,}",
        seconds,
    )


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
