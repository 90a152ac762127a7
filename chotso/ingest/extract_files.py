"""Files of the drop folder into the landing archive: the original by its hash, then its rows."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from chotso.contracts import Contract, FileSource
from chotso.ingest import ledger
from chotso.ingest.landing_run import LandingRun, Ready
from chotso.landing import LandedFile
from chotso.source.arrow import landed_schema
from chotso.source.drop_folder import Delivery, DropFolder, RefusedDeliveryError
from chotso.source.files import parse


def land_files(run: LandingRun, item: Contract, source: FileSource) -> None:
    """Land each delivery that was not taken yet as a batch, and that the folder was read."""
    folder = DropFolder(run.settings.drop_url)
    pattern = source.name_pattern
    seen = ledger.deliveries_seen(run.conn, item.feed)
    names = folder.names(pattern)
    new = 0
    with tempfile.TemporaryDirectory(prefix="chotso-drop-") as scratch:
        for name in names:
            delivery = folder.fetch(name, pattern, Path(scratch))
            if (delivery.name, delivery.identity) not in seen:
                run.progress(f"{item.feed}: {name}")
                _land_delivery(run, item, delivery)
                new += 1
            delivery.local.unlink()
    _land_listing(run, item, len(names), new)


def _land_delivery(run: LandingRun, item: Contract, delivery: Delivery) -> None:
    batch_id = run.start(item, "file", delivery)
    run.landing.keep_original(delivery.name, delivery.local, delivery.sha256)
    folder = run.folder(item, batch_id)
    try:
        parsed = parse(item, delivery)
        stated_at, month = delivery.stated_at, delivery.month
    except RefusedDeliveryError as error:
        ledger.stop(run.conn, batch_id, "refused", error.what)
        run.landings.stopped.append(f"{batch_id}: {error}")
        return
    tables = {"data": parsed.rows} | ({"scope": parsed.scope} if parsed.scope else {})
    files = {
        role: _write_table(run, item, table, f"{folder}/{role}.parquet", role)
        for role, table in tables.items()
    }
    facts: dict[str, Any] = {
        "closes": "scope" if parsed.scope is not None else "nothing",
        "month": month.isoformat() if month else None,
        "original": f"originals/{delivery.sha256}/{delivery.name}",
    }
    if parsed.notes:
        facts["notes"] = parsed.notes
        run.landings.notes += [f"{delivery.name}: {note}." for note in parsed.notes]
    run.done(item, Ready(batch_id, files, folder, None, stated_at, facts))


def _land_listing(run: LandingRun, item: Contract, found: int, new: int) -> None:
    """The batch that says the folder was read, whatever lay in it: no file is no silence."""
    batch_id = run.start(item, "file")
    folder = run.folder(item, batch_id)
    empty = landed_schema(item).empty_table()
    files = {"data": _write_table(run, item, empty, f"{folder}/data.parquet", "data")}
    facts = {"closes": "nothing", "listing": {"found": found, "new": new}}
    run.done(item, Ready(batch_id, files, folder, facts=facts))


def _write_table(
    run: LandingRun, item: Contract, table: pa.Table, path: str, role: str
) -> LandedFile:
    money = item.money_columns if role == "data" else []
    with run.landing.parquet(path, table.schema, money) as draft:
        for batch in table.to_batches():
            draft.write(batch)
    return draft.result()
