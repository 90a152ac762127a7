"""Reads the data files of a bundle into values, exactly as they were sealed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from chotso.paper_register import PaperRegister
from chotso.release.data.tables import TABLES

FigureValue = str | int | Decimal | date | datetime | bool | None
FigureRow = dict[str, FigureValue]

_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,\n"]*)')
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_RATIO = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")
_MIXED = re.compile(r"(actual|plan)_.*")


@dataclass(frozen=True)
class InputFile:
    """What one feed delivered on one business date and changed something: rows, and đồng."""

    feed: str
    business_date: date
    rows: int
    money: Decimal


@dataclass(frozen=True)
class ReleaseFacts:
    """Facts of a release from its manifest, a corrigendum's reason and author, and the heading."""

    release_id: str
    period_id: str
    period_name: str
    kind: str
    cutoff_at: datetime
    as_known_at: datetime
    business_date: date
    data_root: str
    corrects: str | None = None
    reason: str | None = None
    author: str | None = None
    code_version: str = ""
    heading: PaperRegister = field(default_factory=PaperRegister)
    deliveries: tuple[InputFile, ...] = ()

    @property
    def is_rehearsal(self) -> bool:
        """Whether the release is a rehearsal, which must be marked as such."""
        return self.kind == "rehearsal"

    @property
    def month(self) -> date:
        """First day of the judged month, which is the month of the business date."""
        return self.business_date.replace(day=1)


def facts_of(
    manifest: Mapping[str, Any], period_name: str, heading: PaperRegister | None = None
) -> ReleaseFacts:
    """The facts of a manifest, which may not list the papers yet.

    Args:
        manifest: The content; `correction` may have a corrigendum's reason and author.
        period_name: The period's Vietnamese name in the release's configuration.
        heading: Who issues the papers, by the release's configuration.
    """
    correction = manifest.get("correction") or {}
    return ReleaseFacts(
        release_id=manifest["release_id"],
        period_id=manifest["period_id"],
        period_name=period_name,
        kind=manifest["kind"],
        cutoff_at=datetime.fromisoformat(manifest["cutoff_at"]),
        as_known_at=datetime.fromisoformat(manifest["as_known_at"]),
        business_date=date.fromisoformat(manifest["business_date"]),
        data_root=manifest["data_root"],
        corrects=manifest.get("corrects"),
        reason=correction.get("reason"),
        author=correction.get("author"),
        code_version=manifest.get("code", {}).get("version", ""),
        heading=heading or PaperRegister(),
        deliveries=tuple(_deliveries(manifest.get("inputs") or [])),
    )


def _deliveries(inputs: Iterable[Mapping[str, Any]]) -> Iterator[InputFile]:
    """The batches among the inputs, which are acts, too, in their order."""
    for entry in inputs:
        if "feed" in entry:
            yield InputFile(
                str(entry["feed"]),
                date.fromisoformat(entry["business_date"]),
                int(entry.get("rows_delivered") or 0),
                Decimal(entry.get("money_delivered") or 0),
            )


class Release:
    """The data files of a bundle; each is read when it is first used."""

    def __init__(self, folder: Path, facts: ReleaseFacts) -> None:
        self.folder = folder
        self.facts = facts

    def rows(self, name: str) -> Iterator[FigureRow]:
        """Rows of `data/<name>.csv`, in the file's order; none if there is no such file.

        Raises:
            ValueError: The file is not canonical CSV.
        """
        path = self.folder / "data" / f"{name}.csv"
        return read(path, name) if path.is_file() else iter(())

    def columns(self, name: str) -> list[str]:
        """The header of `data/<name>.csv`; empty if there is no such file."""
        path = self.folder / "data" / f"{name}.csv"
        if not path.is_file():
            return []
        return [str(field) for field in next(records(path))]

    def data_files(self) -> list[tuple[str, int]]:
        """Name and number of rows of every data file, by name."""
        paths = sorted((self.folder / "data").glob("*.csv"), key=lambda path: path.name)
        return [(path.name, sum(1 for _ in records(path)) - 1) for path in paths]

    @cached_property
    def attainment(self) -> list[FigureRow]:
        """All rows of the attainment, in the file's order."""
        return list(self.rows("attainment"))

    @cached_property
    def ranking(self) -> list[FigureRow]:
        """The ranking: agencies first, then officers, each in order of rank."""
        return sorted(self.rows("ranking"), key=_place)


def _place(row: FigureRow) -> tuple[str, str, bool, Decimal, str]:
    rank = row.get("rank_number")
    return (
        str(row.get("participant_type") or ""),
        str(row.get("province_code") or ""),
        rank is None,
        Decimal(rank) if isinstance(rank, int | Decimal) else Decimal(0),
        str(row.get("participant_code") or ""),
    )


def records(path: Path) -> Iterator[list[str | None]]:
    r"""Records of a canonical CSV file; an unquoted `\N` is None, a quoted one is text.

    Raises:
        ValueError: The file is not canonical CSV.
    """
    with path.open(encoding="utf-8", newline="\n") as stream:
        pending = ""
        for line in stream:
            pending += line
            if pending.count('"') % 2 == 0:
                yield _fields(pending, path)
                pending = ""
        if pending:
            raise ValueError(f"{path.name}: a quoted text is not ended")


def _fields(record: str, path: Path) -> list[str | None]:
    fields: list[str | None] = []
    if not record.endswith("\n"):
        raise ValueError(f"{path.name}: a record is not ended")
    record = record[:-1]
    if '"' not in record:
        return [None if field == "\\N" else field for field in record.split(",")]
    position = 0
    while True:
        found = _FIELD.match(record, position)
        assert found is not None  # the second branch also matches the empty string
        quoted, plain = found.groups()
        if quoted is not None:
            fields.append(quoted.replace('""', '"'))
        else:
            fields.append(None if plain == "\\N" else plain)
        position = found.end()
        if position == len(record):
            return fields
        if record[position] != ",":
            raise ValueError(f"{path.name}: a text is wrongly quoted: {record[:80]!r}")
        position += 1


def read(path: Path, name: str) -> Iterator[FigureRow]:
    """Rows of a data file, with each value converted to the kind of its column.

    Args:
        path: The file.
        name: The table; columns unknown to `release.data.tables` get their kind by their name.

    Raises:
        ValueError: The file is not canonical CSV, or a row has too few or too many fields.
    """
    found = records(path)
    header = [str(field) for field in next(found)]
    known = {
        c.name: c.kind for data_file in TABLES if data_file.name == name for c in data_file.columns
    }
    kinds = [known.get(column) or kind_of(column) for column in header]
    for fields in found:
        if len(fields) != len(header):
            raise ValueError(f"{path.name}: a row has {len(fields)} fields, not {len(header)}")
        yield {
            column: value(field, kind)
            for column, kind, field in zip(header, kinds, fields, strict=True)
        }


def kind_of(column: str) -> str:
    """The kind of a column by its suffix; all names of the warehouse follow these suffixes."""
    endings = {
        "_vnd": "integer", "_count": "integer", "_number": "integer", "_date": "date",
        "_month": "date", "_at": "instant", "_ratio": "ratio", "_points": "ratio",
    }  # fmt: skip
    whole = {
        "month": "date", "ratio": "ratio", "points": "ratio", "numerator": "integer",
        "denominator": "integer", "quarantined_money": "integer", "plan_year": "integer",
    }  # fmt: skip
    if column in whole:
        return whole[column]
    if _MIXED.fullmatch(column) and not column.endswith(("_code", "_year")):
        return "figure"
    if column.startswith(("is_", "has_")):
        return "boolean"
    for ending, kind in endings.items():
        if column.endswith(ending):
            return kind
    return "text"


def value(field: str | None, kind: str) -> FigureValue:
    """A field as a value of its kind; it stays text if it does not look like one."""
    if field is None or kind == "text":
        return field
    if kind in {"integer", "figure", "plan"} and _INTEGER.fullmatch(field):
        return int(field)
    if kind in {"ratio", "figure", "plan"} and _RATIO.fullmatch(field):
        return Decimal(field)
    if kind == "date" and _DATE.fullmatch(field):
        return date.fromisoformat(field)
    if kind == "instant" and _INSTANT.fullmatch(field):
        return datetime.fromisoformat(field.replace("Z", "+00:00"))
    if kind == "boolean" and field in {"true", "false"}:
        return field == "true"
    return field
