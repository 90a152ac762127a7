"""Lands files of the drop folder: first the original by its hash, then its rows."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from chotso.calendar import local_instant
from chotso.contracts import Contract, FileSource
from chotso.errors import ChotsoError
from chotso.ingest import drop_register, ledger
from chotso.ingest.landing_run import LandingRun
from chotso.landed import Landed, Listing, ReadFacts
from chotso.landing import LandedFile
from chotso.source.arrow import landed_schema
from chotso.source.drop_entries import INCIDENTS, Seen
from chotso.source.drop_folder import (
    Delivery,
    DropFolder,
    NotTakenError,
    RefusedDeliveryError,
    refused,
)
from chotso.source.files import ParsedFile
from chotso.source.parse_ahead import in_order


def land_files(run: LandingRun, contract: Contract, source: FileSource) -> None:
    """Land every new delivery as a batch, and one more batch that records the reading itself.

    A file that cannot be read stops only itself. It is recorded in `ops.drop_entry`.
    """
    folder = DropFolder(run.settings.drop_url)
    seen = [e for e in drop_register.look(run.settings, folder) if e.feed in (contract.feed, None)]
    tried = ledger.deliveries_seen(run.conn, contract.feed)
    names = [entry.name for entry in seen if entry.is_to_be_read and entry.name not in tried]
    new = 0
    with tempfile.TemporaryDirectory(prefix="chotso-drop-") as scratch:
        fetched = _fetched(run, source, folder, seen, tried, Path(scratch))
        for delivery, parsed in in_order(contract, fetched, sum(map(folder.size, names))):
            run.progress(f"{contract.feed}: {delivery.name}")
            _land_delivery(run, contract, delivery, parsed)
            delivery.local.unlink()
            new += 1
    there = [entry for entry in seen if entry.kind != "gone"]
    fresh = drop_register.remember(run.conn, contract.feed, there, run.snapshot.known_at)
    run.landings.stopped += drop_register.incidents(there, fresh)
    run.landings.notes += drop_register.lines(_of_earlier_runs(run, contract, fresh))
    found = sum(entry.is_to_be_read for entry in there)
    _land_listing(run, contract, found, new)


def _fetched(
    run: LandingRun,
    source: FileSource,
    folder: DropFolder,
    seen: list[Seen],
    tried: Mapping[str, str],
    scratch: Path,
) -> Iterator[Delivery]:
    """Every new delivery, copied to this machine; `seen` records those that are not taken."""
    for at, entry in enumerate(seen):
        if not entry.is_to_be_read:
            continue
        try:
            delivery = _fetch(folder, entry, source, scratch)
            _refuse_too_early(delivery, run.snapshot.known_at)
        except NotTakenError as error:
            seen[at] = replace(entry, kind=error.kind, reason=error.reason)
            continue
        if tried.get(delivery.name) == delivery.identity:
            delivery.local.unlink()
        else:
            yield delivery


def _of_earlier_runs(run: LandingRun, contract: Contract, fresh: set[str]) -> list[dict[str, Any]]:
    """Entries that are not read, except those that this run has already reported."""
    return [
        entry
        for entry in drop_register.not_taken(run.conn)
        if entry["feed"] in (contract.feed, None)
        and not any(str(entry["batch_id"]) in stopped for stopped in run.landings.stopped)
        and not (entry["feed"] and entry["kind"] in INCIDENTS and entry["name"] in fresh)
    ]


def _fetch(folder: DropFolder, entry: Seen, source: FileSource, scratch: Path) -> Delivery:
    try:
        return folder.fetch(entry.name, source.name_pattern, scratch)
    except OSError as error:  # a problem in the folder itself is a NotTakenError
        raise ChotsoError(
            f"{entry.shown} could not be copied: {error.strerror or error} (copies stand in "
            f"{scratch.parent}).",
            kept="everything published before stands.",
            next_step="make room on that disk or mend its rights, then run the same command again.",
        ) from error


def _refuse_too_early(delivery: Delivery, clock: datetime) -> None:
    """Refuse a file, for now, whose name gives an instant after the source's clock."""
    try:
        stated_at = delivery.stated_at
    except RefusedDeliveryError:  # the name gives no valid instant: parsing refuses the file
        return
    if stated_at is not None and stated_at > clock:
        delivery.local.unlink()
        raise NotTakenError(
            delivery.name,
            "",
            "waits",
            f"its name bears {local_instant(stated_at)}, after the source's clock "
            f"({local_instant(clock)}); it is read when that has come",
        )


def _rows_of(
    delivery: Delivery, parsed: Callable[[], ParsedFile]
) -> tuple[ParsedFile, datetime | None, date | None]:
    stated_at, month = delivery.stated_at, delivery.month
    try:
        return parsed(), stated_at, month
    except ChotsoError:
        raise
    except Exception as error:  # any error of a library concerns this file alone
        raise refused(
            delivery.name, f"reading it ended in an error ({type(error).__name__})"
        ) from error


def _land_delivery(
    run: LandingRun, contract: Contract, delivery: Delivery, rows: Callable[[], ParsedFile]
) -> None:
    batch_id = run.start(contract, "file", delivery)
    run.landing.keep_original(delivery.name, delivery.local, delivery.sha256)
    folder = run.folder(contract, batch_id)
    try:
        parsed, stated_at, month = _rows_of(delivery, rows)
    except RefusedDeliveryError as error:
        ledger.stop(run.conn, batch_id, "refused", error.what)
        run.landings.stopped.append(f"{batch_id}: {error}")
        return
    data = _write_table(run, parsed.rows, f"{folder}/data.parquet", contract.money_columns)
    scope = _write_table(run, parsed.scope, f"{folder}/scope.parquet") if parsed.scope else None
    facts = ReadFacts(
        closes="scope" if parsed.scope is not None else "nothing",
        month=month,
        original=f"originals/{delivery.sha256}/{delivery.name}",
        notes=parsed.notes or None,
    )
    run.landings.notes += [f"{delivery.name}: {note}." for note in parsed.notes]
    run.done(contract, batch_id, Landed(data, scope, facts=facts), stated_at=stated_at)


def _land_listing(run: LandingRun, contract: Contract, found: int, new: int) -> None:
    """Land an empty batch which says that the folder was read, even if no file was in it."""
    batch_id = run.start(contract, "file")
    folder = run.folder(contract, batch_id)
    empty = landed_schema(contract).empty_table()
    data = _write_table(run, empty, f"{folder}/data.parquet", contract.money_columns)
    facts = ReadFacts(closes="nothing", listing=Listing(found=found, new=new))
    run.done(contract, batch_id, Landed(data, facts=facts))


def _write_table(
    run: LandingRun, table: pa.Table, path: str, money_columns: Sequence[str] = ()
) -> LandedFile:
    with run.landing.parquet(path, table.schema, list(money_columns)) as draft:
        for batch in table.to_batches():
            draft.write(batch)
    return draft.result()
