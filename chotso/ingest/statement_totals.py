"""Compares the newest archived statement of every sheet with the rows in the warehouse.

A statement may prove no absence. Then older statements of the sheet also count, for rows that it
lacks, back to the newest one that proves absence.

Each row of these statements must be in `raw` or in quarantine, unless a later statement has it in
another scope. If rows are missing, their months are reported, and the archived statement is
published again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from psycopg.rows import kwargs_row

from chotso.contracts import Contract, FileSource
from chotso.ingest import ledger
from chotso.ingest.control_totals import IS_NEWEST_ASIDE, Comparison, MonthTotal, comparisons
from chotso.landed import BatchManifest, Landed
from chotso.landing import Landing
from chotso.source.arrow import UNREADABLE
from chotso.warehouse.row_sql import equal, joined, listed, money_of, same_key

_NEWEST_SQL = """
with in_force as (
    select
        scope_key, stated_at, batch_id,
        max(stated_at) filter (where proves_absence) over (partition by scope_key) as last_proof
    from ops.statement
    where feed = %s and replaced_at is null
),

newest as (
    select scope_key, stated_at, batch_id from in_force
    where last_proof is null or stated_at >= last_proof
)

select
    batch.batch_id, batch.business_date, batch.stated_at, batch.landing_path,
    batch.landing_files, array_agg(newest.scope_key order by newest.scope_key) as scope_keys
from newest
inner join ops.batch as batch on batch.batch_id = newest.batch_id
group by batch.batch_id
order by batch.stated_at, batch.batch_id
"""


@dataclass(frozen=True)
class NewestStatement:
    """A batch with a statement that no later one has replaced, and its scopes."""

    batch_id: str
    business_date: date
    stated_at: datetime
    landing_path: str
    landed: Landed
    scope_keys: list[str]

    @property
    def month(self) -> date:
        """The month of the file."""
        assert self.landed.facts.month is not None
        return self.landed.facts.month


def compare(conn: psycopg.Connection, landing: Landing, contract: Contract) -> list[Comparison]:
    """Compare rows and đồng as stated and as held, for every month that has a statement.

    Raises:
        ChotsoError: An archived statement is not what was landed.
    """
    with conn.transaction():
        _stage(conn, landing, contract, newest_statements(conn, contract))
        found = conn.execute(sql.SQL(_COMPARED_SQL).format(**_parts(contract))).fetchall()
    stated = {m: MonthTotal(rows, money) for m, rows, money, _, _ in found}
    held = {m: MonthTotal(rows, money) for m, _, _, rows, money in found}
    return comparisons(contract.feed, stated, held)


def newest_statements(conn: psycopg.Connection, contract: Contract) -> list[NewestStatement]:
    """Batches with a statement that no later one has replaced, oldest first."""
    with conn.cursor(row_factory=kwargs_row(_newest_statement)) as cursor:
        return cursor.execute(_NEWEST_SQL, [contract.feed]).fetchall()


def _newest_statement(landing_files: dict[str, Any], **columns: Any) -> NewestStatement:
    return NewestStatement(**columns, landed=Landed.from_ledger(landing_files))


def land_statements_again(
    conn: psycopg.Connection, landing: Landing, contract: Contract, months: set[date]
) -> list[str]:
    """Land the newest statements of these months again, from the archive.

    Returns:
        The new batches, which wait to be published. They use the landed files of the old ones.
    """
    again = []
    known_at = ledger.newest_known_at(conn, contract.group)
    assert known_at is not None
    for kept in newest_statements(conn, contract):
        if kept.month not in months:
            continue
        batch_id = ledger.start(conn, contract, kept.business_date, "window", landing=landing)
        manifest = BatchManifest(
            batch_id=batch_id,
            feed=contract.feed,
            business_date=kept.business_date,
            read_mode="window",
            known_at=known_at,
            source_position=None,
            stated_at=kept.stated_at,
            landed=replace(kept.landed, facts=kept.landed.facts.published_again(kept.batch_id)),
        )
        landing.write_manifest(manifest.folder, manifest.as_json())
        ledger.record_landed(conn, manifest, folder=kept.landing_path)
        again.append(batch_id)
    conn.commit()
    return again


# If a later statement has the row, on any sheet, accepted or set aside, then only that one counts.
_COMPARED_SQL = """
with expected as (
    select stated.*, {row_key} as row_key, {stated_scope} as scope_key
    from stated_rows as stated
    where not exists (
        select from {raw} as kept
        where {same_key}
            and (kept.restated_at, {kept_scope}) > (stated.stated_at, {stated_scope})
    )
    and not exists (
        select from quarantine.row as aside
        inner join ops.batch as batch on batch.batch_id = aside.batch_id
        where aside.feed = {feed} and aside.row_key = {row_key}
            and batch.stated_at > stated.stated_at
    )
),

rows_held as (
    select
        expected.statement_month,
        expected.money as stated_money,
        case when aside.is_there then expected.money else {kept_money} end as held_money,
        coalesce(aside.is_there, kept.batch_id is not null) as is_held
    from expected
    left join {raw} as kept
        on {expected_key} and {expected_in_scope} and kept.known_to is null
    left join lateral (
        select true as is_there
        from quarantine.row
        where feed = {feed} and row_key = expected.row_key and money = expected.money
            and {is_newest_aside}
        limit 1
    ) as aside on true
),

unstated as (
    select scopes.statement_month, {kept_money} as money
    from {raw} as kept
    inner join (select distinct * from stated_scopes) as scopes on {kept_scope} = scopes.scope_key
    where kept.known_to is null and not exists (
        select from stated_rows as stated where {same_key} and {same_scope}
    )
),

months as (
    select
        statement_month, 1 as stated_rows, stated_money, is_held::int as held_rows,
        case when is_held then held_money else 0 end as held_money
    from rows_held

    union all

    select statement_month, 0, 0, 1, money
    from unstated
)

select statement_month, sum(stated_rows), sum(stated_money), sum(held_rows), sum(held_money)
from months
group by statement_month
"""


def _stage(
    conn: psycopg.Connection,
    landing: Landing,
    contract: Contract,
    statements: list[NewestStatement],
) -> None:
    """Fill the temporary tables `stated_rows` and `stated_scopes` from the newest statements."""
    columns = _compared(contract)
    types = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in columns.items()]
    conn.execute(
        sql.SQL(
            """
            create temporary table stated_rows (
                statement_month date, stated_at timestamptz, {},
                money numeric generated always as (coalesce(({})::numeric, 0)) stored
            ) on commit drop
            """
        ).format(sql.SQL(", ").join(types), sql.SQL(contract.money))
    )
    conn.execute(
        "create temporary table stated_scopes (statement_month date, scope_key text) on commit drop"
    )
    names = listed(columns)
    copy = sql.SQL("copy stated_rows (statement_month, stated_at, {}) from stdin").format(names)
    for kept in statements:
        conn.cursor().executemany(
            "insert into stated_scopes values (%s, %s)", [(kept.month, s) for s in kept.scope_keys]
        )
        with conn.cursor() as cursor, cursor.copy(copy) as rows:
            for row in _rows(landing, contract, kept, list(columns)):
                rows.write_row([kept.month, kept.stated_at, *row])
    conn.execute("analyze stated_rows")
    conn.execute("analyze stated_scopes")


def _rows(
    landing: Landing, contract: Contract, kept: NewestStatement, names: list[str]
) -> Iterator[tuple[Any, ...]]:
    """Rows of the scopes for which the statement is the newest; identical rows are merged.

    Only the named columns are returned and compared.
    """
    compared = [*dict.fromkeys([*contract.scope, *contract.key, *contract.tracked]), UNREADABLE]
    with landing.open_checked(kept.landed.data) as parquet:
        table = parquet.read(columns=compared)
    distinct: pa.Table = table.group_by(compared).aggregate([])
    assert isinstance(contract.source, FileSource)
    assert contract.source.sheet_code is not None
    code = contract.source.sheet_code
    newest = {scope.removesuffix(f"|{kept.month}") for scope in kept.scope_keys}
    of_newest = pc.is_in(distinct.column(code), pa.array(sorted(newest), pa.string()))
    told = distinct.filter(of_newest).select(names)
    return zip(*(column.to_pylist() for column in told.columns), strict=True)


def _compared(contract: Contract) -> dict[str, str]:
    names = dict.fromkeys([*contract.scope, *contract.key, *contract.money_columns])
    return {name: contract.landed[name].type for name in names}


def _parts(contract: Contract) -> dict[str, Any]:
    return {
        "raw": sql.Identifier("raw", contract.feed),
        "feed": sql.Literal(contract.feed),
        "row_key": joined(contract.key, "stated"),
        "stated_scope": joined(contract.scope, "stated"),
        "kept_scope": joined(contract.scope, "kept"),
        "same_key": same_key(contract, "stated", "kept"),
        "expected_key": same_key(contract, "expected", "kept"),
        "same_scope": equal(contract.scope, "stated", "kept"),
        "expected_in_scope": equal(contract.scope, "expected", "kept"),
        "kept_money": money_of(contract, "kept"),
        "is_newest_aside": sql.SQL(IS_NEWEST_ASIDE),
    }
