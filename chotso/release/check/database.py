"""Compares what readers see with the bundles, by row, key and column.

Readers see `frozen`, and the views of `marts` that show sealed periods
(`chotso.release.check.marts`).

First the verifier checks the files against the anchor. The warehouse is compared only with files
that have no fault. Rows are streamed, so neither side is held in memory.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.release.check.marts import SCHEMA as MARTS
from chotso.release.check.marts import Marts
from chotso.release.check.pairs import Keyed, named, pairwise, says
from chotso.release.data.canonical import DataFile, FileColumn, kind_of, render
from chotso.release.data.changes import keyed_rows
from chotso.release.data.tables import FROZEN
from chotso.settings import Settings
from chotso.verifier.verify import SIGNERS_NEEDED, Finding, Result, verify
from chotso.warehouse.connect import connect

CODE = "database"
NAMED = 20
"""How many differences of a table are named; the rest is one finding."""
_ROWS_AT_ONCE = 2_000


def verify_with_database(settings: Settings, path: Path, anchor: str | None = None) -> Result:
    """Check a release or the releases folder, and that the warehouse shows the same.

    Args:
        settings: Where the warehouse is; its login only reads.
        path: A release's folder, or the releases folder, which must then hold all releases.
        anchor: The root (of the newest release) from a source that is trusted.

    Returns:
        The files' result, with a finding of code `database` per difference of the warehouse.

    Raises:
        ChotsoError: The warehouse does not answer.
    """
    result = verify(path, anchor)
    if result.findings:
        result.notes.append(
            "the warehouse was not compared: a bundle that fails is no measure of it"
        )
        return result
    with connect(settings) as conn:
        found = differences(conn, path)
        result.findings += found
        if missing := Marts(conn).missing:
            names = ", ".join(f"{MARTS}.{mart}" for mart in missing)
            result.notes.append(f"not compared, for no build has made them yet: {names}")
        if not found:
            result.notes.append("compared with the warehouse: readers see what was sealed")
        if result.superseded is None:
            result.superseded = _superseded(conn, result.release_id)
    return result


def _superseded(conn: psycopg.Connection, release_id: str | None) -> dict[str, str]:
    """This release, and the one that corrects it, if any. A folder alone does not say."""
    query = "select corrects, release_id from frozen.release where corrects = %s"
    return {str(old): str(new) for old, new in conn.execute(query, [release_id]).fetchall()}


def differences(conn: psycopg.Connection, path: Path) -> list[Finding]:
    """Where the warehouse differs from a sound bundle, or from a folder of bundles."""
    is_one = (path / "manifest.json").exists()
    folders = [path] if is_one else sorted(_releases(path))
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        found = [] if is_one else [*_missing(conn, folders), *_orphans(conn)]
        marts = Marts(conn)
        for folder in folders:
            found += _Compared(conn, folder).findings(marts)
        for mart, told in marts.marked():
            found += _first(f"{MARTS}.{mart}", told, "such marks")
    return found


def _first(relation: str, told: Iterable[str], what: str) -> Iterator[Finding]:
    """The first differences of a relation, and how many more there are."""
    differences = iter(told)
    for message in islice(differences, NAMED):
        yield Finding(CODE, relation, message)
    if more := sum(1 for _ in differences):
        yield Finding(CODE, relation, f"and {more} more {what}")


def _releases(path: Path) -> Iterator[Path]:
    for folder in path.iterdir():
        if not folder.name.startswith(".") and folder.name != "rehearsal":
            yield folder


def _missing(conn: psycopg.Connection, folders: list[Path]) -> Iterator[Finding]:
    """Releases of the warehouse that the folder lacks."""
    names = [folder.name for folder in folders]
    rows = conn.execute(
        "select release_id from frozen.release where release_id <> all(%s) order by 1", [names]
    )
    for (release_id,) in rows.fetchall():
        yield Finding(CODE, "frozen.release", f"{release_id} is not in the releases folder")


def _orphans(conn: psycopg.Connection) -> Iterator[Finding]:
    """Rows that belong to no release: readers see them, but checks of releases do not."""
    tables = conn.execute(
        "select relname from pg_class inner join pg_attribute on attrelid = oid "
        "where relnamespace = 'frozen'::regnamespace and relkind in ('r', 'p') "
        "and attname = 'release_id' and not attisdropped and relname <> 'release' order by 1"
    ).fetchall()
    for (name,) in tables:
        query = sql.SQL(
            "select row.release_id, count(*) from frozen.{} as row where not exists "
            "(select from frozen.release as known where known.release_id = row.release_id) "
            "group by 1 order by 1"
        ).format(sql.Identifier(name))
        for release_id, count in conn.execute(query).fetchall():
            yield Finding(CODE, f"frozen.{name}", f"{count} rows of {release_id}, no release")


class _Compared:
    """One release: its folder and the rows of its schema."""

    def __init__(self, conn: psycopg.Connection, folder: Path) -> None:
        raw = (folder / "manifest.json").read_bytes()
        self._conn, self._folder = conn, folder
        self._manifest: dict[str, Any] = json.loads(raw)
        self._release_id = str(self._manifest["release_id"])
        self._root = hashlib.sha256(raw).hexdigest()
        self._schema = "rehearsal" if self._manifest["kind"] == "rehearsal" else "frozen"

    def findings(self, marts: Marts) -> list[Finding]:
        """All differences; of each table, the first ones by name."""
        row = self._one("select * from {} where release_id = %s", "release", [self._release_id])
        if row is None:
            return [Finding(CODE, f"{self._schema}.release", f"{self._release_id} is not there")]
        is_real = self._schema == "frozen"
        parts: list[tuple[str, Iterable[str]]] = [
            ("release", chain(self._release(row), self._current() if is_real else ())),
            ("bundle_file", self._files()),
        ]
        if is_real:
            parts.append(("certification", self._certifications(row["status"])))
        for data_file in FROZEN:
            parts.append((data_file.name, self._table(data_file)))
            if is_real and row["is_current"]:
                parts.append((f"current_{data_file.name}", self._view(data_file)))
        relations = [(f"{self._schema}.{name}", told) for name, told in parts]
        if is_real and row["is_current"]:
            shown = marts.of_release(self._folder, row["period_id"], self._release_id)
            relations += [(f"{MARTS}.{mart}", told) for mart, told in shown]
        return [
            finding
            for relation, told in relations
            for finding in _first(relation, told, f"differences of {self._release_id}")
        ]

    def _release(self, row: dict[str, Any]) -> Iterator[str]:
        manifest = self._manifest
        correction = manifest.get("correction") or {}
        sealed = {
            "period_id": manifest["period_id"],
            "kind": manifest["kind"],
            "corrects": manifest.get("corrects"),
            "cutoff_at": manifest["cutoff_at"],
            "as_known_at": manifest["as_known_at"],
            "root_sha256": self._root,
            "previous_root": manifest["previous_root"],
            "data_root": manifest["data_root"],
            "code_version": (manifest.get("code") or {}).get("version"),
            "correction_reason": correction.get("reason"),
            "correction_author": correction.get("author"),
        }
        for name, wanted in sealed.items():
            value = row[name]
            shown = render(value, "instant") if isinstance(value, datetime) else value
            if shown != wanted:
                yield says((self._release_id,), name, shown, wanted)

    def _current(self) -> Iterator[str]:
        """Check that the period's current release is the one that no other corrects."""
        rows = self._conn.execute(
            """
            select release.release_id, release.is_current, not exists (
                select from frozen.release as later where later.corrects = release.release_id
            ) as is_last
            from frozen.release as release
            where release.period_id = %s
            order by release.release_id collate "C"
            """,
            [self._manifest["period_id"]],
        ).fetchall()
        for release_id, is_current, is_last in rows:
            if is_current != is_last and release_id == self._release_id:
                yield says((release_id,), "is_current", is_current, is_last)
        shown = self._one(
            "select count(*) as times from {} where release_id = %s",
            "current_release",
            [self._release_id],
        )
        is_wanted = any(each[0] == self._release_id and each[2] for each in rows)
        if shown is None or shown["times"] != int(is_wanted):
            yield (
                f"the view current_release shows {self._release_id} "
                f"{0 if shown is None else shown['times']} times, {int(is_wanted)} is right"
            )

    def _files(self) -> Iterator[str]:
        """Check the warehouse's copy of every file by its hash."""
        wanted = {entry["path"]: entry["sha256"] for entry in self._manifest["files"]}
        wanted["manifest.json"] = self._root
        query = "select path, encode(sha256(content), 'hex') from {} where release_id = %s"
        kept = dict(self._rows(query, "bundle_file"))
        for path in sorted({*wanted, *kept}):
            if path not in kept:
                yield f"{path} of {self._release_id} is not there"
            elif path not in wanted:
                yield f"{path} of {self._release_id} is not in the bundle"
            elif kept[path] != wanted[path]:
                key = (self._release_id, path)
                yield says(key, "sha256(content)", kept[path], wanted[path])

    def _certifications(self, status: str) -> Iterator[str]:
        names = ("signer_id", "root_sha256", "certified_at", "signature")
        files = {}
        for path in sorted((self._folder / "certifications").glob("*.json")):
            found = json.loads(path.read_bytes())
            files[str(found["signer_id"])] = {name: str(found[name]) for name in names}
        signers = {each["id"]: each for each in self._manifest.get("signers", [])}
        query = (
            "select signer_id, root_sha256, certified_at, signature, signer_name, public_key "
            "from {} where release_id = %s"
        )
        rows = {row[0]: row for row in self._rows(query, "certification")}
        for signer_id in sorted({*files, *rows}):
            key = (self._release_id, signer_id)
            if signer_id not in rows:
                yield f"{named(key)}: the bundle's certification is not there"
                continue
            if signer_id not in files:
                yield f"{named(key)}: the bundle has no such certification"
                continue
            listed = signers.get(signer_id, {})
            wanted = [*files[signer_id].values(), listed.get("name"), listed.get("public_key")]
            columns = (*names, "signer_name", "public_key")
            for name, value, right in zip(columns, rows[signer_id], wanted, strict=True):
                if value != right:
                    yield says(key, name, value, right)
        right_status = "certified" if len(files) >= SIGNERS_NEEDED else "sealed"
        if status != right_status:
            yield says((self._release_id,), "release.status", status, right_status)

    def _table(self, data_file: DataFile) -> Iterator[str]:
        """Compare a table's rows with its file's; both are ordered by the key."""
        if unknown := sorted(self._columns(data_file) - {"release_id", *data_file.column_names}):
            yield f"has columns that no release has: {', '.join(unknown)}"
        path = self._folder / data_file.path
        if not path.exists():  # the release was sealed before this table existed
            yield from (f"{named(key)} is not in the bundle" for key, _ in self._kept(data_file))
            return
        with path.open(encoding="utf-8", newline="\n") as stream:
            yield from pairwise(self._kept(data_file), keyed_rows(data_file, stream))

    def _kept(self, data_file: DataFile) -> Keyed:
        query = sql.SQL("select {columns} from {table} where release_id = {id} order by {key}")
        statement = query.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, data_file.column_names)),
            table=sql.Identifier(self._schema, data_file.name),
            id=sql.Literal(self._release_id),
            key=sql.SQL(", ").join(
                sql.SQL('{}::text collate "C" nulls first').format(sql.Identifier(name))
                for name in data_file.key
            ),
        )
        with self._conn.cursor(name=f"compare_{data_file.name}", row_factory=dict_row) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            for row in cursor.execute(statement):
                fields = {column.name: _field(row, column) for column in data_file.columns}
                yield tuple(fields[name] or "" for name in data_file.key), fields

    def _columns(self, data_file: DataFile) -> set[str]:
        rows = self._conn.execute(
            "select attname from pg_attribute where attrelid = to_regclass(%s) "
            "and attnum > 0 and not attisdropped",
            [f"{self._schema}.{data_file.name}"],
        )
        return {str(name) for (name,) in rows}

    def _view(self, data_file: DataFile) -> Iterator[str]:
        """Check that the current view, which most readers use, shows all rows of the table."""
        columns = sql.SQL(", ").join(map(sql.Identifier, ("release_id", *data_file.column_names)))
        table, view = (
            sql.SQL("select {} from {} where release_id = {}").format(
                columns, sql.Identifier("frozen", name), sql.Literal(self._release_id)
            )
            for name in (data_file.name, f"current_{data_file.name}")
        )
        for one, two, told in ((table, view, "lacks"), (view, table, "shows otherwise")):
            row = self._conn.execute(
                sql.SQL("select count(*) from (({}) except all ({})) as differing").format(one, two)
            ).fetchone()
            if row and row[0]:
                yield f"{told} {row[0]} rows of frozen.{data_file.name} of {self._release_id}"

    def _one(self, query: str, relation: str, values: list[Any]) -> dict[str, Any] | None:
        statement = sql.SQL(query).format(sql.Identifier(self._schema, relation))
        with self._conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, values).fetchone()

    def _rows(self, query: str, relation: str) -> list[Any]:
        statement = sql.SQL(query).format(sql.Identifier(self._schema, relation))
        return self._conn.execute(statement, [self._release_id]).fetchall()


def _field(row: dict[str, Any], column: FileColumn) -> str | None:
    """The value as in the bundle; text is not normalised, because readers see it as it is."""
    value = row[column.name]
    if value is None or isinstance(value, str):
        return value
    try:
        return render(value, kind_of(column, row))
    except ValueError:
        return str(value)
