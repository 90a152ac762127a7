"""A server without any statistics, and how it then executed each statement."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from dbt.adapters.sql.connections import SQLConnectionManager

_ANALYZE = re.compile(r"\s*(/\*.*?\*/\s*)?(analyze|vacuum|select ops\.gather_statistics)\b", re.S)
# The step of a materialization, which sends several statements together (macros/relations.sql).
_STEP = re.compile(r"^\s*analyze [^;]+;", re.MULTILINE)
_NOTHING = "select array[]::text[]"
_HEAD = re.compile(r"duration: ([0-9.]+) ms  plan:$")


def _text(query: Any, connection: Any) -> str:
    if isinstance(query, bytes):
        return query.decode()
    return query if isinstance(query, str) else str(query.as_string(connection))


@contextmanager
def no_statistics(admin: psycopg.Connection) -> Iterator[None]:
    """Delete all statistics, and prevent this process from gathering them."""
    forget(admin)
    ours, dbt_s = psycopg.Cursor.execute, SQLConnectionManager.add_query

    def execute(self: Any, query: Any, *rest: Any, **named: Any) -> Any:
        is_left_out = _ANALYZE.match(_text(query, self.connection))
        return ours(self, _NOTHING if is_left_out else query, *rest, **named)

    def add_query(self: Any, sql: str, *rest: Any, **named: Any) -> Any:
        text = _NOTHING if _ANALYZE.match(sql) else _STEP.sub("", sql)
        return dbt_s(self, text, *rest, **named)

    with (
        patch.object(psycopg.Cursor, "execute", execute),
        patch.object(SQLConnectionManager, "add_query", add_query),
    ):
        yield


def forget(admin: psycopg.Connection) -> None:
    """Delete the planner's statistics of all tables outside the catalog."""
    admin.execute(
        "delete from pg_statistic where starelid in (select oid from pg_class "
        "where relnamespace <> 'pg_catalog'::regnamespace)"
    )
    admin.execute(
        "update pg_class set reltuples = -1, relpages = 0 "
        "where relkind in ('r', 'i') and relnamespace <> 'pg_catalog'::regnamespace"
    )
    admin.commit()


def explain_everything(admin: psycopg.Connection, database: str, at_least_ms: int) -> None:
    """Let the server log the plans of slow statements, with the rows of each step."""
    for name, value in {
        "session_preload_libraries": "auto_explain",
        "auto_explain.log_min_duration": str(at_least_ms),
        "auto_explain.log_analyze": "on",
        "auto_explain.log_timing": "off",
        "auto_explain.log_format": "json",
        "auto_explain.log_nested_statements": "on",
    }.items():
        admin.execute(f"alter database \"{database}\" set {name} = '{value}'")
    admin.commit()


@dataclass(frozen=True)
class Planned:
    """One executed statement: its duration, and the most rows that one of its steps read."""

    milliseconds: float
    rows_looked_at: int
    step: str
    text: str


def planned(log: Path, offset: int = 0) -> list[Planned]:
    """All statements that the server explained after this offset of its log."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(offset)
        return list(_planned(lines))


def _planned(lines: Iterator[str]) -> Iterator[Planned]:
    held: list[str] = []
    took = 0.0
    for line in lines:
        if held and line.startswith("\t"):
            held.append(line)
            continue
        if held:
            yield _read(took, "".join(held[1:]))
            held = []
        if found := _HEAD.search(line.rstrip()):
            took, held = float(found[1]), [line]
    if held:
        yield _read(took, "".join(held[1:]))


def _read(took: float, text: str) -> Planned:
    plan = json.loads(text, strict=False)
    rows, step = max(_steps(plan["Plan"]))
    return Planned(took, rows, step, " ".join(plan["Query Text"].split()))


def _steps(node: dict[str, Any]) -> Iterator[tuple[int, str]]:
    seen = sum(
        node.get(name, 0)
        for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    )
    yield round(seen * node.get("Actual Loops", 1)), node["Node Type"]
    for below in node.get("Plans", []):
        yield from _steps(below)
