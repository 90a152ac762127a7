"""Rows that files delivered and that an unknown agency set aside, judged again.

The registers' publishing is the occasion: when the register a rule refers to has changed since a
row was last seen, the row goes the normal way again, as a batch made from quarantine. Rows of the
collection system need none of this: every extract reads their keys from the source again.
"""

import json
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row

from chotso.contracts import Contract, FileSource, groups
from chotso.ingest import ledger
from chotso.ingest.rules import rules_of
from chotso.landing import Landing, from_json
from chotso.settings import Settings
from chotso.source.arrow import landed_schema
from chotso.source.cells import UnreadableError, read_cell

_UNSEEN_CHANGES = """
select
    aside.batch_id,
    max(batch.business_date) as business_date,
    max(batch.stated_at) as stated_at,
    (array_agg(batch.landing_files -> 'facts'))[1] as facts,
    (array_agg(batch.landing_files -> 'scope'))[1] as scope,
    max(batch.delivery_name) as delivery_name,
    max(changed.known_at) as known_at,
    array_agg(aside.row order by aside.id) as rows
from quarantine.row as aside
inner join ops.batch as batch on batch.batch_id = aside.batch_id
cross join lateral (
    select max(register.known_at) as known_at
    from ops.batch as register
    where register.feed = any(%(registers)s) and register.status = 'published'
        and register.rows_changed > 0 and register.known_at > aside.last_seen
) as changed
where aside.feed = %(feed)s and aside.status = 'open' and aside.rule_ids && %(rules)s
    and changed.known_at is not null
group by aside.batch_id
order by aside.batch_id
"""


def land_again(settings: Settings, conn: psycopg.Connection, group: str) -> None:
    """Land batches of rows that deserve another judgement; they wait to be published."""
    for item in groups()[group]:
        if isinstance(item.source, FileSource):
            _land_again(settings, conn, item)


def _land_again(settings: Settings, conn: psycopg.Connection, item: Contract) -> None:
    rules = {r.id: r.refers_to for r in rules_of(item.feed) if r.refers_to}
    if not rules:
        return
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            _UNSEEN_CHANGES,
            {"registers": list(set(rules.values())), "feed": item.feed, "rules": list(rules)},
        ).fetchall()
    for kept in found:
        _land_rows(Landing(settings.landing_url), conn, item, kept)


def _land_rows(
    landing: Landing, conn: psycopg.Connection, item: Contract, kept: dict[str, Any]
) -> None:
    batch_id = ledger.start(conn, item, kept["business_date"], "replay")
    folder = landing.folder_of(item.feed, str(kept["business_date"]), batch_id)
    schema = landed_schema(item)
    rows = [_typed(item, row) | {"row_no": n} for n, row in enumerate(kept["rows"], 1)]
    with landing.parquet(f"{folder}/data.parquet", schema, item.money_columns) as draft:
        for block in pa.Table.from_pylist(rows, schema=schema).to_batches():
            draft.write(block)
    files = {"data": draft.result()}
    if kept["scope"]:
        files["scope"] = from_json(kept["scope"])
    facts = kept["facts"] | {"closes": "nothing", "again": kept["batch_id"]}
    known_at = max(kept["known_at"], ledger.newest_known_at(conn, item.group) or kept["known_at"])
    landing.write_manifest(folder, {"batch_id": batch_id, "feed": item.feed, "facts": facts})
    ledger.landed(
        conn,
        batch_id,
        known_at,
        files,
        folder=folder,
        position=None,
        stated_at=kept["stated_at"],
        facts=facts,
    )
    conn.commit()


def _typed(item: Contract, row: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"unreadable": row.get("unreadable")}
    for name, spec in item.landed.items():
        value = row.get(name)
        if spec.type == "jsonb":
            values[name] = json.dumps(value, ensure_ascii=False)
            continue
        try:
            values[name] = read_cell(value, spec.model_copy(update={"form": None}))
        except UnreadableError:
            values[name] = None
    return values
