"""One landing run: what it was asked to read, what it has landed, and the archive it lands in."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg

from chotso.contracts import Contract, TableSource
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import ledger
from chotso.landed import BatchManifest, Landed, batch_folder
from chotso.landing import Landing
from chotso.progress import Progress
from chotso.settings import Settings
from chotso.source.drop_folder import Delivery
from chotso.source.snapshot import Snapshot

_LOG = logging.getLogger(__name__)


class NotDueError(ChotsoError):
    """The source's clock has not reached what was asked for. No feed is missing."""


@dataclass
class Landings:
    """What one snapshot landed: batches to publish, what was stopped before that, and messages."""

    known_at: datetime
    batch_ids: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Read:
    """What a run was asked to read.

    Attributes:
        business_date: The date that is read for.
        full: The open year whole.
        months: These months whole and nothing else.
        final_of: The period whose final extract this is.
        keys: The rows with these keys, by feed, and nothing else.
        is_refresh: The read is a refresh; the night of the date follows.
    """

    business_date: date
    full: bool = False
    months: list[date] | None = None
    final_of: str | None = None
    keys: dict[str, list[tuple[Any, ...]]] | None = None
    is_refresh: bool = False

    @property
    def is_of_a_night(self) -> bool:
        """Whether every feed is read for its date, and not single months or rows again."""
        return not self.months and not self.keys

    def mode_of(self, contract: Contract) -> str:
        """How a feed is read for its date."""
        if not isinstance(contract.source, TableSource):
            return "file"
        if contract.source.read == "whole":
            return "whole"
        return "year" if self.full else "changes"


@contextmanager
def every_feed_recorded(
    conn: psycopg.Connection, contracts: list[Contract], read: Read
) -> Iterator[set[str]]:
    """Record feeds that an error kept from being read, so that the ledger says what is missing.

    Yields:
        The feeds of which the ledger has a batch of this run; to be filled by the block.
    """
    begun: set[str] = set()
    try:
        yield begun
    except NotDueError:
        raise
    except BaseException as error:
        if not (conn.closed or conn.broken):
            with suppress(psycopg.Error):  # the error itself matters more
                conn.rollback()
                for contract in contracts:
                    if contract.feed not in begun:
                        record_unread(conn, contract, read, reason_of(error))
        raise


def record_unread(conn: psycopg.Connection, contract: Contract, read: Read, reason: str) -> None:
    """Insert a failed batch of a feed of which nothing was read for its date; commits."""
    if not read.is_of_a_night:
        return
    mode = read.mode_of(contract)
    batch_id = ledger.start(
        conn,
        contract,
        read.business_date,
        mode,
        final_of=read.final_of,
        is_refresh=read.is_refresh,
    )
    ledger.stop(conn, batch_id, "failed", f"nothing of it was read: {reason}")


def reason_of(error: BaseException) -> str:
    """The ledger's text for an error. The text of an unknown error may hold values of rows."""
    return error.what if isinstance(error, ChotsoError) else type(error).__name__


def _measured(landed: Landed) -> Iterator[str]:
    """Rows, and the sum of each column of money."""
    yield f"{landed.data.rows:,} rows"
    yield from (f"{column} {total:,} đồng" for column, total in landed.data.sums.items())


@dataclass
class LandingRun:
    """The landing of several feeds in one snapshot.

    Attributes:
        ready: Batches whose folders are complete, before the ledger says so.
        modes: How each batch of this run is read, by its id.
        begun: Feeds of which the ledger has a batch of this run.
        started: When each batch was begun (`time.monotonic()`), by its id.
    """

    settings: Settings
    conn: psycopg.Connection
    snapshot: Snapshot
    read: Read
    progress: Progress
    landings: Landings
    ready: list[BatchManifest] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    started: dict[str, float] = field(default_factory=dict)

    @property
    def landing(self) -> Landing:
        """The archive."""
        return Landing(self.settings.landing_url)

    def start(self, contract: Contract, mode: str, delivery: Delivery | None = None) -> str:
        """Write a batch into the ledger before its work begins; returns its id."""
        named = (delivery.name, delivery.sha256, delivery.identity) if delivery else None
        batch_id = ledger.start(
            self.conn,
            contract,
            self.read.business_date,
            mode,
            final_of=self.read.final_of,
            delivery=named,
            landing=self.landing,
            is_refresh=self.read.is_refresh,
        )
        self.modes[batch_id] = mode
        self.begun.add(contract.feed)
        self.started[batch_id] = time.monotonic()
        return batch_id

    def stop_unfinished(self, contract: Contract, error: ChotsoError) -> None:
        """End the batches that an error of one relation left unfinished; landed ones stay."""
        done = set(self.landings.batch_ids)
        ledger.fail(self.conn, [each for each in self.modes if each not in done], error.what)
        if contract.feed not in self.begun:
            record_unread(self.conn, contract, self.read, error.what)
            self.begun.add(contract.feed)
        self.landings.stopped.append(str(error))

    def give_up(self, error: BaseException) -> None:
        """End every batch of this run: none counts. A warehouse that is away is not updated."""
        if self.conn.closed or self.conn.broken:
            return
        self.conn.rollback()
        reason = f"the run ended before it had landed: {reason_of(error)}"
        ledger.fail(self.conn, list(self.modes), reason)

    def folder(self, contract: Contract, batch_id: str) -> str:
        """The batch's folder in the archive."""
        return batch_folder(contract.feed, self.read.business_date, batch_id)

    def done(
        self,
        contract: Contract,
        batch_id: str,
        landed: Landed,
        *,
        position: str | None = None,
        stated_at: datetime | None = None,
    ) -> None:
        """Complete a batch's folder with its manifest."""
        manifest = BatchManifest(
            batch_id=batch_id,
            feed=contract.feed,
            business_date=self.read.business_date,
            read_mode=self.modes[batch_id],
            known_at=self.snapshot.known_at,
            source_position=position,
            stated_at=stated_at,
            landed=landed,
        )
        self.landing.write_manifest(manifest.folder, manifest.as_json())
        self.ready.append(manifest)
        self.landings.batch_ids.append(batch_id)
        _LOG.info(
            "landed %s: batch %s, %s, %.1f s",
            contract.feed,
            batch_id,
            ", ".join(_measured(landed)),
            time.monotonic() - self.started[batch_id],
        )
        failpoint(f"landed.{contract.feed}")
