"""SQL for a feed's columns, built from its contract: lists, keys and amounts."""

from collections.abc import Iterable

from psycopg import sql

from chotso.calendar import LOCAL_ZONE_NAME
from chotso.contracts import Contract


def listed(names: Iterable[str], alias: str | None = None) -> sql.Composed:
    """Column names in order, each with an alias if given."""
    found = [sql.Identifier(alias, n) if alias else sql.Identifier(n) for n in names]
    return sql.SQL(", ").join(found)


def equal(names: Iterable[str], left: str, right: str) -> sql.Composed:
    """A join condition of two aliases on columns; null equals nothing."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, n), sql.Identifier(right, n)) for n in names
    )


def same_key(contract: Contract, left: str, right: str) -> sql.Composed:
    """A join condition of two aliases on the feed's key."""
    return equal(contract.key, left, right)


def joined(names: Iterable[str], alias: str) -> sql.Composed:
    """Columns of an alias as one text, which is used as a key."""
    parts = [
        sql.SQL("coalesce({}::text, '∅')").format(sql.Identifier(alias, name)) for name in names
    ]
    return sql.SQL("concat_ws('|', {})").format(sql.SQL(", ").join(parts))


def money_of(contract: Contract, alias: str) -> sql.Composed:
    """The đồng of an alias's row, numeric."""
    return sql.SQL("(select coalesce(({})::numeric, 0) from (select {}.*) as carrier)").format(
        sql.SQL(contract.money), sql.Identifier(alias)
    )


def control_month(contract: Contract, value: sql.Composable) -> sql.Composed:
    """The first day of the local month of the feed's control column."""
    assert contract.control is not None
    if contract.columns[contract.control.month].type == "timestamptz":
        value = sql.SQL("{} at time zone {}").format(value, sql.Literal(LOCAL_ZONE_NAME))
    return sql.SQL("date_trunc('month', ({})::timestamp)::date").format(value)
