"""Replay: judges rows in quarantine again, after the source or a rule was mended.

Rows of the collection system are read from it again by key, also because personal data are kept
masked only. Rows of files come from the archive. Either way they form a normal batch: landed,
loaded, judged, and published in one transaction under the group's lock. It closes only lines of
documents that are read in full, and it moves no position.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg

from chotso.contracts import Contract, TableSource, groups
from chotso.errors import ChotsoError
from chotso.ingest import ledger, rejudge
from chotso.ingest.extract import land
from chotso.ingest.load import sweep
from chotso.ingest.waiting import GroupReport, process_waiting
from chotso.progress import Progress, silent
from chotso.quarantine.clock import refuse_if_back, source_clock
from chotso.quarantine.rows import AsideRow, open_row, row_set_aside, rows_set_aside
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold


@dataclass(frozen=True)
class Replayed:
    """What became of one row: its status, and if it is open, what it broke and what to do.

    `resolution` says how it ended (`accepted`, or another version or statement replaced it).
    `open_as` is the id of the row's newest open version: itself, or one that replaced it.
    """

    id: int
    feed: str
    row_key: str
    status: str
    resolution: str | None
    open_as: int | None = None
    rule_id: str | None = None
    sentence_vi: str | None = None
    sentence_en: str | None = None
    next_step: str | None = None


@dataclass
class ReplayReport:
    """The result of a replay: the rows asked for, the batches published, and what was stopped."""

    rows: list[Replayed] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def raise_if_left(self) -> None:
        """Raise an error if a row is still open or a batch was stopped.

        Raises:
            ChotsoError: With the rule and the next step of each row, up to ten.
        """
        left = [row for row in self.rows if row.open_as is not None]
        if not left and not self.stopped:
            return
        told = [
            f"Row {row.id} ({row.feed} {row.row_key}) stays open"
            f"{'' if row.open_as == row.id else f', now as row {row.open_as}'}: {row.rule_id}: "
            f"{row.sentence_en} {row.sentence_vi}\n  Next: {row.next_step}"
            for row in left[:10]
        ]
        more = [f"and {len(left) - 10} more rows stay open."] if len(left) > 10 else []
        raise ChotsoError(
            "\n".join([*self.stopped, *told, *more]),
            kept="the rows, with when they were first seen; what passed its rules was published.",
            next_step="have what is named mended and replay again, or waive a row that stays out.",
        )


def replay(
    settings: Settings, row_id: int | None = None, progress: Progress = silent
) -> ReplayReport:
    """Judge one open row, or all of them, again.

    Args:
        settings: Where everything is.
        row_id: One row; None for every open one.
        progress: Told what is being done.

    Raises:
        ChotsoError: There is no such row or it is not open, or a lock is still held.
    """
    report = ReplayReport()
    with connect(settings) as conn:
        asked = rows_set_aside(conn) if row_id is None else [open_row(conn, row_id)]
        for group, feeds_of_group in groups().items():
            names = {contract.feed for contract in feeds_of_group}
            if any(row.feed in names for row in asked):
                _replay_group(settings, conn, group, row_id, report, progress)
        conn.commit()
        still_open = {(row.feed, row.row_key): row for row in rows_set_aside(conn)}
        for row in asked:
            now = row_set_aside(conn, row.id)
            left = now if now.status == "open" else still_open.get((row.feed, row.row_key))
            report.rows.append(_outcome(now, left, report))
    return report


def _replay_group(
    settings: Settings,
    conn: psycopg.Connection,
    group: str,
    row_id: int | None,
    report: ReplayReport,
    progress: Progress,
) -> None:
    with hold(conn, f"extract of {group}"):
        sweep(conn, group)
        ledger.give_up_unlanded(conn, group)
        published = GroupReport(group, _business_date(conn, group))
        # Batches of a killed run are processed first: they may settle a row already.
        process_waiting(settings, conn, published, progress)
        rows = [r for r in rows_set_aside(conn) if row_id is None or r.id == row_id]
        try:
            published.stopped += _land(settings, conn, group, rows, progress)
            process_waiting(settings, conn, published, progress)
        except ChotsoError as error:
            conn.rollback()
            published.stopped.append(str(error))
    report.batches += published.batches
    report.stopped += published.stopped


def _land(
    settings: Settings,
    conn: psycopg.Connection,
    group: str,
    rows: list[AsideRow],
    progress: Progress,
) -> list[str]:
    """Land the group's rows; returns messages on what was stopped."""
    by_feed = {c.feed: [r for r in rows if r.feed == c.feed] for c in groups()[group]}
    from_source: list[Contract] = []
    keys: dict[str, list[tuple[Any, ...]]] = {}
    for contract in groups()[group]:
        found = by_feed[contract.feed]
        if isinstance(contract.source, TableSource):
            keys[contract.feed] = _keys(contract, found)
            if keys[contract.feed]:
                from_source.append(contract)
        elif found:
            clock = source_clock(settings)
            refuse_if_back(conn, contract, clock)
            rejudge.judge_named_again(settings, conn, contract, [r.id for r in found], clock)
    if not from_source:
        return []
    day = _business_date(conn, group)
    return land(settings, conn, from_source, day, keys=keys, progress=progress).stopped


def _business_date(conn: psycopg.Connection, group: str) -> date:
    """The newest date that the group has published; a replay adds no date."""
    row = conn.execute(
        "select max(business_date) from ops.batch where status = 'published' and feed_group = %s",
        [group],
    ).fetchone()
    assert row is not None
    day: date = row[0]
    return day


def _keys(contract: Contract, rows: list[AsideRow]) -> list[tuple[Any, ...]]:
    """The typed keys to read; a row with an incomplete key cannot be read."""
    found = {
        tuple(_typed(contract, name, row.row.get(name)) for name in contract.key) for row in rows
    }
    return sorted((key for key in found if None not in key), key=str)


def _typed(contract: Contract, name: str, value: Any) -> Any:
    if value is not None and contract.landed[name].type == "date":
        return date.fromisoformat(value)
    return value


def _outcome(row: AsideRow, left: AsideRow | None, report: ReplayReport) -> Replayed:
    """What became of a row; `left` is its version that is open now."""
    if left is None:
        return Replayed(row.id, row.feed, row.row_key, row.status, row.resolution)
    rules = left.broken_rules()
    rule = rules[0] if rules else None
    next_step = rule.next_action_en if rule else None
    if not report.stopped and left.batch_id not in {b["batch_id"] for b in report.batches}:
        next_step = (
            "it was not found again: it has no key to ask the source for, or the source has no "
            "row with this key any more. Have it delivered again, or waive it."
        )
    return Replayed(
        row.id,
        row.feed,
        row.row_key,
        row.status,
        row.resolution,
        left.id,
        left.rule_id,
        rule.sentence_vi if rule else None,
        rule.sentence_en if rule else None,
        next_step,
    )
