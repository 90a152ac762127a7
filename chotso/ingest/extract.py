"""Reads the sources into the landing archive: one snapshot, one known_at, write-once files."""

from datetime import date, datetime
from typing import Any

import psycopg

from chotso.calendar import local_date, local_instant
from chotso.contracts import Contract, TableSource
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import ledger
from chotso.ingest.extract_files import land_files
from chotso.ingest.extract_table import land_table
from chotso.ingest.landing_run import (
    LandingRun,
    Landings,
    NotDueError,
    Read,
    every_feed_recorded,
)
from chotso.progress import Progress, silent
from chotso.settings import Settings
from chotso.source.database import open_snapshot
from chotso.source.faults import SourceFault


def land(
    settings: Settings,
    conn: psycopg.Connection,
    contracts: list[Contract],
    business_date: date,
    *,
    full: bool = False,
    months: list[date] | None = None,
    keys: dict[str, list[tuple[Any, ...]]] | None = None,
    final_of: str | None = None,
    not_before: datetime | None = None,
    is_refresh: bool = False,
    progress: Progress = silent,
) -> Landings:
    """Land feeds of one or more groups from one snapshot; the caller holds the groups' locks.

    All batches are recorded as landed in one transaction at the end. If the run is killed before,
    none of them counts. If it ends with an error, each feed has its row and the reason.

    Args:
        settings: Where source, drop folder and archive are.
        conn: The warehouse.
        contracts: Of the feeds to read, in order.
        business_date: The date that is read for.
        full: Read the open year whole.
        months: Read these months whole and nothing else; the position stays.
        keys: Read the rows with these keys, by feed, and nothing else; the position stays.
        final_of: The period whose final extract this is.
        not_before: The earliest instant the source's clock may show.
        is_refresh: The read is a refresh; the night of the date follows.
        progress: Called with what is being read.

    Raises:
        ChotsoError: The source is away, its clock went back, or the date lies after it.
    """
    read = Read(business_date, full, months, final_of, keys, is_refresh)
    with (
        every_feed_recorded(conn, contracts, read) as begun,
        open_snapshot(settings.source_url) as snapshot,
    ):
        _refuse_too_early(snapshot.known_at, business_date, not_before)
        _check_clock(conn, contracts, snapshot.known_at)
        landings = Landings(snapshot.known_at)
        run = LandingRun(settings, conn, snapshot, read, progress, landings, begun=begun)
        try:
            for contract in contracts:
                _land_one(run, contract)
        except BaseException as error:
            run.give_up(error)
            raise
    failpoint(f"land.before-ledger.{contracts[0].group}")
    for manifest in run.ready:
        ledger.record_landed(conn, manifest)
    conn.commit()
    failpoint(f"land.done.{contracts[0].group}")
    return landings


def _land_one(run: LandingRun, contract: Contract) -> None:
    """Land one feed. An error of its own relation stops this feed and no other."""
    run.progress(f"{contract.feed}: reading")
    try:
        if isinstance(contract.source, TableSource):
            land_table(run, contract, contract.source)
        else:
            land_files(run, contract, contract.source)
    except SourceFault as error:
        run.stop_unfinished(contract, error)


def _refuse_too_early(known_at: datetime, business_date: date, not_before: datetime | None) -> None:
    if business_date > local_date(known_at):
        raise NotDueError(
            f"Business date {business_date} lies after the source's clock "
            f"({local_instant(known_at)}).",
            kept="nothing was read.",
            next_step=f"name a date up to {local_date(known_at)}, or check the source's clock.",
        )
    if not_before is not None and known_at < not_before:
        raise NotDueError(
            f"The source's clock shows {local_instant(known_at)}, before "
            f"{local_instant(not_before)}.",
            kept="nothing was read.",
            next_step="run it again when the source's clock has passed that instant.",
        )


def _check_clock(conn: psycopg.Connection, contracts: list[Contract], known_at: datetime) -> None:
    for group in dict.fromkeys(contract.group for contract in contracts):
        newest = ledger.newest_known_at(conn, group)
        if newest is not None and known_at < newest:
            raise ChotsoError(
                f"The source's clock went back: it shows {local_instant(known_at)}, and the group "
                f"{group} is already known at {local_instant(newest)}.",
                kept="nothing was read; what was published stands.",
                next_step="have the source's clock set right, then run the same command again.",
            )
