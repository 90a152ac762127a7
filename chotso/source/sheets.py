"""Raw cells of a delivered workbook or CSV file, before anything is read into them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chotso.source.cells import MERGED
from chotso.source.delimited import read_delimited
from chotso.source.workbook import read_workbook


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name and all its rows from the first line on, empty cells as None."""

    name: str
    rows: list[list[Any]]


def is_csv(path: Path) -> bool:
    """Whether a file's name says that it is CSV."""
    return path.suffix.lower() == ".csv"


def read_sheets(
    path: Path,
    csv_sheet: str | None,
    stand: Callable[[list[list[Any]]], int],
    only_first: bool = False,
) -> list[Sheet]:
    """The sheets of a file, told apart by its ending.

    Args:
        path: The fetched file.
        csv_sheet: The sheet name that a CSV file stands for.
        stand: How many rows are data where they should be; tells a CSV file's delimiter.
        only_first: Read the first sheet alone.

    Raises:
        RefusedDeliveryError: The file cannot be read as what its name says.
    """
    if is_csv(path):
        return [Sheet(csv_sheet or path.stem, read_delimited(path, stand))]
    return [Sheet(name, rows) for name, rows in read_workbook(path, only_first)]


def holds_something(row: list[Any]) -> bool:
    """Whether a row has a cell that is not empty; one that a merged area covers is."""
    return any(cell is not None and cell is not MERGED for cell in row)
