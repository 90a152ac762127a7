"""Rows of freezes (`ops.freeze`) and of sealed releases (`frozen`, `rehearsal`)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from chotso.release.bundle.writer import Written
from chotso.release.data.canonical import DataFile
from chotso.release.data.tables import FROZEN
from chotso.warehouse.row_sql import listed

_COLUMNS = """
    release_id, period_id, is_rehearsal, state, cutoff_at, business_date, as_known_at,
    target_schema, inputs_sha256, corrects, correction_reason, correction_author
"""


_BLOCK = 1 << 16


@dataclass(frozen=True)
class Freeze:
    """A row of `ops.freeze`: a release that is being made, and the last step that is done."""

    release_id: str
    period_id: str
    is_rehearsal: bool
    state: str
    cutoff_at: datetime
    business_date: date
    as_known_at: datetime | None
    target_schema: str
    inputs_sha256: str | None
    corrects: str | None = None
    correction_reason: str | None = None
    correction_author: str | None = None

    @property
    def kind(self) -> str:
        """`original`, `corrigendum` or `rehearsal`."""
        if self.is_rehearsal:
            return "rehearsal"
        return "original" if self.corrects is None else "corrigendum"

    @property
    def schema(self) -> str:
        """The schema of its release."""
        return "rehearsal" if self.is_rehearsal else "frozen"


@dataclass(frozen=True)
class Sealed:
    """A sealed release, as the warehouse stores it."""

    release_id: str
    root_sha256: str
    code_version: str


@dataclass(frozen=True)
class Current:
    """The valid release of a period: the original, or the newest corrigendum."""

    release_id: str
    root_sha256: str
    code_version: str
    cutoff_at: datetime
    as_known_at: datetime
    correction_reason: str | None
    correction_author: str | None


def find(conn: psycopg.Connection, release_id: str) -> Freeze | None:
    """The freeze of this release, if one was begun."""
    return _one(conn, "release_id = %s", [release_id])


def open_rehearsal(conn: psycopg.Connection, period_id: str, today: date) -> Freeze | None:
    """The unfinished rehearsal of the period that was begun on this business date, if any."""
    return _one(
        conn,
        "is_rehearsal and period_id = %s and business_date = %s and state <> 'placed'",
        [period_id, today],
    )


def next_rehearsal_number(conn: psycopg.Connection, period_id: str) -> int:
    """The number of a new rehearsal of the period, from 1; no number is used twice."""
    row = conn.execute(
        "select count(*) from ops.freeze where is_rehearsal and period_id = %s", [period_id]
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0]) + 1


def begin(conn: psycopg.Connection, freeze: Freeze) -> Freeze:
    """Insert a freeze, or continue one; values that an earlier attempt set are kept.

    Returns:
        The row as it is now.
    """
    with conn.transaction():
        conn.execute(
            """
            insert into ops.freeze as begun (release_id, period_id, is_rehearsal, state, cutoff_at,
                business_date, target_schema, corrects, correction_reason, correction_author)
            values (%s, %s, %s, 'started', %s, %s, %s, %s, %s, %s)
            on conflict (release_id) do update
            set cutoff_at = excluded.cutoff_at, business_date = excluded.business_date
            where begun.state = 'started'
            """,
            [
                freeze.release_id, freeze.period_id, freeze.is_rehearsal, freeze.cutoff_at,
                freeze.business_date, freeze.target_schema, freeze.corrects,
                freeze.correction_reason, freeze.correction_author,
            ],
        )  # fmt: skip
        conn.execute(
            "update ops.freeze set attempt_count = attempt_count + 1, reason = null, "
            "changed_at = clock_timestamp() where release_id = %s",
            [freeze.release_id],
        )
    begun = find(conn, freeze.release_id)
    assert begun is not None
    return begun


def advance(conn: psycopg.Connection, freeze: Freeze, **values: object) -> Freeze:
    """Record a step: update columns of the freeze's row, and commit."""
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values
    )
    with conn.transaction():
        conn.execute(
            sql.SQL(
                "update ops.freeze set {}, changed_at = clock_timestamp() where release_id = %s"
            ).format(assignments),
            [*values.values(), freeze.release_id],
        )
    advanced = find(conn, freeze.release_id)
    assert advanced is not None
    return advanced


def sealed(conn: psycopg.Connection, schema: str, release_id: str) -> Sealed | None:
    """The sealed release with this id, if there is one."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Sealed)) as cursor:
        query = sql.SQL(
            "select release_id, root_sha256, code_version from {} where release_id = %s"
        )
        return cursor.execute(
            query.format(sql.Identifier(schema, "release")), [release_id]
        ).fetchone()


def current(conn: psycopg.Connection, period_id: str) -> Current | None:
    """The period's current release, if one is sealed."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Current)) as cursor:
        return cursor.execute(
            """
            select release_id, root_sha256, code_version, cutoff_at, as_known_at,
                correction_reason, correction_author
            from frozen.current_release
            where period_id = %s
            """,
            [period_id],
        ).fetchone()


def corrigendum_count(conn: psycopg.Connection, period_id: str) -> int:
    """The number of sealed corrigenda of the period."""
    return int(
        _value(
            conn,
            "select count(*) from frozen.release where period_id = %s and kind = 'corrigendum'",
            [period_id],
        )
    )


def last_month(conn: psycopg.Connection, release_id: str) -> date | None:
    """The newest month in a release's attainment."""
    found: date | None = _value(
        conn, "select max(month) from frozen.attainment where release_id = %s", [release_id]
    )
    return found


def stored_file(conn: psycopg.Connection, release_id: str, path: str) -> bytes | None:
    """One file of a sealed release, as the warehouse stores it."""
    found = _value(
        conn,
        "select content from frozen.bundle_file where release_id = %s and path = %s",
        [release_id, path],
    )
    return None if found is None else bytes(found)


def newest_root(conn: psycopg.Connection) -> str | None:
    """The root of the last release in the chain; None before the first."""
    row = conn.execute(
        """
        select root_sha256 from frozen.release as release
        where not exists (
            select from frozen.release as later where later.previous_root = release.root_sha256
        )
        """
    ).fetchone()
    return None if row is None else str(row[0])


def seal(
    conn: psycopg.Connection,
    freeze: Freeze,
    written: Written,
    sealed_at: datetime,
    files: Iterable[tuple[str, bytes]],
    progress: Callable[[str], None] = lambda said: None,
) -> None:
    """Insert a bundle's rows and files, and call `frozen.seal`, in the caller's transaction.

    `frozen.seal` checks everything that must hold. There is no other way to seal.

    Raises:
        psycopg.errors.UniqueViolation: The period is sealed already, or the chain has grown.
    """
    with _said(conn, progress):
        conn.execute("select sealing.clear_leftovers(%s)", [freeze.release_id])
    for data_file in FROZEN:
        _copy_figures(conn, data_file, written.folder / data_file.path)
    with (
        conn.cursor() as cursor,
        cursor.copy("copy sealing.file (path, content) from stdin") as copy,
    ):
        for path, content in files:
            copy.write_row([path, content])
    with _said(conn, progress):
        row = conn.execute("select frozen.seal(%s, %s)", [freeze.release_id, sealed_at]).fetchone()
    assert row == (written.root,)


@contextmanager
def _said(conn: psycopg.Connection, progress: Callable[[str], None]) -> Iterator[None]:
    """Log the warehouse's notices, which name the session that the seal waits for."""

    def tell(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING" and notice.message_primary:
            progress(notice.message_primary)

    conn.add_notice_handler(tell)
    try:
        yield
    finally:
        conn.remove_notice_handler(tell)


def stored_files(conn: psycopg.Connection, schema: str, release_id: str) -> list[tuple[str, bytes]]:
    """Path and bytes of a release's files, as the warehouse stores them."""
    query = sql.SQL("select path, content from {} where release_id = %s order by path")
    with conn.transaction():
        rows = conn.execute(
            query.format(sql.Identifier(schema, "bundle_file")), [release_id]
        ).fetchall()
    return [(path, bytes(content)) for path, content in rows]


def drop_scratch(conn: psycopg.Connection, freeze: Freeze) -> None:
    """Drop the freeze's scratch schema, complete or not."""
    with conn.transaction():
        conn.execute("select ops.drop_scratch_schema(%s)", [freeze.target_schema])


def has_scratch(conn: psycopg.Connection, freeze: Freeze) -> bool:
    """Whether the freeze's scratch schema exists."""
    with conn.transaction():
        row = conn.execute("select to_regnamespace(%s)", [freeze.target_schema]).fetchone()
    return row is not None and row[0] is not None


def _value(conn: psycopg.Connection, query: str, values: list[Any]) -> Any:
    with conn.transaction():
        row = conn.execute(query.encode(), values).fetchone()
    return None if row is None else row[0]


def _one(conn: psycopg.Connection, condition: str, values: list[Any]) -> Freeze | None:
    query = f"select {_COLUMNS} from ops.freeze where {condition} order by started_at limit 1"
    with conn.transaction(), conn.cursor(row_factory=class_row(Freeze)) as cursor:
        return cursor.execute(query.encode(), values).fetchone()


def _copy_figures(conn: psycopg.Connection, data_file: DataFile, path: Path) -> None:
    """Copy the file's own bytes, so that readers of the warehouse see what is in the bundle."""
    statement = sql.SQL("copy {} ({}) from stdin (format csv, header match, null '\\N')").format(
        sql.Identifier("sealing", data_file.name), listed(data_file.column_names)
    )
    with (
        path.open("rb") as stream,
        conn.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        while block := stream.read(_BLOCK):
            copy.write(block)
