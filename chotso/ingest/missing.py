"""Rows of registers that a whole read lacks: they stay in force until a person decides.

The source never deletes rows. If it counts its rows, the count of the same snapshot tells whether a
row has ended. Without a count, a missing row means that the read failed or that rights are lacking.
The row stays in force until the source shows it again or an operator closes it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from chotso.contracts import Contract, contracts, groups
from chotso.errors import ChotsoError
from chotso.ingest.ledger import LandedBatch
from chotso.warehouse.row_sql import joined, money_of

_SHOWN = 5


@dataclass(frozen=True)
class MissingRow:
    """A row of a register that the newest whole read lacks.

    `hanging` has, by feed, the number of rows in force that refer to it, and their đồng.
    """

    missing_id: int
    feed: str
    row_key: str
    missing_since: datetime
    last_missing: datetime
    hanging: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.feed} {self.row_key} ({hanging_text(self.hanging)})"


def hanging_text(hanging: list[dict[str, Any]]) -> str:
    """The rows that refer to a missing row, in words."""
    told = [
        f"{each['rows']:,} {each['feed']}"
        + (f" of {int(each['money']):,} đồng" if int(each["money"]) else "")
        for each in hanging
    ]
    return ", ".join(told) or "nothing hangs on it"


def note(
    conn: psycopg.Connection,
    contract: Contract,
    batch: LandedBatch,
    parts: dict[str, Any],
    within: sql.Composable | None,
) -> None:
    """Record the rows that a read lacks and those that are back, in the publishing transaction.

    Args:
        conn: Inside the publishing transaction.
        contract: A feed of which a missing row does not mean that it has ended.
        batch: The read.
        parts: SQL by name: `raw`, `batch`, `same_key`, `kept_row_key`, `money_before`.
        within: SQL condition on `kept` for the rows that the read states in full; None for none.
    """
    values = {"feed": contract.feed, "known_at": batch.known_at, "batch_id": batch.batch_id}
    conn.execute(
        sql.SQL(
            "update ops.missing_row as missing set status = 'back', ended_at = %(known_at)s "
            "where missing.feed = %(feed)s and missing.status = 'missing' and exists ("
            "select from {batch} as delivered where {delivered_key} = missing.row_key)"
        ).format(delivered_key=joined(contract.key, "delivered"), **parts),
        values,
    )
    if within is None:
        return
    conn.execute(
        sql.SQL(
            """
            with lacked as (
                select {kept_row_key} as row_key, {money_before} as money
                from {raw} as kept
                where {within} and kept.known_to is null
                    and not exists (select from {batch} as accepted where {same_key})
            ),

            added as (
                insert into ops.missing_row as missing
                    (feed, row_key, batch_id, missing_since, last_missing)
                select %(feed)s, row_key, %(batch_id)s, %(known_at)s, %(known_at)s from lacked
                on conflict (feed, row_key) where status = 'missing'
                do update set last_missing = excluded.last_missing
                returning missing.row_key, missing.batch_id
            )

            insert into ops.difference (batch_id, feed, row_key, kind, known_at, money_before)
            select %(batch_id)s, %(feed)s, lacked.row_key, 'absent', %(known_at)s, lacked.money
            from lacked
            inner join added on added.row_key = lacked.row_key and added.batch_id = %(batch_id)s
            on conflict do nothing
            """
        ).format(within=within, **parts),
        values,
    )
    weigh(conn, [contract.feed])


def feeds() -> list[str]:
    """Feeds of which a missing row does not mean that it has ended."""
    return [contract.feed for contract in contracts().values() if not contract.believes_absence]


def listing(conn: psycopg.Connection, of: Iterable[str] | None = None) -> list[MissingRow]:
    """Rows that are missing now, of some feeds or of all, with the rows that refer to them."""
    wanted = list(of or contracts())
    with conn.cursor(row_factory=class_row(MissingRow)) as cursor:
        return cursor.execute(
            "select missing_id, feed, row_key, missing_since, last_missing, hanging "
            "from ops.missing_row where status = 'missing' and feed = any(%s) "
            "order by feed, row_key",
            [wanted],
        ).fetchall()


def told(conn: psycopg.Connection, group: str | None = None) -> list[str]:
    """One message per feed with missing rows: which, what refers to them, and what to do next."""
    of = [contract.feed for contract in groups()[group]] if group else feeds()
    weigh(conn, of)
    conn.commit()
    found = listing(conn, of)
    return [
        _told(feed, [row for row in found if row.feed == feed])
        for feed in dict.fromkeys(row.feed for row in found)
    ]


def _told(feed: str, rows: list[MissingRow]) -> str:
    names = "; ".join(f"{row.row_key} ({hanging_text(row.hanging)})" for row in rows[:_SHOWN])
    more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    error = ChotsoError(
        f"{len(rows)} rows of {feed} are in force and the source no longer shows them: "
        f"{names}{more}.",
        kept="they stay in force with all that hangs on them (ops.missing_row); a freeze is not "
        "sealed while they are missing.",
        next_step="have the rows, or the right to read them, restored at the source. Of rows that "
        f"have ended say so: `chotso missing close KEY --feed {feed} --reason TEXT --by NAME`.",
    )
    return str(error)


def lacks_rows(conn: psycopg.Connection, known_at: datetime) -> bool:
    """Whether any row of a register was missing, as known at an instant."""
    row = conn.execute(
        "select exists (select from ops.missing_row where missing_since <= %s "
        "and (ended_at is null or ended_at > %s))",
        [known_at, known_at],
    ).fetchone()
    return row is not None and bool(row[0])


def weigh(conn: psycopg.Connection, of: Iterable[str]) -> None:
    """Count again the rows that refer to missing rows of some feeds; does not commit."""
    for feed in of:
        found = conn.execute(
            "select row_key from ops.missing_row where feed = %s and status = 'missing'", [feed]
        ).fetchall()
        if not found:
            continue
        hanging: dict[str, list[dict[str, Any]]] = {key: [] for (key,) in found}
        contract = contracts()[feed]
        for child_contract, column, own in _references(contract):
            query = _hanging_query(contract, child_contract, column, own)
            for key, rows, money in conn.execute(query, [list(hanging)]):
                hanging[key].append(
                    {"feed": child_contract.feed, "rows": rows, "money": str(int(money))}
                )
        with conn.cursor() as cursor:
            cursor.executemany(
                "update ops.missing_row set hanging = %s "
                "where feed = %s and row_key = %s and status = 'missing'",
                [[Jsonb(each), feed, key] for key, each in hanging.items()],
            )


def _references(contract: Contract) -> Iterator[tuple[Contract, str, str]]:
    """(feed, its column, column of `contract`) for each column that refers to the feed.

    A key may begin with another feed's key, like an officer's with the employer's. Then rows that
    refer to that other feed are counted, too: the missing row decides where they count.
    """
    own = contract.key[0]
    place = contract.feed if len(contract.key) == 1 else contract.columns[own].refers_to
    for child_contract in contracts().values():
        for name, column in child_contract.landed.items():
            if column.refers_to == place and child_contract.feed != contract.feed:
                yield child_contract, name, own


def _hanging_query(
    contract: Contract, child_contract: Contract, column: str, own: str
) -> sql.Composed:
    """SQL: per missing row, rows in force and their đồng that refer to it, also indirectly."""
    above = [n for n, column in contract.landed.items() if column.refers_to == contract.feed]
    below: sql.Composable = sql.SQL("")
    if above:
        below = sql.SQL(
            " union select reached.row_key, child.{own} from reached "
            "inner join {raw} as child on child.{above} = reached.code "
            "where child.known_to is null"
        ).format(
            own=sql.Identifier(own),
            above=sql.Identifier(above[0]),
            raw=sql.Identifier("raw", contract.feed),
        )
    return sql.SQL(
        """
        with recursive reached as (
            select {row_key} as row_key, kept.{own} as code
            from {raw} as kept
            where kept.known_to is null and {row_key} = any(%s)
            {below}
        )

        select reached.row_key, count(*), coalesce(sum({money}), 0)
        from reached
        inner join {child} as hanging on hanging.{column} = reached.code
        where hanging.known_to is null
        group by reached.row_key
        """
    ).format(
        row_key=joined(contract.key, "kept"),
        own=sql.Identifier(own),
        raw=sql.Identifier("raw", contract.feed),
        below=below,
        money=money_of(child_contract, "hanging"),
        child=sql.Identifier("raw", child_contract.feed),
        column=sql.Identifier(column),
    )
