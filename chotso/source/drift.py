"""Schema drift: how a relation of the source differs from its contract.

A value's range is checked when it is read, so an integer of any width fits an integer. A type does
not fit if its values could be rounded, shifted or misread, even if today's values would fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import types
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeEngine

from chotso import contracts
from chotso.contracts import HELPERS_DIR, ColumnType, Contract, HelperTable
from chotso.yaml_reader import MappingNode, compose_yaml

_WHOLE = ("smallint", "integer", "bigint")
# PostgreSQL's types by format_type without modifier; a domain counts as its base type.
_POSTGRES: Mapping[ColumnType, tuple[str, ...]] = {
    # not character(n): its padding blanks would change a key
    "text": ("text", "character varying"),
    "smallint": _WHOLE,
    "integer": _WHOLE,
    "bigint": _WHOLE,
    "numeric": ("numeric", *_WHOLE),
    "boolean": ("boolean",),
    "date": ("date",),
    "timestamptz": ("timestamp with time zone",),
    "jsonb": ("jsonb", "json"),
}

# The first whose text is contained in the declared type.
_SQLITE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("INT", (*_WHOLE, "numeric", "boolean")),
    ("CHAR", ("text", "date", "timestamptz", "jsonb")),
    ("CLOB", ("text", "date", "timestamptz", "jsonb")),
    ("TEXT", ("text", "date", "timestamptz", "jsonb")),
    ("BOOL", ("boolean",)),
    ("TIMESTAMP", ("timestamptz",)),
    ("DATETIME", ("timestamptz",)),
    ("DATE", ("date",)),
    ("JSON", ("jsonb",)),
    ("NUMERIC", ("numeric",)),
    ("DECIMAL", ("numeric",)),
)


@dataclass(frozen=True)
class FoundColumn:
    """A column as the source has it.

    Attributes:
        shown: Its type as the source writes it.
        fits: The contract types that its values can be read as.
    """

    shown: str
    fits: frozenset[str]


@dataclass(frozen=True)
class Drift:
    """One column in which a relation differs from its contract.

    Attributes:
        contract_line: Where the contract says it (`config/feeds/payments.yml:17`); of an added
            column, where the columns begin.
        found_type: The type found; None for a missing column.
        expected: The contract's type; None for an added column.
    """

    kind: Literal["added", "missing", "retyped"]
    relation: str
    column: str
    contract_line: str
    found_type: str | None = None
    expected: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether the relation cannot be read because of this difference."""
        return self.kind != "added"

    def __str__(self) -> str:
        match self.kind:
            case "added":
                return f"{self.relation}.{self.column} ({self.found_type}) is new and not loaded"
            case "missing":
                return (
                    f"{self.relation}.{self.column} is missing, expected {self.expected} "
                    f"({self.contract_line})"
                )
        return (
            f"{self.relation}.{self.column} is {self.found_type}, expected {self.expected} "
            f"({self.contract_line})"
        )


def drift_of(
    contract: Contract | HelperTable, relation: str, found: Mapping[str, FoundColumn]
) -> list[Drift]:
    """Missing and retyped columns in contract order, then added ones as the source lists them.

    Args:
        contract: The contract of a feed or of a helper table.
        relation: The relation's name with its schema.
        found: The relation's columns; none where it is not there.
    """
    told: list[Drift] = []
    path = (
        contracts.FEEDS_DIR / f"{contract.feed}.yml"
        if isinstance(contract, Contract)
        else _helper(contract)
    )
    for name, column in contract.columns.items():
        line = _line(path, name)
        has = found.get(name)
        if has is None:
            told.append(Drift("missing", relation, name, line, expected=column.type))
        elif column.type not in has.fits:
            told.append(Drift("retyped", relation, name, line, has.shown, column.type))
    line = _line(path)
    added = [name for name in found if name not in contract.columns]
    return [*told, *(Drift("added", relation, n, line, found[n].shown) for n in added)]


def contract_line(feed: str, column: str | None = None) -> str:
    """File and line of a column in the contract, or of the list of columns."""
    return _line(contracts.FEEDS_DIR / f"{feed}.yml", column)


def _helper(contract: HelperTable) -> Path:
    return HELPERS_DIR / f"{contract.relation}.yml"


def _line(path: Path, column: str | None = None) -> str:
    lines = _lines(path)
    line = lines.get(column or "", lines.get(""))
    return f"config/{path.parent.name}/{path.name}" + (f":{line}" if line else "")


@cache
def _lines(path: Path) -> dict[str, int]:
    """The line of each column by name; the empty name gives the line of the list."""
    root = compose_yaml(path.read_bytes())
    if not isinstance(root, MappingNode):
        return {}
    for key, columns in root.value:
        if key.value == "columns" and isinstance(columns, MappingNode):
            named = {name.value: name.start_mark.line + 1 for name, _ in columns.value}
            return {"": key.start_mark.line + 1, **named}
    return {}


def postgres_column(shown: str, base: str) -> FoundColumn:
    """A column of PostgreSQL: its type as written, and its base type without a modifier."""
    return FoundColumn(shown, frozenset(t for t, names in _POSTGRES.items() if base in names))


def sqlite_column(declared: str) -> FoundColumn:
    """A column of SQLite, which keeps dates, instants and booleans as text or numbers.

    A column may have no type. Then each value is judged when it is read.
    """
    name = declared.upper()
    for sign, fits in _SQLITE:
        if sign in name:
            return FoundColumn(declared, frozenset(fits))
    return FoundColumn(declared or "untyped", frozenset() if name else frozenset(_POSTGRES))


def database_column(found: TypeEngine[Any], dialect: Dialect) -> FoundColumn:
    """A column of another database, from SQLAlchemy's inspector."""
    return FoundColumn(_shown(found, dialect), frozenset(_fits(found, dialect)))


def _shown(found: TypeEngine[Any], dialect: Dialect) -> str:
    try:
        return found.compile(dialect=dialect)
    except SQLAlchemyError:  # SQLAlchemy can read this type but cannot print it
        return repr(found)


def _fits(found: TypeEngine[Any], dialect: Dialect) -> set[str]:
    """The types that fit; tolerant only where the database has no exact type."""
    name = found.__visit_name__.upper()
    if isinstance(found, types.Boolean) or name == "BIT":
        return {"boolean"}
    if _is_whole(found, dialect):
        # Oracle and MySQL keep booleans like this
        return {*_WHOLE, "numeric"} | (set() if dialect.name == "mssql" else {"boolean"})
    if isinstance(found, types.Numeric):
        return set() if isinstance(found, types.Float) else {"numeric"}
    if isinstance(found, types.DateTime):
        if found.timezone or name == "DATETIMEOFFSET":
            return {"timestamptz"}
        # Oracle's DATE has a time of day; Oracle has no other date type.
        return {"date"} if (dialect.name, name) == ("oracle", "DATE") else set()
    for kind, fits in ((types.Date, "date"), (types.JSON, "jsonb"), (types.String, "text")):
        if isinstance(found, kind):
            # padding blanks would change a value
            return set() if name in ("CHAR", "NCHAR") else {fits}
    return set()


def _is_whole(found: TypeEngine[Any], dialect: Dialect) -> bool:
    """Whether a type holds whole numbers: integers, NUMBER, NUMBER(p), DECIMAL(p, 0)."""
    if not isinstance(found, types.Numeric):
        return isinstance(found, types.Integer)
    if isinstance(found, types.Float):
        return False
    return found.scale == 0 or (dialect.name == "oracle" and found.scale is None)
