"""From the sources into the landing archive: one snapshot, one known_at, write-once files."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from chotso.calendar import local_date
from chotso.contracts import Column, Contract, FileSource, TableSource
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import ledger, schema_drift
from chotso.ingest.pseudonym_key import check_key
from chotso.landing import LandedFile, Landing
from chotso.settings import Settings
from chotso.source.arrow import ROW_NUMBER, UNREADABLE, arrow_type, landed_schema
from chotso.source.database import Snapshot, open_snapshot
from chotso.source.drop_folder import Delivery, DropFolder, RefusedDeliveryError
from chotso.source.files import parse
from chotso.source.pseudonym import pseudonymiser
from chotso.source.queries import (
    CONTROL_COLUMNS,
    CONTROL_RELATION,
    ReadRequest,
    control_query,
    rows_query,
    scope_query,
)

Progress = Callable[[str], None]


@dataclass
class Landings:
    """What one snapshot landed: batches to publish, what was stopped at the door, what is new."""

    known_at: datetime
    batch_ids: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Ready:
    """A batch whose files stand in the archive, before the ledger says so."""

    batch_id: str
    files: dict[str, LandedFile]
    folder: str
    position: str | None = None
    stated_at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def land(
    settings: Settings,
    conn: psycopg.Connection,
    items: list[Contract],
    business_date: date,
    *,
    full: bool = False,
    months: list[date] | None = None,
    keys: dict[str, list[tuple[Any, ...]]] | None = None,
    final_of: str | None = None,
    not_before: datetime | None = None,
    progress: Progress = lambda _: None,
) -> Landings:
    """Land feeds of one or more groups from one snapshot; the caller holds the groups' locks.

    All batches become landed in one transaction at the end: a killed run leaves none of them.

    Args:
        settings: Where source, drop folder and archive are.
        conn: The warehouse.
        items: Contracts, in order.
        business_date: The date that is read for.
        full: Read the open year whole.
        months: Read these months whole and nothing else; the position stays.
        keys: Read the rows with these keys, by feed, and nothing else; the position stays.
        final_of: The period whose final extract this is.
        not_before: The earliest instant the source's clock may show.
        progress: Told what is being read.

    Raises:
        ChotsoError: The source is away, its clock went back, or the date lies after it.
    """
    with open_snapshot(settings.source_url) as snapshot:
        _check_clock(conn, items, snapshot.known_at, business_date, not_before)
        landings = Landings(snapshot.known_at)
        read = _Read(business_date, full, months, final_of, keys)
        run = _Run(settings, conn, snapshot, read, progress, landings)
        for item in items:
            run.land(item)
    failpoint(f"land.before-ledger.{items[0].group}")
    for ready in run.ready:
        ledger.landed(
            conn,
            ready.batch_id,
            landings.known_at,
            ready.files,
            folder=ready.folder,
            position=ready.position,
            stated_at=ready.stated_at,
            facts=ready.facts,
        )
    conn.commit()
    failpoint(f"land.done.{items[0].group}")
    return landings


def _check_clock(
    conn: psycopg.Connection,
    items: list[Contract],
    known_at: datetime,
    business_date: date,
    not_before: datetime | None,
) -> None:
    if business_date > local_date(known_at):
        raise ChotsoError(
            f"Business date {business_date} lies after the source's clock "
            f"({known_at.isoformat()}).",
            kept="nothing was read.",
            next_step=f"name a date up to {local_date(known_at)}, or check the source's clock.",
        )
    if not_before is not None and known_at < not_before:
        raise ChotsoError(
            f"The source's clock shows {known_at.isoformat()}, before {not_before.isoformat()}.",
            kept="nothing was read.",
            next_step="run it again when the source's clock has passed that instant.",
        )
    for group in dict.fromkeys(item.group for item in items):
        newest = ledger.newest_known_at(conn, group)
        if newest is not None and known_at < newest:
            raise ChotsoError(
                f"The source's clock went back: it shows {known_at.isoformat()}, and the group "
                f"{group} is already known at {newest.isoformat()}.",
                kept="nothing was read; what was published stands.",
                next_step="have the source's clock set right, then run the same command again.",
            )


@dataclass(frozen=True)
class _Read:
    """What a run was asked to read."""

    business_date: date
    full: bool
    months: list[date] | None
    final_of: str | None
    keys: dict[str, list[tuple[Any, ...]]] | None = None


class _Run:
    """One landing run over several feeds in one snapshot."""

    def __init__(
        self,
        settings: Settings,
        conn: psycopg.Connection,
        snapshot: Snapshot,
        read: _Read,
        progress: Progress,
        landings: Landings,
    ) -> None:
        self._settings = settings
        self._conn = conn
        self._snapshot = snapshot
        self._business_date = read.business_date
        self._read = read
        self._progress = progress
        self._landings = landings
        self._landing = Landing(settings.landing_url)
        self.ready: list[_Ready] = []

    def land(self, item: Contract) -> None:
        self._progress(f"{item.feed}: reading")
        if isinstance(item.source, TableSource):
            self._land_table(item, item.source)
        else:
            self._land_files(item, item.source)

    def _start(self, item: Contract, mode: str, delivery: Delivery | None = None) -> str:
        named = (delivery.name, delivery.sha256, delivery.identity) if delivery else None
        return ledger.start(
            self._conn, item, self._business_date, mode, final_of=self._read.final_of, delivery=named
        )

    def _folder(self, item: Contract, batch_id: str) -> str:
        return self._landing.folder_of(item.feed, str(self._business_date), batch_id)

    # -- relations of the collection system ---------------------------------------------------

    def _land_table(self, item: Contract, source: TableSource) -> None:
        request = self._request(item, source)
        check_key(self._settings, self._conn, item, self._snapshot.known_at, request)
        batch_id = self._start(item, request.mode)
        drifts = self._snapshot.drift(item)
        drift = schema_drift.record(
            self._conn, item.feed, batch_id, self._snapshot.known_at, drifts
        )
        if drift.blocking:
            self._block(batch_id, drift.blocking)
            return
        self._landings.notes += drift.notes
        folder = self._folder(item, batch_id)
        files, newest = {}, None
        files["data"], newest = self._write_rows(item, source, request, f"{folder}/data.parquet")
        if (scope := scope_query(item, request)) is not None:
            files["scope"] = self._write_scope(item, scope, f"{folder}/scope.parquet")
        facts = _facts_of_read(source, request, "scope" in files) | drift.facts
        if item.control:
            self._land_control(item, folder, files, facts)
        position = None if request.months or self._read.keys else self._position(item, source, newest)
        self._done(item, _Ready(batch_id, files, folder, position, facts=facts))

    def _request(self, item: Contract, source: TableSource) -> ReadRequest:
        if self._read.keys:
            return ReadRequest("replay", keys_again=self._read.keys[item.feed])
        if source.read == "whole":
            return ReadRequest("whole")
        position = ledger.position(self._conn, item.feed)
        if self._read.months:
            return ReadRequest("window", since=position, months=self._read.months)
        since = position - timedelta(minutes=source.overlap_minutes) if position else None
        keys_again = _keys_in_quarantine(self._conn, item)
        start = date(self._business_date.year, 1, 1)
        request = ReadRequest("year" if self._read.full else "changes", since, start, keys_again)
        return request.of(source)

    def _write_rows(
        self, item: Contract, source: TableSource, request: ReadRequest, path: str
    ) -> tuple[LandedFile, datetime | None]:
        read = {n: c for n, c in item.columns.items() if c.personal != "drop"}
        lands = _lander(item, read, self._settings)
        schema = landed_schema(item)
        newest: datetime | None = None
        with self._landing.parquet(path, schema, item.money_columns) as draft:
            for batch in self._snapshot.rows(rows_query(item, request), read):
                draft.write(lands(batch, draft.rows))
                if source.changed_at and batch.num_rows:
                    seen = pc.max(batch.column(source.changed_at)).as_py()
                    newest = max(filter(None, (newest, seen)), default=None)
                self._progress(f"{item.feed}: {draft.rows:,} rows read")
                failpoint(f"landing.{item.feed}")
        return draft.result(), newest

    def _write_scope(self, item: Contract, query: Any, path: str) -> LandedFile:
        columns = {name: Column(type="text", description=name) for name in item.scope}
        schema = pa.schema([(name, pa.string()) for name in item.scope])
        with self._landing.parquet(path, schema, []) as draft:
            for batch in self._snapshot.rows(query, columns):
                draft.write(batch.select(item.scope))
        return draft.result()

    def _land_control(
        self, item: Contract, folder: str, files: dict[str, LandedFile], facts: dict[str, Any]
    ) -> None:
        """The source's own count of the feed, in the snapshot that its rows were read in."""
        if not self._snapshot.has_relation(CONTROL_RELATION):
            facts["control"] = "missing"
            return
        batches = self._snapshot.rows(control_query(item), CONTROL_COLUMNS)
        fields = [(name, arrow_type(spec.type)) for name, spec in CONTROL_COLUMNS.items()]
        schema = pa.schema(fields)
        with self._landing.parquet(f"{folder}/control.parquet", schema, []) as draft:
            for batch in batches:
                draft.write(batch.select(schema.names))
        files["control"] = draft.result()

    def _position(self, item: Contract, source: TableSource, newest: datetime | None) -> str | None:
        """The newest change seen, never past the snapshot's clock, never behind what it was."""
        if source.read == "whole":
            return None
        before = ledger.position(self._conn, item.feed)
        seen = min(newest, self._snapshot.known_at) if newest else None
        reached = max(filter(None, (before, seen)), default=None)
        return reached.isoformat() if reached else None

    def _block(self, batch_id: str, reason: str) -> None:
        ledger.stop(self._conn, batch_id, "blocked", reason)
        error = ChotsoError(
            f"{batch_id} is blocked: {reason}.",
            kept="nothing of it was read; what was published before stands.",
            next_step="have the source's columns restored, or change the contract's lines if the "
            "change is meant, then run the same command again.",
        )
        self._landings.stopped.append(str(error))

    # -- files of the drop folder ---------------------------------------------------------------

    def _land_files(self, item: Contract, source: FileSource) -> None:
        folder = DropFolder(self._settings.drop_url)
        pattern = source.name_pattern
        seen = ledger.deliveries_seen(self._conn, item.feed)
        names = folder.names(pattern)
        new = 0
        with tempfile.TemporaryDirectory(prefix="chotso-drop-") as scratch:
            for name in names:
                delivery = folder.fetch(name, pattern, Path(scratch))
                if (delivery.name, delivery.identity) not in seen:
                    self._progress(f"{item.feed}: {name}")
                    self._land_delivery(item, delivery)
                    new += 1
                delivery.local.unlink()
        self._land_listing(item, len(names), new)

    def _land_delivery(self, item: Contract, delivery: Delivery) -> None:
        batch_id = self._start(item, "file", delivery)
        self._landing.keep_original(delivery.name, delivery.local, delivery.sha256)
        folder = self._folder(item, batch_id)
        try:
            parsed = parse(item, delivery)
            stated_at, month = delivery.stated_at, delivery.month
        except RefusedDeliveryError as error:
            ledger.stop(self._conn, batch_id, "refused", error.what)
            self._landings.stopped.append(f"{batch_id}: {error}")
            return
        tables = {"data": parsed.rows} | ({"scope": parsed.scope} if parsed.scope else {})
        files = {
            role: self._write_table(item, table, f"{folder}/{role}.parquet", role)
            for role, table in tables.items()
        }
        facts = {
            "closes": "scope" if parsed.scope is not None else "nothing",
            "month": month.isoformat() if month else None,
            "original": f"originals/{delivery.sha256}/{delivery.name}",
        }
        self._done(item, _Ready(batch_id, files, folder, None, stated_at, facts))

    def _land_listing(self, item: Contract, found: int, new: int) -> None:
        """The batch that says the folder was read, whatever lay in it: no file is no silence."""
        batch_id = self._start(item, "file")
        folder = self._folder(item, batch_id)
        empty = landed_schema(item).empty_table()
        files = {"data": self._write_table(item, empty, f"{folder}/data.parquet", "data")}
        facts = {"closes": "nothing", "listing": {"found": found, "new": new}}
        self._done(item, _Ready(batch_id, files, folder, facts=facts))

    def _write_table(self, item: Contract, table: pa.Table, path: str, role: str) -> LandedFile:
        money = item.money_columns if role == "data" else []
        with self._landing.parquet(path, table.schema, money) as draft:
            for batch in table.to_batches():
                draft.write(batch)
        return draft.result()

    # -- both -------------------------------------------------------------------------------------

    def _done(self, item: Contract, ready: _Ready) -> None:
        self._landing.write_manifest(
            ready.folder,
            {
                "batch_id": ready.batch_id,
                "feed": item.feed,
                "business_date": self._business_date,
                "known_at": self._snapshot.known_at,
                "source_position": ready.position,
                "stated_at": ready.stated_at,
                "files": {role: vars(landed) for role, landed in ready.files.items()},
                "facts": ready.facts,
            },
        )
        self.ready.append(ready)
        self._landings.batch_ids.append(ready.batch_id)
        failpoint(f"landed.{item.feed}")


def _facts_of_read(source: TableSource, request: ReadRequest, has_scope: bool) -> dict[str, Any]:
    """What publishing must know of the read.

    `closes` says what a read that lacks a row says of it: `everything` it lacks is gone, or less.
    `held_before`: what changed at the source no later was held already; where it was not, the
    whole read has found a difference.
    """
    facts: dict[str, Any] = {"closes": _closes(source, request, has_scope)}
    if facts["closes"] == "period" and request.year_start:
        facts["year_start"] = request.year_start.isoformat()
    if request.months:
        facts["months"] = [month.isoformat() for month in request.months]
    if request.mode != "changes" and request.since and source.changed_at:
        facts["held_before"] = request.since.isoformat()
    return facts


def _closes(source: TableSource, request: ReadRequest, has_scope: bool) -> str:
    if request.reads_everything:
        return "everything"
    if has_scope:
        return "scope"
    if request.mode == "window":
        return "window"
    return "period" if request.mode == "year" and source.period else "nothing"


def _lander(
    item: Contract, read: dict[str, Column], settings: Settings
) -> Callable[[pa.RecordBatch, int], pa.RecordBatch]:
    """From a batch as read to a batch as landed: numbered, and without clear personal data."""
    personal = [name for name, spec in read.items() if spec.personal == "pseudonym"]
    replace = pseudonymiser(settings.pseudonym_key()) if personal else None
    schema = landed_schema(item)

    def lands(batch: pa.RecordBatch, before: int) -> pa.RecordBatch:
        columns = {name: batch.column(name) for name in batch.schema.names}
        for name in personal:
            assert replace is not None
            columns |= replace(columns.pop(name))
        numbers = pa.array(range(before + 1, before + 1 + batch.num_rows), pa.int64())
        columns = {ROW_NUMBER: numbers, **columns, UNREADABLE: columns[UNREADABLE]}
        return pa.record_batch([columns[name] for name in schema.names], schema=schema)

    return lands


def _keys_in_quarantine(conn: psycopg.Connection, item: Contract) -> list[tuple[Any, ...]]:
    """Keys of open rows: they are read from the source and judged again on every extract."""
    found = conn.execute(
        "select row from quarantine.row where feed = %s and status = 'open'", [item.feed]
    )
    keys = {tuple(_typed_key(item, name, row[0].get(name)) for name in item.key) for row in found}
    return sorted((k for k in keys if None not in k), key=str)


def _typed_key(item: Contract, name: str, value: Any) -> Any:
    if value is not None and item.landed[name].type == "date":
        return date.fromisoformat(value)
    return value
