"""Reads a finished build's figures for a release, whole and in one snapshot."""

import unicodedata

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.errors import ChotsoError
from chotso.freeze.canonical import Table
from chotso.freeze.tables import AGENCIES, ARREARS_RATIO, ATTAINMENT, METRICS, PLANS, TABLES

Rows = list[dict[str, object]]

_RELATIONS = {
    ATTAINMENT.name: "fct_monthly_attainment",
    ARREARS_RATIO.name: "fct_arrears_ratio",
    AGENCIES.name: "dim_agency",
    METRICS.name: "dim_metric",
    PLANS.name: "fct_plan_target",
}
_WHOLE = (ATTAINMENT, ARREARS_RATIO)  # a column that these lacked would be lost for ever

# The version of an agency in force in the row's month; of a unit out of force, its last one.
_VERSION = """
    where agency_code = {code}
    order by
        coalesce(valid_from_date, date '-infinity') < fact.month + interval '1 month'
        and coalesce(valid_to_date, date 'infinity') >= fact.month desc,
        valid_from_date desc nulls last
    limit 1
"""
_NAMES = f"""
    left join lateral (
        select agency_name, parent_agency_code from {{schema}}.dim_agency
        {_VERSION.format(code="fact.agency_code")}
    ) as agency on true
    left join lateral (
        select agency_name from {{schema}}.dim_agency
        {_VERSION.format(code="agency.parent_agency_code")}
    ) as parent on true
"""
_METRIC = "left join {schema}.dim_metric as metric on metric.metric_code = fact.metric_code"
_SOURCES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    ATTAINMENT.name: (f"{_NAMES} {_METRIC}", {
        "agency": ("agency_name", "parent_agency_code"),
        "parent": ("parent_agency_name",),
        "metric": (
            "metric_name_vi", "metric_name_en", "unit_code", "kind_code", "direction_code"
        ),
    }),
    ARREARS_RATIO.name: (_NAMES, {
        "agency": ("agency_name", "parent_agency_code"),
        "parent": ("parent_agency_name",),
    }),
    PLANS.name: (_METRIC, {"metric": ("unit_code", "kind_code")}),
}  # fmt: skip
_OTHER_NAMES = {"parent_agency_name": "agency_name"}


def read_tables(conn: psycopg.Connection, schema: str) -> dict[str, Rows]:
    """Every table's rows by table name, as Python values, unsorted.

    Raises:
        ChotsoError: A fact is missing or empty, or has a column that the release would lose.
    """
    try:
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            for spec in _WHOLE:
                _check_columns(conn, schema, spec)
            tables = {spec.name: _read(conn, schema, spec) for spec in TABLES}
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise ChotsoError(
            f"The build {schema} lacks what a release needs: {error.diag.message_primary}.",
            kept="nothing was sealed.",
            next_step="update dbt_project and chotso together, then run the freeze again.",
        ) from error
    for spec in _WHOLE:
        if not tables[spec.name]:
            raise ChotsoError(
                f"The build {schema} has no rows in {_RELATIONS[spec.name]}.",
                kept="nothing was sealed.",
                next_step="run `chotso nightly` for the cutoff's date, then the freeze again.",
            )
    return tables


def _check_columns(conn: psycopg.Connection, schema: str, spec: Table) -> None:
    relation = _RELATIONS[spec.name]
    rows = conn.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) "
        "and attnum > 0 and not attisdropped",
        [f"{schema}.{relation}"],
    )
    lost = sorted({str(row[0]) for row in rows} - set(spec.column_names))
    if lost:
        raise ChotsoError(
            f"{relation} has columns that a release would lose: {', '.join(lost)}.",
            kept="nothing was sealed.",
            next_step=f"add them to chotso/freeze/tables.py and, by a migration, to "
            f"frozen.{spec.name} and rehearsal.{spec.name}; then run the freeze again.",
        )


def _read(conn: psycopg.Connection, schema: str, spec: Table) -> Rows:
    joins, borrowed = _SOURCES.get(spec.name, ("", {}))
    owners = {name: alias for alias, names in borrowed.items() for name in names}
    columns = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(
            sql.Identifier(owners.get(name, "fact"), _source_name(name, owners)),
            sql.Identifier(name),
        )
        for name in spec.column_names
    )
    query = sql.SQL("select {columns} from {relation} as fact {joins}").format(
        columns=columns,
        relation=sql.Identifier(schema, _RELATIONS[spec.name]),
        joins=sql.SQL(joins).format(schema=sql.Identifier(schema)),
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        found: Rows = cursor.execute(query).fetchall()
        return [_normalised(row) for row in found]


def _normalised(row: dict[str, object]) -> dict[str, object]:
    """The row with its texts in NFC: readers of `frozen` see what stands in the bundle."""
    return {
        name: unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        for name, value in row.items()
    }


def _source_name(name: str, owners: dict[str, str]) -> str:
    return _OTHER_NAMES.get(name, name) if name in owners else name
