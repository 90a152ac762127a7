"""Reads the figures of a finished build for a release, row by row, ordered by key."""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.calendar import LOCAL_ZONE_NAME, local_date
from chotso.characters import spelled_out
from chotso.errors import ChotsoError
from chotso.release.data.canonical import DataFile
from chotso.release.data.tables import ARREARS_RATIO, ATTAINMENT, CHECKS, TABLES

FileRow = Mapping[str, object]
Tables = Mapping[str, Iterator[FileRow]]

_FOLDER = Path(__file__).parent / "sql"
# Marts of which a release must have all columns: a column that is left out is lost for ever.
_WHOLE = {ATTAINMENT: "fct_monthly_attainment", ARREARS_RATIO: "fct_arrears_ratio"}
_ROWS_AT_ONCE = 5_000

# Names of a row's agency on the month's last day, and of its parent in that month. For a unit that
# is not in force any more: its last parent.
_OWN_NAMES = {
    "agency_name": sql.SQL("agency.agency_name"),
    "parent_agency_code": sql.SQL("agency.parent_agency_code"),
    "parent_agency_name": sql.SQL("parent.agency_name"),
}
_AGENCIES = """
    left join {schema}.dim_agency as agency on fact.agency_key = agency.agency_key
    left join lateral (
        select found.agency_name
        from {schema}.dim_agency as found
        where found.agency_code = agency.parent_agency_code
        order by
            coalesce(found.valid_from_date, date '-infinity') < fact.month + interval '1 month'
            and coalesce(found.valid_to_date, date 'infinity') >= fact.month desc,
            found.valid_from_date desc nulls last
        limit 1
    ) as parent on true
"""


@dataclass(frozen=True)
class Frozen:
    """What is read: a build's schema, and the period, instants and groups in the queries."""

    schema: str
    period_id: str
    cutoff_at: datetime
    as_known_at: datetime
    withheld_groups: tuple[str, ...] = ()
    last_month: date | None = None
    """The last month that is read (a corrigendum has its predecessor's months); None: every one."""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the queries' placeholders."""
        return {
            "period_id": self.period_id,
            "cutoff_at": self.cutoff_at,
            "cutoff_month": local_date(self.cutoff_at).replace(day=1),
            "as_known_at": self.as_known_at,
            "time_zone": LOCAL_ZONE_NAME,
            "personal_groups": list(self.withheld_groups),
            "last_month": self.last_month,
        }


@contextmanager
def reading(conn: psycopg.Connection, frozen: Frozen) -> Iterator[Tables]:
    """All tables of a build by name, streamed from one snapshot.

    Raises:
        ChotsoError: A fact is missing or empty, or has a column that the release would lose.
    """
    try:
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            for data_file, relation in _WHOLE.items():
                _check_columns(conn, frozen.schema, data_file, relation)
                _check_rows(conn, frozen.schema, relation)
            yield {
                data_file.name: _rows(conn, frozen, data_file)
                for data_file in TABLES
                if data_file is not CHECKS
            }
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise ChotsoError(
            f"The build {frozen.schema} lacks what a release needs: {error.diag.message_primary}.",
            kept="nothing was sealed.",
            next_step="update dbt_project and chotso together, then run the freeze again.",
        ) from error


def _check_columns(
    conn: psycopg.Connection, schema: str, data_file: DataFile, relation: str
) -> None:
    rows = conn.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) "
        "and attnum > 0 and not attisdropped",
        [f"{schema}.{relation}"],
    )
    lost = sorted({str(row[0]) for row in rows} - set(data_file.column_names))
    if lost:
        raise ChotsoError(
            f"{relation} has columns that a release would lose: {', '.join(lost)}.",
            kept="nothing was sealed.",
            next_step=f"add them to chotso/release/data/tables.py and, by a migration, to "
            f"frozen.{data_file.name} and rehearsal.{data_file.name}; then run the freeze again.",
        )


def _check_rows(conn: psycopg.Connection, schema: str, relation: str) -> None:
    query = sql.SQL("select 1 from {} limit 1").format(sql.Identifier(schema, relation))
    if conn.execute(query).fetchone() is None:
        raise ChotsoError(
            f"The build {schema} has no rows in {relation}.",
            kept="nothing was sealed.",
            next_step="run `chotso nightly` for the cutoff's date, then the freeze again.",
        )


def _rows(conn: psycopg.Connection, frozen: Frozen, data_file: DataFile) -> Iterator[FileRow]:
    """The rows of a table in code point order of its key; texts in NFC.

    Readers of `frozen` see the texts of the bundle.
    """
    with conn.cursor(name=f"freeze_{data_file.name}", row_factory=dict_row) as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        for row in cursor.execute(_query(data_file, frozen), frozen.values):
            yield {
                name: unicodedata.normalize("NFC", spelled_out(value))
                if isinstance(value, str)
                else value
                for name, value in row.items()
            }


def _query(data_file: DataFile, frozen: Frozen) -> sql.Composed:
    """The rows of a table, in order of its key."""
    values = {name: sql.Placeholder(name) for name in frozen.values}
    rows = rows_query(
        data_file, sql.Identifier(frozen.schema), values, frozen.last_month is not None
    )
    return sql.SQL("{rows} order by {key}").format(rows=rows, key=order_of(data_file, "fact"))


def order_of(data_file: DataFile, alias: str) -> sql.Composed:
    """The order of a table's rows: by code point, column by column."""
    return sql.SQL(", ").join(
        sql.SQL("coalesce(normalize({}::text, nfc), '\\N') collate \"C\"").format(
            sql.Identifier(alias, name)
        )
        for name in data_file.key
    )


def rows_query(
    data_file: DataFile,
    schema: sql.Composable,
    values: Mapping[str, sql.Composable],
    has_last_month: bool,
) -> sql.Composed:
    """`sql/<name>.sql` with the columns of its file; `{word}` in it is a value or the schema.

    Args:
        data_file: The table.
        schema: The build's schema.
        values: SQL for each of `Frozen.values`.
        has_last_month: Whether months after `last_month` are left out.
    """
    named = _OWN_NAMES if _OWN_NAMES.keys() <= set(data_file.column_names) else {}
    until = "where fact.month <= {last_month}" if has_last_month else ""
    return sql.SQL("select {columns} from ({rows}) as fact {agencies} {until}").format(
        until=sql.SQL(until if "month" in data_file.column_names else "").format(**values),
        columns=sql.SQL(", ").join(
            sql.SQL("{} as {}").format(
                named.get(name, sql.Identifier("fact", name)), sql.Identifier(name)
            )
            for name in data_file.column_names
        ),
        rows=sql.SQL(_text(data_file.name)).format(schema=schema, **values),
        agencies=sql.SQL(_AGENCIES if named else "").format(schema=schema),
    )


@cache
def _text(name: str) -> Any:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
