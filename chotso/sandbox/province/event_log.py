"""The generator's own record, `events.jsonl.gz`: any figure at any instant can be computed from it.

It has one JSON object per line, in UTF-8, in several consecutive gzip members. Each part (the seed,
then each advance) has first the tables' rows, then the files. Rows are ordered by commit instant,
table and key; in the seed, they are ordered by table.

- `{"at", "table", "op", "row"}`: a row version visible from `at` on (commit instant, ISO 8601 with
  offset). `op` is `upsert` (`row` has every column, as in the source) or `delete` (`row` has the
    key; only `phan_bo`). The seed writes the state of 1 October: of rows changed before, only the
    newest version, with its own instant.
- `{"at", "file", "kind": "c12", "month", "stated_at", "sheets"}`: an export. `sheets` maps each
  agency's code to its rows, an empty list if the agency has none; a row maps the used fields
  (source names; `thang` as ISO date; money in whole đồng) to values.
- `{"at", "file", "kind": "plan", "rows"}`: a plan workbook; a row has the nine columns, with dates
  as ISO text, and `gia_tri` as text exactly as written.

Rows of tables are as in the source, with planted defects. Rows of files are the correct ones. If a
defect was planted into a file, its object also has `defects` (identifiers in `defects.json`), and
`is_refused` if the whole file must be refused. `set_aside` lists the listed rows that must be set
aside as `[agency, employer]`. Rows that were planted in addition are not listed.
"""

import gzip
import json
from collections.abc import Iterator
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from chotso.sandbox.province.tables import SourceTable, Value
from chotso.sandbox.province.timeline import Ints, iso, iso_many
from chotso.sandbox.province.versions import Versions

FILE_NAME = "events.jsonl.gz"


def _tokens(kind: str, values: list[Value]) -> list[str]:
    if kind == "text":
        # The encoder's function is called directly: json.dumps takes three times as long.
        return ["null" if value is None else encode_basestring(str(value)) for value in values]
    if kind == "boolean":
        return ["true" if value else "false" for value in values]
    if kind in ("date", "timestamptz"):
        return ["null" if value is None else f'"{value}"' for value in values]
    return ["null" if value is None else str(value) for value in values]


def _lines(
    table: SourceTable, at: Ints, columns: list[list[Value]], deleted: list[bool]
) -> list[str]:
    tokens = [_tokens(kind, values) for (_, kind), values in
              zip(table.columns, columns, strict=True)]  # fmt: skip
    fields = ", ".join(f'"{name}": %s' for name in table.names)
    whole = f'{{"at": "%s", "table": "{table.name}", "op": "upsert", "row": {{{fields}}}}}'
    keys = table.key_columns
    fields = ", ".join(f'"{name}": %s' for name in table.names[:keys])
    gone = f'{{"at": "%s", "table": "{table.name}", "op": "delete", "row": {{{fields}}}}}'
    lines = []
    for stamp, is_gone, row in zip(iso_many(at), deleted, zip(*tokens, strict=True), strict=True):
        lines.append(gone % (stamp, *row[:keys]) if is_gone else whole % (stamp, *row))
    return lines


def state_lines(versions: Versions, indices: Ints) -> Iterator[str]:
    """Lines of row versions, in the given order."""
    for part, columns in versions.chunks(indices):
        deleted: list[bool] = versions.deleted[part].tolist()
        yield from _lines(versions.table, versions.at[part], columns, deleted)


def event_lines(tables: list[Versions], after: int, until: int) -> list[str]:
    """Lines of all row versions committed in (after, until], by instant, table and key."""
    keyed: list[tuple[int, int, int, str]] = []
    for rank, versions in enumerate(tables):
        indices = versions.between(after, until)
        lines = state_lines(versions, indices)
        instants = versions.at[indices].tolist()
        keyed += [(at, rank, i, line) for i, (at, line) in
                  enumerate(zip(instants, lines, strict=True))]  # fmt: skip
    return [entry[3] for entry in sorted(keyed, key=lambda entry: entry[:3])]


def file_line(at: int, name: str, content: dict[str, Any]) -> str:
    """The line of one delivered file."""
    return json.dumps({"at": iso(at), "file": name, **content}, ensure_ascii=False)


class EventLog:
    """Appends to the log, one gzip member per part; removes the part of a killed run."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FILE_NAME

    def truncate(self, size: int) -> None:
        """Truncates the log to the size that belongs to the source's clock."""
        with self.path.open("ab") as log:
            log.truncate(size)

    def append(self, lines: Iterator[str]) -> int:
        """Appends lines; returns the new size of the log."""
        with self.path.open("ab") as log:
            with gzip.GzipFile(
                filename="", mode="wb", fileobj=log, compresslevel=1, mtime=0
            ) as member:
                batch: list[str] = []
                for line in lines:
                    batch.append(line)
                    if len(batch) == 10_000:
                        member.write(("\n".join(batch) + "\n").encode())
                        batch.clear()
                if batch:
                    member.write(("\n".join(batch) + "\n").encode())
            log.flush()
            return log.tell()


def read_events(state_dir: Path) -> Iterator[dict[str, Any]]:
    """All events so far, in the written order."""
    with gzip.open(state_dir / FILE_NAME, "rt", encoding="utf-8") as log:
        for line in log:
            yield json.loads(line)
