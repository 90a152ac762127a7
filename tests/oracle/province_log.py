"""The synthetic province's own event log, read as observations for the oracle."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.oracle.model import C12, KEY_COLUMNS, Key, Observation, PlanFile, Row, Statement

DATES = {"hieu_luc_tu", "hieu_luc_den", "tu_ngay", "den_ngay", "thang", "tu_thang", "den_thang"}
DATES |= {"ngay_ky"}
INSTANTS = {"ngay_ghi_co", "ngay_nhap", "ngay_sua"}


@dataclass
class _Files:
    statements: list[Statement] = field(default_factory=list)
    plan_files: list[PlanFile] = field(default_factory=list)


class ProvinceLog:
    """The province as the log of its generator tells it, commit by commit.

    Args:
        path: `events.jsonl.gz`: row versions (`at`, `table`, `op`, `row`) and files (`at`, `file`,
            `kind`, and the content that was written into it).
    """

    def __init__(self, path: Path) -> None:
        with gzip.open(path, "rt", encoding="utf-8") as log:
            events = [json.loads(line) for line in log]
        for event in events:
            event["at"] = datetime.fromisoformat(event["at"])
        # Stable: what one instant commits stays in the order of the log.
        self._events = sorted(events, key=lambda event: event["at"])

    def observations(self, nights: list[tuple[datetime, date]]) -> list[Observation]:
        """What extracts at these clocks could know, each with its business date."""
        tables: dict[str, dict[Key, Row]] = {table: {} for table in KEY_COLUMNS}
        aside: set[Key] = set()
        remaining = iter(self._events)
        pending: dict[str, Any] | None = next(remaining, None)
        observed = []
        for clock, business_date in nights:
            files = _Files()
            while pending is not None and pending["at"] <= clock:
                if "table" in pending:
                    _apply(tables[pending["table"]], pending)
                elif not pending.get("is_refused"):
                    aside |= set(_read_file(files, pending))
                pending = next(remaining, None)
            observed.append(
                Observation(
                    clock,
                    business_date,
                    {table: list(rows.values()) for table, rows in tables.items()},
                    files.statements,
                    files.plan_files,
                    {C12: frozenset(aside)},
                )
            )
        return observed


def _apply(rows: dict[Key, Row], event: dict[str, Any]) -> None:
    row = _typed(event["row"])
    key = tuple(row[column] for column in KEY_COLUMNS[event["table"]])
    if event["op"] == "delete":
        rows.pop(key, None)
    else:
        rows[key] = row


def _read_file(files: _Files, event: dict[str, Any]) -> Iterator[Key]:
    """Take a file in; gives the keys of its rows that must be set aside."""
    rows_of = event["sheets"] if event["kind"] == "c12" else {"": event["rows"]}
    sheets = {name: [_typed(row) for row in rows] for name, rows in rows_of.items()}
    if event["kind"] == "c12":
        month = date.fromisoformat(event["month"])
        stated_at = datetime.fromisoformat(event["stated_at"])
        files.statements.append(Statement(event["file"], month, stated_at, sheets))
    else:
        files.plan_files.append(PlanFile(event["file"], sheets[""]))
    for agency, employer in event.get("set_aside", []):
        yield event["file"], agency, employer


def _typed(row: dict[str, Any]) -> Row:
    def value(column: str, found: Any) -> Any:
        if found is None:
            return None
        if column in DATES:
            return date.fromisoformat(found)
        return datetime.fromisoformat(found) if column in INSTANTS else found

    return {column: value(column, found) for column, found in row.items()}
