"""What a corrigendum changes: every figure of the corrected release, before and after."""

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from chotso.errors import ChotsoError
from chotso.release.data.canonical import DataFile
from chotso.release.data.reading import FileRow
from chotso.release.data.tables import COMPARED, FROZEN, NOT_COMPARED_COLUMNS

Fields = dict[str, str | None]
_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^,"]*))(?:,|\Z)')


@dataclass(frozen=True)
class Corrected:
    """The corrected release, from the files in the warehouse.

    `read` gives the bytes of a file by its path, or None.
    """

    release_id: str
    root: str
    read: Callable[[str], bytes | None]

    def open(self, path: str) -> TextIO:
        """A data file as text, after checking its hash; empty if the release has no such file.

        Raises:
            ChotsoError: The warehouse's copy is not what was sealed.
        """
        manifest = self.read("manifest.json") or b""
        if hashlib.sha256(manifest).hexdigest() != self.root:
            raise self._damaged("manifest.json")
        listed = {entry["path"]: entry["sha256"] for entry in json.loads(manifest)["files"]}
        content = self.read(path) or b""
        if path in listed and hashlib.sha256(content).hexdigest() != listed[path]:
            raise self._damaged(path)
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="\n")

    def _damaged(self, path: str) -> ChotsoError:
        return ChotsoError(
            f"The warehouse's copy of {path} of {self.release_id} is not what was sealed.",
            kept="it, as it is, as evidence; nothing was sealed.",
            next_step="check the release's folder with verify.py and the anchor, find out who "
            "changed the warehouse, and restore it from a backup.",
        )


@dataclass
class Changes:
    """The rows of `data/changes.csv`, computed after the bundle's other data files."""

    corrected: Corrected
    folder: Path
    figures: int = field(default=0, init=False)
    """How many values differ in the tables that readers see in `frozen`."""

    def __iter__(self) -> Iterator[FileRow]:
        seen = {data_file.name for data_file in FROZEN}
        for data_file in sorted(COMPARED, key=lambda each: each.name):
            with (
                self.corrected.open(data_file.path) as old,
                (self.folder / data_file.path).open(encoding="utf-8", newline="\n") as new,
            ):
                found = sorted(
                    _differences(data_file, old, new),
                    key=lambda row: (str(row["row_key"]), str(row["column_name"])),
                )
            self.figures += len(found) if data_file.name in seen else 0
            yield from found


def _differences(data_file: DataFile, old: TextIO, new: TextIO) -> Iterator[FileRow]:
    for key, before, after in _pairs(data_file, old, new):
        change = "added" if before is None else "removed" if after is None else "changed"
        one, two = before or {}, after or {}
        for name in sorted({*one, *two} - {*data_file.key, *NOT_COMPARED_COLUMNS}):
            if change != "changed" or one.get(name) != two.get(name):
                yield {
                    "table_name": data_file.name,
                    "row_key": json.dumps(key, ensure_ascii=False, separators=(",", ":")),
                    "column_name": name,
                    "change_code": change,
                    "value_before": one.get(name),
                    "value_after": two.get(name),
                }


def _pairs(
    data_file: DataFile, old: TextIO, new: TextIO
) -> Iterator[tuple[list[str | None], Fields | None, Fields | None]]:
    """Rows of both files paired by key; both are sorted, so neither is held in memory."""
    olds, news = keyed_rows(data_file, old), keyed_rows(data_file, new)
    one, two = next(olds, None), next(news, None)
    while one or two:
        if two is None or (one is not None and one[0] < two[0]):
            assert one is not None
            yield _key(data_file, one[1]), one[1], None
            one = next(olds, None)
        elif one is None or two[0] < one[0]:
            yield _key(data_file, two[1]), None, two[1]
            two = next(news, None)
        else:
            if one[1] != two[1]:
                yield _key(data_file, two[1]), one[1], two[1]
            one, two = next(olds, None), next(news, None)


def _key(data_file: DataFile, row: Fields) -> list[str | None]:
    return [row[name] for name in data_file.key]


def keyed_rows(data_file: DataFile, stream: TextIO) -> Iterator[tuple[tuple[str, ...], Fields]]:
    """Key and fields of each row of a canonical CSV file; null is None."""
    records = _records(stream)
    names = [str(name) for name in next(records, [])]
    for record in records:
        row = dict(zip(names, record, strict=True))
        yield tuple("\\N" if each is None else each for each in _key(data_file, row)), row


def _records(stream: TextIO) -> Iterator[list[str | None]]:
    r"""Fields of each record of a canonical CSV file; `\N` without quotes is null."""
    record = ""
    for line in stream:
        record += line
        if record.count('"') % 2 == 0:
            yield _fields(record.removesuffix("\n"))
            record = ""


def _fields(record: str) -> list[str | None]:
    if '"' not in record:
        return [None if each == "\\N" else each for each in record.split(",")]
    fields: list[str | None] = []
    position = 0
    while True:
        match = _FIELD.match(record, position)
        assert match is not None, record
        quoted, plain = match.groups()
        if quoted is not None:
            fields.append(quoted.replace('""', '"'))
        else:
            fields.append(None if plain == "\\N" else plain)
        position = match.end()
        if not match.group().endswith(",") or position > len(record):
            return fields
