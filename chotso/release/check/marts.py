"""Compares what the marts show of sealed periods with the files of their releases.

`chotso.build.official` writes these rows with the loader's login. That login, or a superuser, could
also write other rows, or mark rows as sealed that are in no release.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.official import FIGURES, MARK, MARTS
from chotso.release.check.pairs import Keyed, pairwise
from chotso.release.data.canonical import DataFile
from chotso.release.data.changes import Fields, keyed_rows

SCHEMA = "marts"
_ROWS_AT_ONCE = 2_000
_EXACT = Context(prec=1000, rounding=ROUND_HALF_UP)  # as PostgreSQL rounds

ViewFindings = tuple[str, Iterable[str]]
"""A view and the sentences about its differences."""
_Decimals = dict[str, int | None]
"""Columns of numbers, and how many decimals each keeps; None keeps all."""


class Marts:
    """The views of `marts` that show sealed periods, read in the caller's transaction."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        self._numbers: dict[str, _Decimals] = {}
        self._columns: dict[str, set[str]] = {}
        self._compared: list[str] = []
        for mart, data_file in MARTS.items():
            columns, numbers = self._look(mart)
            if columns >= {"period_id", *MARK, *data_file.key}:
                self._columns[mart], self._numbers[mart] = columns, numbers

    @property
    def missing(self) -> list[str]:
        """Views that do not exist yet, or lack the columns of a seal. The next build makes them."""
        return [mart for mart in MARTS if mart not in self._columns]

    def of_release(self, folder: Path, period_id: str, release_id: str) -> list[ViewFindings]:
        """How the views differ from the period's current release in the folder."""
        self._compared.append(period_id)
        return [
            (mart, self._differing(mart, MARTS[mart], folder, period_id, release_id))
            for mart in self._columns
        ]

    def marked(self) -> list[ViewFindings]:
        """Rows of other periods that name a release which is not their period's current one."""
        return [(mart, self._marked(mart)) for mart in self._columns]

    def _differing(
        self, mart: str, data_file: DataFile, folder: Path, period_id: str, release_id: str
    ) -> Iterator[str]:
        shown = sql.SQL("period_id = {}").format(sql.Literal(period_id))
        first = next(_rows(mart, data_file, folder), None)
        if first is None:
            # This release has no such file (older format), so the mart must show no sealed rows
            # for it.
            marked = sql.SQL("{} and (is_sealed or release_id is not null)").format(shown)
            yield from pairwise(self._kept(mart, data_file, [*data_file.key], marked), iter(()))
            return
        names = [name for name in first[1] if name in self._columns[mart]]
        mark: Fields = dict(zip(MARK, ("true", release_id), strict=True))
        sealed = (
            (key, {**{name: self._plain(mart, name, row[name]) for name in names}, **mark})
            for key, row in _rows(mart, data_file, folder)
        )
        yield from pairwise(self._kept(mart, data_file, [*names, *MARK], shown), sealed)

    def _kept(
        self, mart: str, data_file: DataFile, names: list[str], condition: sql.Composable
    ) -> Keyed:
        statement = sql.SQL("select {columns} from {view} where {condition} order by {key}").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            view=sql.Identifier(SCHEMA, mart),
            condition=condition,
            key=sql.SQL(", ").join(
                sql.SQL("coalesce({}::text, '\\N') collate \"C\"").format(sql.Identifier(name))
                for name in data_file.key
            ),
        )
        with self._conn.cursor(name=f"compare_{mart}", row_factory=dict_row) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            for row in cursor.execute(statement):
                fields = {name: self._plain(mart, name, value) for name, value in row.items()}
                yield tuple(fields[name] or "\\N" for name in data_file.key), fields

    def _marked(self, mart: str) -> Iterator[str]:
        statement = sql.SQL(
            """
            select shown.period_id, shown.release_id, count(*)
            from {} as shown
            where (shown.is_sealed or shown.release_id is not null)
                and (shown.period_id = any(%s)) is not true
                and not exists (
                    select from frozen.release as last
                    where last.release_id = shown.release_id
                        and last.period_id = shown.period_id
                        and not exists (
                            select from frozen.release as later
                            where later.corrects = last.release_id
                        )
                )
            group by 1, 2
            order by 1, 2
            """
        ).format(sql.Identifier(SCHEMA, mart))
        for period_id, release_id, count in self._conn.execute(statement, [self._compared]):
            yield (
                f"{count} rows of {period_id} are marked as sealed by {release_id}, "
                "which is not its current release"
            )

    def _plain(self, mart: str, name: str, value: object) -> str | None:
        """A value of view or file as text, rounded to the decimals that the view keeps."""
        if value is None:
            return None
        if name in self._numbers[mart]:
            number, decimals = Decimal(str(value)), self._numbers[mart][name]
            if decimals is not None and number.is_finite():
                number = number.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)
            return f"{number.normalize(_EXACT):f}"
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.isoformat() if isinstance(value, date) else str(value)

    def _look(self, mart: str) -> tuple[set[str], _Decimals]:
        rows: list[tuple[Any, ...]] = self._conn.execute(
            "select column_name::text, numeric_precision_radix is not null, numeric_scale::integer "
            "from information_schema.columns where table_schema = %s and table_name = %s",
            [SCHEMA, mart],
        ).fetchall()
        numbers = {name: decimals for name, is_number, decimals in rows if is_number}
        return {name for name, _, _ in rows}, numbers


def _rows(mart: str, data_file: DataFile, folder: Path) -> Keyed:
    """The rows of the release's file that the mart shows: all, or the last month of figures."""
    path = folder / data_file.path
    if not path.exists():
        return
    month = None
    if mart == FIGURES:
        month = max((row["month"] or "" for _, row in _read(data_file, path)), default="")
    for key, row in _read(data_file, path):
        if month is None or row["month"] == month:
            yield key, row


def _read(data_file: DataFile, path: Path) -> Keyed:
    with path.open(encoding="utf-8", newline="\n") as stream:
        yield from keyed_rows(data_file, stream)
