"""The raw cells of a delivered workbook or CSV file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chotso.source.cells import MERGED

Rows = list[list[Any]]

EMPTY: list[Any] = []
"""The row of a line that holds nothing: one for all, never to be changed."""


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name and all its rows from the first line on, empty cells as None."""

    name: str
    rows: Rows
    is_hidden: bool = False


def is_csv(path: Path) -> bool:
    """Whether a file's name says that it is CSV."""
    return path.suffix.lower() == ".csv"


def holds_something(row: list[Any]) -> bool:
    """Whether a row has a cell that is not empty; a cell covered by a merged area counts."""
    return any(cell is not None and cell is not MERGED for cell in row)
