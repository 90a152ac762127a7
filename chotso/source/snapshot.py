"""One consistent view of the collection system, whatever database it is."""

import json
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, Protocol

import pyarrow as pa
from sqlalchemy import Select, column, select, table

from chotso.contracts import Column, Contract
from chotso.errors import ChotsoError
from chotso.source.arrow import arrow_type
from chotso.source.cells import UnreadableError, found
from chotso.source.database_values import read_value
from chotso.source.drift import Drift
from chotso.source.faults import KEPT, SourceFault
from chotso.source.queries import CLOCK_RELATION, SCHEMA

CLOCK: Select[Any] = (
    select(column("bay_gio"))
    .select_from(table(CLOCK_RELATION, schema=SCHEMA))
    .where(column("id") == 1)
)


class Snapshot(Protocol):
    """One consistent view of the collection system.

    `known_at` is the instant up to which it is complete. On a standby, `server_clock` may be later.
    """

    known_at: datetime
    server_clock: datetime

    def drift(self, contract: Contract) -> list[Drift]:
        """Columns of the feed's relation that are missing, retyped or added, by its contract."""

    def helper_drift(self, relation: str) -> list[Drift]:
        """The same for a helper table, by its contract."""

    def has_relation(self, name: str) -> bool:
        """Whether the schema `tst` has a table or view of that name."""

    def rows(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        """Typed batches of the query's rows, with a last column `unreadable`."""


def typed_batch(
    rows: Iterator[tuple[Any, ...]], columns: dict[str, Column], zone: tzinfo | None
) -> pa.RecordBatch:
    """Turn rows of raw values into a typed batch with a last column `unreadable` (JSON or null).

    Args:
        rows: Values in the order of the columns.
        columns: The columns of the values.
        zone: The zone of instants without an offset; None if all have one.
    """
    values: dict[str, list[Any]] = {name: [] for name in columns}
    unreadable: list[str | None] = []
    for row in rows:
        bad: dict[str, str] = {}
        for (name, expected), value in zip(columns.items(), row, strict=True):
            try:
                values[name].append(read_value(_aware(value, expected, zone), expected))
            except UnreadableError as error:
                values[name].append(None)
                bad[name] = str(error) if expected.personal else f"{error}: {found(value)}"
        unreadable.append(json.dumps(bad, ensure_ascii=False) if bad else None)
    arrays = [pa.array(values[n], arrow_type(c.type)) for n, c in columns.items()]
    return pa.record_batch(
        [*arrays, pa.array(unreadable, pa.string())], names=[*columns, "unreadable"]
    )


def _aware(value: Any, expected: Column, zone: tzinfo | None) -> Any:
    """The value; an instant without an offset gets the given zone."""
    if zone is None or expected.type != "timestamptz":
        return value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=zone)
    return value


def refuse_drifted(drifts: list[Drift], relation: str) -> None:
    """Refuse a helper table whose columns differ from its contract.

    Raises:
        SourceFault: Each column with the contract's line.
    """
    if told := "; ".join(str(each) for each in drifts if each.blocks):
        raise SourceFault(
            f"{SCHEMA}.{relation} is not what its contract says: {told}.",
            kept=KEPT,
            next_step="have the source's columns restored, then run the same command again.",
        )


def age_unknown(what: str) -> ChotsoError:
    """The error for a source of which nothing tells how recent its data are."""
    return ChotsoError(
        f"The age of the source's data is not known: {what}.",
        kept="nothing was read; everything published before stands.",
        next_step="have the table tst.dong_ho kept on the primary, so that it is replicated with "
        "the rows, or read from the primary.",
    )


def no_clock() -> ChotsoError:
    """The error for a clock table without an instant."""
    return ChotsoError(
        "The source's clock table dong_ho has no row with id 1.",
        kept="everything published before stands.",
        next_step="have the source's owner set its clock, then run the same command again.",
    )
