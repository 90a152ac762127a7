"""Judges rows of files in quarantine again: lands them as a batch of their own.

This happens automatically after a change of the register that a rule refers to, and when an
operator asks for it. Rows of the collection system do not need it: every extract reads them from
the source again by their keys.

The row is landed as it was kept. If a cell of it could not be read, the archived file is parsed
again, because the contract may have been mended since. Rows with the same key from one delivery are
landed together. Otherwise one of two conflicting rows would look like the only one.
"""

import json
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
from psycopg.rows import kwargs_row

from chotso.contracts import Contract, FileSource, groups
from chotso.errors import ChotsoError
from chotso.ingest import ledger
from chotso.ingest.rules import rules_of
from chotso.landed import BatchManifest, Landed, ReadFacts, batch_folder
from chotso.landing import LandedFile, Landing
from chotso.settings import Settings
from chotso.source.arrow import ROW_NUMBER, UNREADABLE, landed_schema
from chotso.source.cells import UnreadableError, read_cell
from chotso.source.drop_folder import Delivery
from chotso.source.files import parse

_REGISTER_CHANGED: LiteralString = """
select aside.batch_id, aside.row_key, max(changed.known_at) as known_at
from quarantine.row as aside
cross join (
    select max(register.known_at) as known_at
    from ops.batch as register
    where register.feed = any(%(registers)s) and register.status = 'published'
        and register.rows_changed > 0
) as changed
where aside.feed = %(feed)s and aside.status = 'open' and aside.rule_ids && %(rules)s
    and changed.known_at > aside.last_seen
group by aside.batch_id, aside.row_key
"""
_NAMED: LiteralString = """
select distinct batch_id, row_key, %(known_at)s::timestamptz as known_at
from quarantine.row
where feed = %(feed)s and status = 'open' and id = any(%(ids)s)
"""
_KEPT: LiteralString = """
select
    aside.batch_id,
    max(batch.business_date) as business_date,
    max(batch.stated_at) as stated_at,
    (array_agg(batch.landing_files -> 'facts'))[1] as facts,
    (array_agg(batch.landing_files -> 'scope'))[1] as scope,
    max(deserving.known_at) as known_at,
    array_agg(aside.row::text order by aside.id) as rows,
    array_agg(aside.id order by aside.id) as ids,
    jsonb_agg(jsonb_build_array(aside.row_key, aside.row_sha256) order by aside.id)
        as keys_and_hashes
from deserving
inner join quarantine.row as aside
    on
        aside.feed = %(feed)s and aside.status = 'open'
        and aside.batch_id = deserving.batch_id and aside.row_key = deserving.row_key
inner join ops.batch as batch on batch.batch_id = aside.batch_id
group by aside.batch_id
order by aside.batch_id
"""


@dataclass(frozen=True)
class KeptRows:
    """The rows in quarantine that one batch delivered and that are judged again.

    Attributes:
        batch_id: The batch that delivered them.
        business_date: Its business date.
        stated_at: The instant of its statement.
        facts: The facts of its read.
        scope: Its landed scopes.
        known_at: The new batch's `known_at`, if nothing newer has landed.
        rows: The rows as JSON texts.
        ids: Their numbers in `quarantine.row`.
        keys_and_hashes: Their keys and hashes.
    """

    batch_id: str
    business_date: date
    stated_at: datetime | None
    facts: ReadFacts
    scope: LandedFile | None
    known_at: datetime
    rows: list[str]
    ids: list[int]
    keys_and_hashes: list[list[str]]


def _kept_rows(facts: dict[str, Any], scope: dict[str, Any] | None, **columns: Any) -> KeptRows:
    return KeptRows(
        **columns,
        facts=ReadFacts.model_validate(facts),
        scope=LandedFile(**scope) if scope else None,
    )


def judge_again(settings: Settings, conn: psycopg.Connection, group: str) -> None:
    """Land rows whose register has changed as new batches, which wait to be published."""
    for contract in groups()[group]:
        rules = {r.id: r.refers_to for r in rules_of(contract.feed) if r.refers_to}
        if isinstance(contract.source, FileSource) and rules:
            asked = {"registers": list(set(rules.values())), "rules": list(rules)}
            _land_deserving(settings, conn, contract, _REGISTER_CHANGED, asked)


def judge_named_again(
    settings: Settings,
    conn: psycopg.Connection,
    contract: Contract,
    ids: list[int],
    known_at: datetime,
) -> None:
    """Land the named open rows of a file feed as new batches, known at `known_at`."""
    _land_deserving(settings, conn, contract, _NAMED, {"ids": ids, "known_at": known_at})


def _land_deserving(
    settings: Settings,
    conn: psycopg.Connection,
    contract: Contract,
    deserving: LiteralString,
    asked: dict[str, Any],
) -> None:
    query = f"with deserving as ({deserving}) {_KEPT}"
    with conn.cursor(row_factory=kwargs_row(_kept_rows)) as cursor:
        found = cursor.execute(query, asked | {"feed": contract.feed}).fetchall()
    for kept in found:
        _land_rows(Landing(settings.landing_url), conn, contract, kept)


def _land_rows(
    landing: Landing, conn: psycopg.Connection, contract: Contract, kept: KeptRows
) -> None:
    batch_id = ledger.start(conn, contract, kept.business_date, "replay", landing=landing)
    folder = batch_folder(contract.feed, kept.business_date, batch_id)
    schema = landed_schema(contract)
    rows = [
        row | {ROW_NUMBER: number} for number, row in enumerate(_rows(landing, contract, kept), 1)
    ]
    with landing.parquet(f"{folder}/data.parquet", schema, contract.money_columns) as draft:
        for block in pa.Table.from_pylist(rows, schema=schema).to_batches():
            draft.write(block)
    facts = kept.facts.judged_again(kept.batch_id, kept.ids, kept.keys_and_hashes)
    manifest = BatchManifest(
        batch_id=batch_id,
        feed=contract.feed,
        business_date=kept.business_date,
        read_mode="replay",
        known_at=max(kept.known_at, ledger.newest_known_at(conn, contract.group) or kept.known_at),
        source_position=None,
        stated_at=kept.stated_at,
        landed=Landed(draft.result(), kept.scope, facts=facts),
    )
    landing.write_manifest(manifest.folder, manifest.as_json())
    ledger.record_landed(conn, manifest)
    conn.commit()


def _rows(landing: Landing, contract: Contract, kept: KeptRows) -> list[dict[str, Any]]:
    """The rows to land; rows with unreadable cells are read from the archived file."""
    # Decimals are read as text: a float would lose digits.
    rows = [json.loads(text, parse_float=str) for text in kept.rows]
    original = kept.facts.original
    read_anew: list[dict[str, Any]] = []
    if original and any(row.get(UNREADABLE) for row in rows):
        read_anew = _parse_again(landing, contract, original)
    landed: list[dict[str, Any]] = []
    for row in rows:
        typed = _typed(contract, row)
        found = (
            [c for c in read_anew if _same_row(contract, row, typed, c)] if row[UNREADABLE] else []
        )
        landed += [other for other in found or [typed] if other not in landed]
    return landed


def _parse_again(landing: Landing, contract: Contract, original: str) -> list[dict[str, Any]]:
    """The archived file parsed by today's contract; no rows if it cannot be parsed."""
    assert isinstance(contract.source, FileSource)
    _, sha256, name = original.split("/", 2)
    match = contract.source.name_pattern.fullmatch(name)
    parts = {k: v for k, v in match.groupdict().items() if v} if match else {}
    with tempfile.TemporaryDirectory(prefix="chotso-replay-") as scratch:
        local = Path(scratch) / name
        delivery = Delivery(
            name=name,
            local=local,
            sha256=sha256,
            identity=sha256,
            claimed_sha256=None,
            claimed_count=None,
            parts=parts,
        )
        try:
            landing.fetch_original(original, local)
            rows: list[dict[str, Any]] = parse(contract, delivery).rows.to_pylist()
        except ChotsoError:  # the rows are judged as they were kept
            return []
    return [{n: v for n, v in row.items() if n != ROW_NUMBER} for row in rows]


def _same_row(
    contract: Contract, row: dict[str, Any], typed: dict[str, Any], candidate: dict[str, Any]
) -> bool:
    """Whether a parsed row is the kept one: all cells that were readable then are equal."""
    unreadable = json.loads(row[UNREADABLE])
    return all(
        candidate[name] == typed[name]
        for name, column in contract.landed.items()
        if column.type != "jsonb" and name in row and name not in unreadable
    )


def _typed(contract: Contract, row: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {UNREADABLE: row.get(UNREADABLE)}
    for name, column in contract.landed.items():
        value = row.get(name)
        if value is None:  # the cell was unreadable, so it is no 0, even if an empty cell is
            values[name] = None
            continue
        if column.type == "jsonb":
            values[name] = json.dumps(value, ensure_ascii=False)
            continue
        try:
            values[name] = read_cell(value, column.model_copy(update={"form": None}))
        except UnreadableError:
            values[name] = None
    return values
