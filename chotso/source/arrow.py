"""The Arrow form of a feed's rows between source, landing and warehouse."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from chotso.contracts import ColumnType, Contract

ROW_NUMBER = "row_no"
UNREADABLE = "unreadable"

# Decimals and JSON are kept as text, which is exact.
_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "numeric": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "jsonb": pa.string(),
}


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """The Arrow type for a column type of a contract."""
    return _ARROW[column_type]


def landed_schema(contract: Contract) -> pa.Schema:
    """The schema of landed rows: row number (from 1), the contract's columns, `unreadable`.

    `unreadable` is null or a JSON object {column: what was found}.
    """
    fields = [pa.field(ROW_NUMBER, pa.int64(), nullable=False)]
    fields += [pa.field(n, arrow_type(c.type)) for n, c in contract.landed.items()]
    return pa.schema([*fields, pa.field(UNREADABLE, pa.string())])


def latest(instants: pa.Array) -> datetime | None:
    """The latest of some instants; None if there is none.

    `as_py` would import pandas for it: half a second and 50 MiB.
    """
    us = pc.max(instants).value
    return None if us is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
