"""What has landed and waits goes through load, rules and publish, one batch after the other.

A batch that is blocked, refused or fails stops only itself.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import psycopg

from chotso.contracts import Contract, contract
from chotso.errors import ChotsoError
from chotso.ingest import ledger, statement_proof, statements
from chotso.ingest.history import OutOfRangeError
from chotso.ingest.landing_run import Progress
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import commit_landing, drop_tables, load
from chotso.ingest.publish import publish, record_results
from chotso.ingest.validate import validate
from chotso.landing import Landing
from chotso.settings import Settings
from chotso.warehouse import statistics


@dataclass
class GroupReport:
    """What became of a group's batches.

    `batches` has one dict per published batch (batch_id, feed, rows_*, money_*); `stopped` says
    what was blocked or refused, each with what was kept and what to do next; `notes` tells what
    stopped nothing and is still worth knowing.
    """

    group: str
    business_date: date
    batches: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

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


def publish_waiting(
    settings: Settings, conn: psycopg.Connection, report: GroupReport, progress: Progress
) -> None:
    """Publish the group's landed batches in order; the report says what became of each."""
    landing = Landing(settings.landing_url)
    for batch in ledger.waiting(conn, report.group):
        item = contract(batch.feed)
        progress(f"{item.feed}: publishing {batch.delivery_name or batch.batch_id}")
        stopped = _publish_batch(settings, conn, landing, item, batch, report)
        drop_tables(conn, batch.batch_id)
        commit_landing(conn)
        statistics.gather(conn)  # what comes next is planned on what was just published
        if stopped:
            report.stopped.append(stopped)


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
    except OutOfRangeError as error:
        return _stop(conn, batch, "blocked", error.what, error.next_step)
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        # Its message may quote a value, so only its kind is told.
        conn.rollback()
        reason = f"the warehouse refused its rows ({type(error).__name__}, {error.sqlstate})"
        step = "read the server's log for this batch's tables, and report it: it must not happen."
        return _stop(conn, batch, "failed", reason, step)
    except ChotsoError as error:
        conn.rollback()
        ledger.stop(conn, batch.batch_id, "failed", error.what)
        return str(error)
    if item.history == "statement":
        report.notes += statement_proof.unproven(conn, item, batch)
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
