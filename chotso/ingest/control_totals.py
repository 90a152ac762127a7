"""Control totals: compares the source's rows and đồng per month with the warehouse's.

The source's count (`doi_soat`) is read in the same snapshot as the rows and is landed with them.
The warehouse counts every row once, in its newest delivered version, whether it was accepted or set
aside. If rows and đồng are equal in every month, no row was lost and none was loaded twice. Other
columns are not compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import Contract, TableSource, contract_of
from chotso.errors import ChotsoError
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, drop_tables, load
from chotso.landing import Landing
from chotso.warehouse.row_sql import control_month, same_key
from chotso.warehouse.statistics import TemporaryTable

# Rows whose newest delivered version is in quarantine. A waived row is in no figure, but the source
# delivers and counts it.
IS_NEWEST_ASIDE = "(status = 'open' or (status = 'waived' and replaced_at is null))"


@dataclass(frozen=True)
class MonthTotal:
    """Rows and đồng of one month. Of the rows, `unreadable` have an amount that cannot be read."""

    rows: int = 0
    money: Decimal = Decimal(0)
    unreadable: int = 0


@dataclass(frozen=True)
class Comparison:
    """The totals of one feed and month at the source and in the warehouse."""

    feed: str
    month: date
    source: MonthTotal
    warehouse: MonthTotal

    @property
    def status(self) -> str:
        """`equal`, `different`, or `unreadable`.

        `unreadable` means: the rows are equal, the đồng are not, and some amounts cannot be read.
        """
        if self.source.rows != self.warehouse.rows:
            return "different"
        if self.source.money == self.warehouse.money:
            return "equal"
        return "unreadable" if self.warehouse.unreadable else "different"

    def __str__(self) -> str:
        return (
            f"{self.feed} of {self.month:%Y-%m}: the source counts {self.source.rows:,} rows and "
            f"{self.source.money:,} đồng, the warehouse holds {self.warehouse.rows:,} and "
            f"{self.warehouse.money:,}"
        )


def compare(
    conn: psycopg.Connection, landing: Landing, contract: Contract, batch: LandedBatch
) -> list[Comparison]:
    """Compare every month in which the source or the warehouse has rows, oldest first.

    Args:
        conn: The warehouse.
        landing: The archive that holds the source's count.
        contract: The feed.
        batch: Its newest published batch.

    Raises:
        ChotsoError: The landed count is not what was landed.
    """
    counted = _counted(landing, batch)
    held = _totals(conn, _HELD_SQL, contract)
    wrong = [
        each for each in comparisons(contract.feed, counted, held) if each.status == "different"
    ]
    if wrong and batch.landed.facts.closes != "nothing":
        # The source counts identical repetitions of a row; the warehouse keeps the row once. For
        # such months the rows that a whole read delivered are compared instead. `publish` has
        # checked that each of them was accepted, merged with an identical one, or set aside.
        delivered = _delivered(conn, landing, contract, batch)
        for each in wrong:
            there = delivered.get(each.month, MonthTotal())
            if each.warehouse.rows < there.rows == each.source.rows:
                held[each.month] = there
    return comparisons(contract.feed, counted, held)


def comparisons(
    feed: str, source: dict[date, MonthTotal], warehouse: dict[date, MonthTotal]
) -> list[Comparison]:
    """Pair two counts by month; a month that is missing in one counts as zero."""
    return [
        Comparison(feed, month, source.get(month, MonthTotal()), warehouse.get(month, MonthTotal()))
        for month in sorted(source.keys() | warehouse.keys())
    ]


def record(
    conn: psycopg.Connection,
    batch: LandedBatch,
    found: Iterable[Comparison],
    mended: set[tuple[str, date]],
) -> None:
    """Insert comparisons into the ledger and commit.

    A month that was different before and is equal now gets the status `mended`.
    """
    with conn.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.control_total as known (
                checked_batch_id, feed, month, known_at, source_rows, source_money,
                warehouse_rows, warehouse_money, status, detail
            )
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (checked_batch_id, feed, month) do update
            set
                source_rows = excluded.source_rows, source_money = excluded.source_money,
                warehouse_rows = excluded.warehouse_rows,
                warehouse_money = excluded.warehouse_money,
                status = excluded.status, detail = excluded.detail,
                checked_at = clock_timestamp(), entry = default
            """,
            [_row(batch, each, mended) for each in found],
        )
    conn.commit()


def _row(batch: LandedBatch, each: Comparison, mended: set[tuple[str, date]]) -> list[Any]:
    status = each.status
    if status == "equal" and (each.feed, each.month) in mended:
        status = "mended"
    detail = f"{each.warehouse.unreadable} rows without readable đồng" if status != "equal" else ""
    return [
        batch.batch_id,
        each.feed,
        each.month,
        batch.known_at,
        each.source.rows,
        each.source.money,
        each.warehouse.rows,
        each.warehouse.money,
        status,
        (detail if each.warehouse.unreadable else None) or None,
    ]


def unmended(conn: psycopg.Connection) -> list[Comparison]:
    """Feeds and months that were different when they were last compared."""
    found = conn.execute(
        """
        with newest as (
            select distinct on (feed, month) *
            from ops.control_total
            order by feed asc, month asc, entry desc
        )

        select feed, month, source_rows, source_money, warehouse_rows, warehouse_money
        from newest
        where status = 'different'
        order by feed, month
        """
    ).fetchall()
    return [
        Comparison(f, m, MonthTotal(sr, sm), MonthTotal(wr, wm)) for f, m, sr, sm, wr, wm in found
    ]


def newest_statuses(conn: psycopg.Connection) -> dict[str, int]:
    """The number of months per status, by their newest comparison."""
    found = conn.execute(
        """
        with newest as (
            select distinct on (feed, month) status
            from ops.control_total
            order by feed asc, month asc, entry desc
        )

        select status, count(*)
        from newest
        group by status
        order by status
        """
    )
    return {status: months for status, months in found}


def uncounted(conn: psycopg.Connection) -> list[str]:
    """Feeds for which the source had no count at the newest read."""
    found = conn.execute(
        """
        with newest as (
            select distinct on (feed) feed, landing_files -> 'facts' ->> 'control' as control
            from ops.batch
            where status = 'published' and read_mode in ('whole', 'changes', 'year', 'window')
            order by
                feed asc, known_at desc,
                substring(batch_id from '[0-9]+$')::bigint desc nulls last
        )

        select feed
        from newest
        where control = 'missing'
        order by feed
        """
    )
    return [row[0] for row in found]


def refuse_unproven(conn: psycopg.Connection) -> None:
    """Refuse to show figures that the control totals contradict.

    Raises:
        ChotsoError: A month differs from the source's count, or the source has no count.
    """
    if without := uncounted(conn):
        raise ChotsoError(
            f"The source has no doi_soat: nothing proves that {', '.join(without)} came whole.",
            kept="what was published; readers see the figures of the last build.",
            next_step="have the source's owner restore tst.doi_soat and the right to read it, "
            "then run the night again.",
        )
    if wrong := unmended(conn):
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        shown = "; ".join(map(str, wrong[:5])) + more
        raise ChotsoError(
            f"Control totals differ: {shown}.",
            kept="what was published; readers see the figures of the last build.",
            next_step="compare these months with the source's owner (ops.control_total, "
            "ops.difference), then run the night again.",
        )


# Rows set aside and the documents' months are temporary tables, so that PostgreSQL knows how many
# rows they have. As a CTE, PostgreSQL expected 1 row instead of 18,385, and compared each with
# every row of raw.
_ROWS_ASIDE = TemporaryTable("rows_aside")
_DOCUMENTS_ASIDE = TemporaryTable("documents_aside")
_DOCUMENT_MONTHS = TemporaryTable("document_months")
_ASIDE_SQL = """
select {aside_columns}
from quarantine.row as waiting
where feed = {feed} and {is_newest_aside}
"""
# The month of each document, in its newest delivered version. A line counts in that month.
_DOCUMENTS_SQL = """
select {key} as document, {month} as document_month
from {raw} as kept
where kept.known_to is null
    and not exists (select from {documents_aside} as aside where {same_key})

union all

select {aside_key}, {aside_month}
from {documents_aside} as aside
"""
_HELD_SQL = """
with held as (
    select {month} as month, coalesce(({money})::numeric, 0) as money, false as is_unreadable
    from {raw} as kept{placed}
    where kept.known_to is null
        and not exists (select from {rows_aside} as aside where {same_key})

    union all

    select {aside_month}, aside.aside_money, aside.is_unreadable
    from {rows_aside} as aside{aside_placed}
)

select month, count(*), sum(money), count(*) filter (where is_unreadable)
from held
where month is not null
group by month
"""
_DELIVERED_SQL = """
with delivered as (
    select
        {month} as month, coalesce(({money})::numeric, 0) as money,
        coalesce(kept.unreadable::jsonb ?| {money_columns}, false) as is_unreadable
    from {batch} as kept{placed}
)

select month, count(*), sum(money), count(*) filter (where is_unreadable)
from delivered
where month is not null
group by month
"""


def _totals(
    conn: psycopg.Connection, template: str, contract: Contract, batch: LandedBatch | None = None
) -> dict[date, MonthTotal]:
    assert contract.control is not None
    parts = _parts(contract)
    if batch is not None:
        parts["batch"] = batch_table(batch.batch_id)
    if contract.control.of is not None:
        documents = _own_parts(contract_of(contract.control.of))
        _DOCUMENTS_ASIDE.fill(conn, sql.SQL(_ASIDE_SQL).format(**documents))
        _DOCUMENT_MONTHS.fill(conn, sql.SQL(_DOCUMENTS_SQL).format(**documents))
    _ROWS_ASIDE.fill(conn, sql.SQL(_ASIDE_SQL).format(**parts))
    found = conn.execute(sql.SQL(template).format(**parts)).fetchall()
    return {month: MonthTotal(rows, money, unreadable) for month, rows, money, unreadable in found}


def _delivered(
    conn: psycopg.Connection, landing: Landing, contract: Contract, batch: LandedBatch
) -> dict[date, MonthTotal]:
    load(conn, landing, contract, batch)
    totals = _totals(conn, _DELIVERED_SQL, contract, batch)
    drop_tables(conn, batch.batch_id)
    conn.commit()
    return totals


def _counted(landing: Landing, batch: LandedBatch) -> dict[date, MonthTotal]:
    """The source's count as it was landed. Several lines of one month are added up."""
    counted: dict[date, MonthTotal] = {}
    assert batch.landed.control is not None
    with landing.open_checked(batch.landed.control) as parquet:
        for line in parquet.read().to_pylist():
            if line["month"] is None:
                continue
            month = line["month"].replace(day=1)
            before = counted.get(month, MonthTotal())
            counted[month] = MonthTotal(
                before.rows + (line["rows"] or 0), before.money + Decimal(line["money"] or 0)
            )
    return counted


def _parts(contract: Contract) -> dict[str, Any]:
    assert contract.control is not None
    parts = _own_parts(contract)
    if contract.control.of is None:
        return parts | {"placed": sql.SQL(""), "aside_placed": sql.SQL("")}
    assert isinstance(contract.source, TableSource)
    assert contract.source.parent is not None
    line_key = sql.Identifier(contract.source.parent.key)
    join = " inner join {} as documents on documents.document = {}.{}"
    return parts | {
        "month": sql.SQL("documents.document_month"),
        "aside_month": sql.SQL("documents.document_month"),
        "placed": sql.SQL(join).format(_DOCUMENT_MONTHS.table, sql.SQL("kept"), line_key),
        "aside_placed": sql.SQL(join).format(_DOCUMENT_MONTHS.table, sql.SQL("aside"), line_key),
    }


def _own_parts(contract: Contract) -> dict[str, Any]:
    assert contract.control is not None
    month = contract.control.month
    typed = (
        [*contract.key, month]
        if month in contract.landed and month not in contract.key
        else contract.key
    )
    columns: list[sql.Composable] = [
        sql.SQL("(waiting.row ->> {})::{} as {}").format(
            sql.Literal(name), sql.SQL(contract.landed[name].type), sql.Identifier(name)
        )
        for name in typed
    ]
    money_unreadable = sql.SQL(
        "coalesce((waiting.row ->> 'unreadable')::jsonb ?| {}::text[], false) as is_unreadable"
    ).format(sql.Literal(contract.money_columns))
    columns += [sql.SQL("waiting.money as aside_money"), money_unreadable]
    in_month = month in contract.landed
    return {
        "feed": sql.Literal(contract.feed),
        "raw": sql.Identifier("raw", contract.feed),
        "rows_aside": _ROWS_ASIDE.table,
        "documents_aside": _DOCUMENTS_ASIDE.table,
        "is_newest_aside": sql.SQL(IS_NEWEST_ASIDE),
        "money": sql.SQL(contract.money),
        "money_columns": sql.SQL("{}::text[]").format(sql.Literal(contract.money_columns)),
        "aside_columns": sql.SQL(", ").join(columns),
        "same_key": same_key(contract, "aside", "kept"),
        "key": sql.Identifier("kept", contract.key[0]),
        "aside_key": sql.Identifier("aside", contract.key[0]),
        "month": control_month(contract, sql.Identifier("kept", month))
        if in_month
        else sql.SQL(""),
        "aside_month": (
            control_month(contract, sql.Identifier("aside", month)) if in_month else sql.SQL("")
        ),
    }
