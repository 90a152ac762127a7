"""Waiving: a person has looked at a row or file and decides that it stays out."""

from dataclasses import dataclass

from chotso import acts
from chotso.contracts import contract_of
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.quarantine.clock import refuse_if_back, source_clock
from chotso.quarantine.rows import open_row
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold

_WAIVE = """
update quarantine.row
set status = 'waived', resolved_at = %s, resolution = %s, resolved_by = %s
where id = %s and status = 'open'
returning row_sha256
"""


_REFUSED = """
select feed, delivery_name, sha256, delivery_sha256, reason
from ops.batch as refused
where batch_id = %s and status = 'refused' and delivery_name is not null and not exists (
    select from ops.operator_act as act
    where act.kind = 'waive_file' and act.subject ->> 'batch_id' = refused.batch_id
)
"""


@dataclass(frozen=True)
class WaiveReport:
    """The waived row, and the recorded act."""

    id: int
    feed: str
    row_key: str
    act: acts.Act


def waive(settings: Settings, row_id: int, *, reason: str, by: str) -> WaiveReport:
    """Waive an open row; this version never counts, even if it is delivered again.

    A changed version of the row is judged normally. The act is landed, and recorded in the
    transaction that changes the row.

    Args:
        settings: Where everything is.
        row_id: The row's id.
        reason: Why, in words.
        by: Who says so.

    Raises:
        ChotsoError: Reason or name is empty, there is no such row, it is not open, the source (and
            with it the clock) is away, or the archive cannot be written.
    """
    why, who = acts.stated("reason", reason), acts.stated("name", by)
    with connect(settings) as conn:
        contract = contract_of(open_row(conn, row_id).feed)
        with hold(conn, f"extract of {contract.group}"):
            row = open_row(conn, row_id)
            clock = source_clock(settings)
            refuse_if_back(conn, contract, clock)
            changed = conn.execute(_WAIVE, [clock, why, who, row_id]).fetchone()
            if changed is None:
                raise ChotsoError(
                    f"Row {row_id} has just ended.",
                    kept="it stays as it is.",
                    next_step="run `chotso quarantine list` for the rows that are open.",
                )
            subject = {
                "feed": row.feed,
                "row_key": row.row_key,
                "row_sha256": changed[0],
                "rule_ids": row.rule_ids,
                "money": str(row.money),
                "first_seen": row.first_seen.isoformat(),
            }
            act = acts.record(
                settings, conn, "waive", subject, reason=why, acted_by=who, known_at=clock
            )
            failpoint("waive.before-commit")
            conn.commit()
    return WaiveReport(row_id, row.feed, row.row_key, act)


@dataclass(frozen=True)
class FileReport:
    """The waived file, and the recorded act."""

    batch_id: str
    feed: str
    delivery_name: str
    act: acts.Act


def waive_file(settings: Settings, batch_id: str, *, reason: str, by: str) -> FileReport:
    """Record that a refused file is no delivery: it stops no freeze and is not reported any more.

    It is read again if its bytes change. The source's clock must answer, as for a row.

    Args:
        settings: Where everything is.
        batch_id: The batch that was refused.
        reason: Why, in words.
        by: Who says so.

    Raises:
        ChotsoError: Reason or name is empty, the batch is no refused file or was waived before,
            the source is away, or the archive cannot be written.
    """
    why, who = acts.stated("reason", reason), acts.stated("name", by)
    with connect(settings) as conn:
        found = conn.execute(_REFUSED, [batch_id]).fetchone()
        if found is None:
            raise ChotsoError(
                f"{batch_id} is no refused file that waits for a decision.",
                kept="nothing was changed.",
                next_step="`chotso status` names the files that are refused, with their batches.",
            )
        feed, name, sha256, identity, said = found
        contract = contract_of(feed)
        with hold(conn, f"extract of {contract.group}"):
            clock = source_clock(settings)
            refuse_if_back(conn, contract, clock)
            subject = {
                "feed": feed,
                "batch_id": batch_id,
                "delivery_name": name,
                "sha256": sha256,
                "delivery_sha256": identity,
                "refused_because": said,
            }
            act = acts.record(
                settings, conn, "waive_file", subject, reason=why, acted_by=who, known_at=clock
            )
            conn.commit()
    return FileReport(batch_id, feed, name, act)
