"""What a seal compares a bundle with, registered by `chotso migrate`.

Registered are the configuration that decides figures, the query that makes each data file from a
build, and the documents in every bundle. The loader's login cannot change any of them. So a seal
detects an invented period, another cutoff, or a file that is not from the build.
"""

import hashlib
from typing import Any

import psycopg
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.registers import REGISTERS, load_registers
from chotso.release.bundle.writer import documents
from chotso.release.data.canonical import KIND_COLUMN, UNIT_COLUMN, DataFile, FileColumn
from chotso.release.data.reading import order_of, rows_query
from chotso.release.data.tables import CHECKS, CORRECTION, TABLES
from chotso.release.seal.checks import CHECKS as NAMES
from chotso.warehouse.registered import registered, replace

# The values of a query, in the order in which sealing.built_file gives them.
_VALUES = (
    "period_id", "cutoff_at", "cutoff_month", "as_known_at", "time_zone", "personal_groups",
    "last_month",
)  # fmt: skip
_RELEASE = f"${len(_VALUES) + 1}"
_FORMS = {
    "text": """
        case when normalize({0}::text, nfc) ~ '[,"\\r\\n]' or {0}::text in ('\\N', '\\.')
            then '"' || replace(normalize({0}::text, nfc), '"', '""') || '"'
            else normalize({0}::text, nfc) end""",
    "integer": "trim_scale({0}::numeric)::text",
    "ratio": "round({0}::numeric, 9)::text",
    "fraction": "round({0}::numeric, greatest(9, scale(trim_scale({0}::numeric))))::text",
    "date": "to_char({0}, 'YYYY-MM-DD')",
    "instant": "sealing.instant_text({0})",
    "boolean": "{0}::text",
}
_MIXED = {"figure": "ratio", "plan": "fraction"}
_CHECKS = """
    select
        checked.check_code, names.name_vi, names.name_en, checked.is_met, checked.observed,
        checked.wanted, override.reason is not null as is_overridden,
        override.reason as override_reason,
        override.first_name || '; ' || override.second_name as overridden_by
    from ops.freeze_checks({release}) as checked
    inner join ops."freeze" as made on made.release_id = {release}
    left join (values {names}) as names (check_code, name_vi, name_en)
        on names.check_code = checked.check_code
    left join ops.freeze_override as override
        on override.release_id = made.release_id and override.check_code = checked.check_code
        and override.as_known_at = made.as_known_at and not checked.is_met
"""


def statement_of(data_file: DataFile) -> str:
    """The query that gives a data file's lines, without the header, as one text."""
    line = sql.SQL(" || ',' || ").join(_field(data_file, column) for column in data_file.columns)
    return (
        sql.SQL("select string_agg({line} || E'\\n', '' order by {key}) from ({rows}) as shown")
        .format(line=line, key=order_of(data_file, "shown"), rows=_rows(data_file))
        .as_string()
    )


def _rows(data_file: DataFile) -> sql.Composable:
    if data_file is CHECKS:
        names = sql.SQL(", ").join(
            sql.SQL("({}, {}, {})").format(*map(sql.Literal, (code, vietnamese, english)))
            for code, (vietnamese, english, _) in NAMES.items()
        )
        return sql.SQL(_CHECKS).format(release=sql.SQL(_RELEASE), names=names)
    values: dict[str, sql.Composable]
    values = {name: sql.SQL(f"${number}") for number, name in enumerate(_VALUES, 1)}
    values["last_month"] = sql.SQL("coalesce({}, 'infinity')").format(values["last_month"])
    text = rows_query(data_file, sql.SQL("{{schema}}").format(), values, has_last_month=True)
    return sql.SQL(text.as_string().replace("%%", "%"))


def _field(data_file: DataFile, column: FileColumn) -> sql.Composable:
    value = sql.Identifier("shown", column.name).as_string()
    if column.kind in _MIXED:
        tests = [
            f"shown.{name} = '{word}'"
            for name, word in ((KIND_COLUMN, "ratio"), (UNIT_COLUMN, "fraction"))
            if name in data_file.column_names
        ]
        is_ratio, form = " or ".join(tests), _FORMS[_MIXED[column.kind]]
        form = f"case when {is_ratio} then {form} else {_FORMS['integer']} end"
    else:
        form = _FORMS[column.kind]
    return sql.SQL(f"coalesce({form.format(value)}, '\\N')")


def _wanted() -> dict[str, list[tuple[Any, ...]]]:
    """Per table, the rows that this code and configuration would register."""
    configuration = load_registers().configuration
    headers = {
        data_file.name: ",".join(data_file.column_names) for data_file in (*TABLES, *CORRECTION)
    }
    statements: dict[str, str | None] = {
        data_file.name: statement_of(data_file) for data_file in TABLES
    }
    return {
        "ops.configuration": [(name, configuration[name]) for name in sorted(REGISTERS)],
        "sealing.data_file": [
            (name, header, statements.get(name)) for name, header in sorted(headers.items())
        ],
        "sealing.document": [
            (path, hashlib.sha256(content).hexdigest())
            for path, content in sorted(documents().items())
        ],
    }


def register(conn: psycopg.Connection) -> None:
    """Register this code and configuration; called by `chotso migrate`, as superuser."""
    for name, rows in _wanted().items():
        replace(conn, name, rows)


def unregistered(conn: psycopg.Connection) -> list[str]:
    """Parts of this code and configuration that differ from what was registered."""
    with conn.transaction():
        return [
            f"{name} {wanted[0]}"
            for name, rows in _wanted().items()
            for wanted, known in _pairs(rows, registered(conn, name))
            if wanted != known
        ]


def refuse_unregistered(conn: psycopg.Connection) -> None:
    """Refuse to freeze with code or configuration that is not registered.

    Raises:
        ChotsoError: Code or configuration changed since then.
    """
    if other := unregistered(conn):
        raise ChotsoError(
            "Code or configuration is not as the last `chotso migrate` registered it, and figures "
            f"are sealed by what is registered: {', '.join(other)}.",
            kept="what was extracted and built; nothing was sealed.",
            next_step="restore the file of config/ if it was changed by mistake; else run `chotso "
            "migrate`, then run the freeze again.",
        )


def _pairs(
    wanted: list[tuple[Any, ...]], known: list[tuple[Any, ...]]
) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    by_name = {row[0]: row for row in known}
    names = sorted({row[0] for row in wanted} | by_name.keys())
    mine = {row[0]: row for row in wanted}
    return [(mine.get(name, (name, None)), by_name.get(name, (name, None, None))) for name in names]
