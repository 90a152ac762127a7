"""Canonical CSV: one byte sequence for one content, on any machine (the form is in SPEC.md)."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation

from chotso.characters import spelled_out
from chotso.verifier.verify import canonical_json

__all__ = ["DataFile", "FileColumn", "canonical_json", "csv_lines", "kind_of", "render", "table"]

RATIO_PLACES = Decimal("1E-9")
KIND_COLUMN, UNIT_COLUMN = "kind_code", "unit_code"
_MIXED = {"figure": "ratio", "plan": "fraction"}
_NULL = "\\N"
_QUOTED = frozenset(',"\r\n')
_LOOKS_SPECIAL = frozenset({_NULL, "\\."})  # null, and the end marker of PostgreSQL's COPY
_EXACT = Context(prec=1000)


@dataclass(frozen=True)
class FileColumn:
    """A column of a data file and the kind of its values."""

    name: str
    kind: str


@dataclass(frozen=True)
class DataFile:
    """A data file: its columns in order, and the key that its rows are sorted by."""

    name: str
    key: tuple[str, ...]
    columns: tuple[FileColumn, ...]

    @property
    def path(self) -> str:
        """Its path in the bundle."""
        return f"data/{self.name}.csv"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The header."""
        return tuple(column.name for column in self.columns)


def table(name: str, key: str, columns: str) -> DataFile:
    """A data file from text with one line per column: its name and its kind.

    Args:
        name: The file is `data/<name>.csv`.
        key: Names of the key columns, separated by spaces.
        columns: Lines of `name kind`; kinds are `text`, `integer`, `ratio`, `fraction` (as it was
            written), `figure` and `plan` (integers, or a ratio or fraction where the row's
            `kind_code` is `ratio` or its `unit_code` `fraction`), `date`, `instant`, `boolean`.

    Raises:
        ValueError: A kind is unknown or a key column is missing.
    """
    pairs = [line.split() for line in columns.strip().splitlines()]
    made = DataFile(name, tuple(key.split()), tuple(FileColumn(one, kind) for one, kind in pairs))
    unknown = {column.kind for column in made.columns} - {*_RENDERERS, *_MIXED}
    if unknown or not set(made.key) <= set(made.column_names):
        raise ValueError(f"table {name}: unknown kinds {sorted(unknown)} or key columns {key}")
    return made


def csv_lines(data_file: DataFile, rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """The file's records, header first; only one row is held in memory.

    Args:
        data_file: The table.
        rows: Mappings with exactly the table's columns; any number, in ascending code point order
            of their rendered keys.

    Raises:
        ValueError: A value does not fit its column, or a key does not follow the one before it; the
            text names the row and the column.
    """
    positions = [data_file.column_names.index(name) for name in data_file.key]
    last: tuple[str, ...] | None = None
    yield _line(list(data_file.column_names))
    for row in rows:
        fields = _fields(data_file, row)
        key = tuple(_unquoted(fields[position]) for position in positions)
        if last is not None and key <= last:
            raise ValueError(
                f"{data_file.name}: {key} after {last}: two rows of a key, or out of order"
            )
        last = key
        yield _line(fields)


def _fields(data_file: DataFile, row: Mapping[str, object]) -> list[str]:
    if set(row) != set(data_file.column_names):
        differing = sorted(set(row) ^ set(data_file.column_names))
        raise ValueError(f"{data_file.name}: missing or unknown columns {differing}")
    fields = []
    for column in data_file.columns:
        try:
            fields.append(render(row[column.name], kind_of(column, row)))
        except ValueError as error:
            key = tuple(row[name] for name in data_file.key)
            raise ValueError(f"{data_file.name} {key}, column {column.name}: {error}") from error
    return fields


def kind_of(column: FileColumn, row: Mapping[str, object]) -> str:
    """The kind of a column's value in a row; for figures and plans, other columns tell it."""
    if column.kind not in _MIXED:
        return column.kind
    is_ratio = row.get(KIND_COLUMN) == "ratio" or row.get(UNIT_COLUMN) == "fraction"
    return _MIXED[column.kind] if is_ratio else "integer"


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if field.startswith('"') else field


def _line(fields: list[str]) -> bytes:
    return ",".join(fields).encode("utf-8") + b"\n"


def render(value: object, kind: str) -> str:
    r"""A value as its field, quotes included where they are needed; None is `\N`.

    Raises:
        ValueError: The value is not of the kind, or has no exact form in it.
    """
    return _NULL if value is None else _RENDERERS[kind](value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    text = unicodedata.normalize("NFC", spelled_out(value))
    if text in _LOOKS_SPECIAL or not _QUOTED.isdisjoint(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _decimal(value: object, scale: Decimal) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is not an exact number")
    number = Decimal(value)
    try:
        fixed = number.quantize(scale, context=_EXACT)
    except InvalidOperation as error:
        raise ValueError(f"{value} is not a finite number") from error
    if fixed != number:
        raise ValueError(f"{value} has more than {-int(scale.as_tuple().exponent)} decimals")
    return f"{abs(fixed) if fixed == 0 else fixed:f}"


def _fraction(value: object) -> str:
    """A fraction with nine decimals; more if a plan's decision has more."""
    written = value.normalize().as_tuple().exponent if isinstance(value, Decimal) else 0
    places = RATIO_PLACES
    if isinstance(written, int) and written < int(places.as_tuple().exponent):
        places = Decimal((0, (1,), written))
    return _decimal(value, places)


def _date(value: object) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"{value!r} is not a date")
    return value.isoformat()


def _instant(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{value!r} is not an instant")
    moment = value.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def _boolean(value: object) -> str:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return "true" if value else "false"


_RENDERERS: dict[str, Callable[[object], str]] = {
    "text": _text,
    "integer": lambda value: _decimal(value, Decimal(1)),
    "ratio": lambda value: _decimal(value, RATIO_PLACES),
    "fraction": _fraction,
    "date": _date,
    "instant": _instant,
    "boolean": _boolean,
}
