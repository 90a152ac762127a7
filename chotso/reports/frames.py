"""A release's figures as pandas frames for analysts; values are exact, or an error is raised.

pandas guesses types when it reads a CSV: đồng become floats if one is missing, codes lose leading
zeros, the text `NA` becomes a missing value. Here, each column has the type of its kind.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd

from chotso.errors import ChotsoError
from chotso.release.data.tables import TABLES
from chotso.reports.data import FigureValue, read

# By kind: the Python type of a value, and the type of its column. Other kinds are decimals.
_TYPES: dict[str, tuple[type, str]] = {
    "text": (str, "string"),
    "integer": (int, "Int64"),
    "date": (date, "datetime64[s]"),
    "instant": (datetime, "datetime64[us, UTC]"),
    "boolean": (bool, "boolean"),
}


def read_frame(release: Path, name: str) -> pd.DataFrame:
    """The rows of `data/<name>.csv` of a release, in the file's order.

    Whole numbers are `Int64`, dates `datetime64[s]`, instants `datetime64[us, UTC]`, truth values
    `boolean`, texts `string`. Values that can have decimals are a column of `Decimal`. A null of
    the release is missing in the frame.

    Args:
        release: The release's folder. Verify it first: `python3 -I verify.py <folder>`.
        name: The file without `.csv`, as `attainment` or `employer_arrears`.

    Raises:
        ChotsoError: The release has no such file, or a value does not fit its column's type.
    """
    data_files = {data_file.name: data_file for data_file in TABLES}
    if not (release / "data").is_dir():
        raise ChotsoError(
            f"{release} is no folder of a release.",
            next_step="name one, as .chotso/releases/<release>; it has a folder data/.",
        )
    path = release / "data" / f"{name}.csv"
    if name not in data_files or not path.is_file():
        found = sorted(each.stem for each in (release / "data").glob("*.csv"))
        raise ChotsoError(
            f"{release} has no figures {name!r}.",
            next_step=f"name one of: {', '.join(found)}.",
        )
    kinds = {column.name: column.kind for column in data_files[name].columns}
    try:
        rows = list(read(path, name))
        return pd.DataFrame(
            {
                column: _series([row.get(column) for row in rows], kind)
                for column, kind in kinds.items()
            }
        )
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ChotsoError(
            f"{path} holds what its columns cannot: {error}.",
            next_step=f"verify the release: python3 -I {release / 'verify.py'} {release}.",
        ) from error


def _series(values: Sequence[FigureValue], kind: str) -> pd.Series:
    if kind not in _TYPES:
        exact = [None if each is None else _exact(each, kind) for each in values]
        return pd.Series(exact, dtype="object")
    expected, column_type = _TYPES[kind]
    for each in values:
        # pandas would convert "December" to a date, too
        if each is not None and not isinstance(each, expected):
            raise TypeError(f"{each!r} is no {kind}")
    return pd.Series(values, dtype=column_type)


def _exact(each: FigureValue, kind: str) -> Decimal:
    if isinstance(each, int | Decimal):
        return Decimal(each)
    raise TypeError(f"{each!r} is no {kind}")
