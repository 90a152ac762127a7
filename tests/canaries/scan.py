"""Finds canaries in bytes: in every encoding, inside compressed files, in every table."""

import base64
import gzip
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
from psycopg import sql

from tests.canaries.planted import BIRTH_MARK, NAME_MARK, NUMBER_MARK, persons

_CONTEXT = 30


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def needles() -> dict[str, bytes]:
    """What is searched for, by the name of its form."""
    found: dict[str, bytes] = {}
    names = {
        "name": NAME_MARK,
        "decomposed name": unicodedata.normalize("NFD", NAME_MARK),
        "name in capitals": NAME_MARK.upper(),
        "name in small letters": NAME_MARK.lower(),
        "name without marks": _plain(NAME_MARK),
    }
    for what, text in {"number": NUMBER_MARK, "birth date": BIRTH_MARK, **names}.items():
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            raw = text.encode(encoding)
            found[f"{what} in {encoding}"] = raw
            found[f"{what} in {encoding} as hex"] = raw.hex().encode()
            for shift in range(3):
                found[f"{what} in {encoding} as base64 +{shift}"] = _base64_core(raw, shift)
        found[f"{what} escaped for JSON"] = text.encode("ascii", "backslashreplace")
    return {name: needle for name, needle in found.items() if len(needle) >= 4}


def _base64_core(raw: bytes, shift: int) -> bytes:
    """The characters of base64 that depend on `raw` alone when it starts at this offset."""
    encoded = base64.b64encode(b"\0" * shift + raw)
    start = -(-shift * 8 // 6)
    end = (shift + len(raw)) * 8 // 6
    return encoded[start:end]


_NEEDLES = needles()


def found_in(content: bytes, where: str) -> list[str]:
    """Which needles stand in some bytes, with what is around them."""
    told = []
    for name, needle in _NEEDLES.items():
        at = content.find(needle)
        if at >= 0:
            around = content[max(0, at - _CONTEXT) : at + len(needle) + _CONTEXT]
            told.append(f"{where}: {name} at {at}: {around!r}")
    return told


def found_in_file(path: Path) -> list[str]:
    """Canaries in a file, and in what it packs."""
    content = path.read_bytes()
    told = found_in(content, str(path))
    for part, unpacked in _unpacked(path.name, content):
        told += found_in(unpacked, f"{path}!{part}")
    return told


def _unpacked(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if content[:4] == b"PAR1":
        yield "rows", str(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
    elif content[:2] == b"\x1f\x8b":
        yield from _and_inside(name, gzip.decompress(content))
    elif content[:4] == b"PK\x03\x04" and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from _and_inside(member, archive.read(member))
    elif content[:5] == b"%PDF-":
        for number, stream in enumerate(re.findall(rb"stream\r?\n(.*?)endstream", content, re.S)):
            try:
                yield f"stream {number}", zlib.decompressobj().decompress(stream)
            except zlib.error:
                continue


def _and_inside(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content
    yield from _unpacked(name, content)


def found_in_folder(folder: Path, but_not: Path | None = None) -> tuple[list[str], int, int]:
    """Canaries under a folder; with the number of files and bytes that were read."""
    told: list[str] = []
    files = size = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        if but_not is not None and path.is_relative_to(but_not):
            continue
        told += found_in(str(path).encode(), "a file's name")
        told += found_in_file(path)
        files += 1
        size += path.stat().st_size
    return told, files, size


def found_in_tables(url: str) -> tuple[list[str], int, int]:
    """Canaries in the text of every table; with the number of tables and rows that were read."""
    told: list[str] = []
    whole = [(p.number.strip(), p.name, p.birth) for p in persons()]
    tables = rows = 0
    with psycopg.connect(url) as conn:
        named = conn.execute(
            "select schemaname, tablename from pg_tables where schemaname <> 'information_schema'"
        ).fetchall()
        for schema, table in sorted(named):
            text = _copied(conn, schema, table)
            tables += 1
            rows += text.count(b"\n")
            told += found_in(text, f"{schema}.{table}")
            if schema not in ("pg_catalog",):
                told += [
                    f"{schema}.{table}: person {n}"
                    for n, person in enumerate(whole)
                    if any(value.encode() in text for value in person)
                ]
    return told, tables, rows


def _copied(conn: psycopg.Connection, schema: str, table: str) -> bytes:
    text = bytearray()
    statement = sql.SQL("copy (select * from {}) to stdout").format(sql.Identifier(schema, table))
    with conn.cursor() as cursor, cursor.copy(statement) as stream:
        for block in stream:
            text += block
    return bytes(text)
