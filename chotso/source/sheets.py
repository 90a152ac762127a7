"""Raw cells of a delivered workbook or CSV file, before anything is read into them."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from chotso.source import tcvn3
from chotso.source.drop_folder import refused

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name and all its rows from the first line on, empty cells as None."""

    name: str
    rows: list[list[Any]]


def read_sheets(path: Path, csv_sheet: str | None, only_first: bool = False) -> list[Sheet]:
    """The sheets of a file, told apart by its ending.

    Args:
        path: The fetched file.
        csv_sheet: The sheet name that a CSV file stands for.
        only_first: Read the first sheet alone.

    Raises:
        RefusedDeliveryError: The file cannot be read as what its name says.
    """
    if path.suffix.lower() == ".csv":
        return [Sheet(csv_sheet or path.stem, _csv_rows(path))]
    return _workbook(path, only_first)


def _workbook(path: Path, only_first: bool) -> list[Sheet]:
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names[:1] if only_first else workbook.sheet_names
        return [
            Sheet(
                name.strip(),
                [
                    [None if cell == "" else cell for cell in row]
                    for row in workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
                ],
            )
            for name in names
        ]
    except Exception as error:
        raise refused(path.name, f"it is not a readable workbook ({error})") from error
    except BaseException as error:  # a panic in the reader's Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise refused(path.name, "it is not a readable workbook") from error


def _csv_rows(path: Path) -> list[list[Any]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = tcvn3.decode(content)
    delimiter = max(_DELIMITERS, key=text.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise refused(path.name, f"it is not readable CSV ({error})") from error
    return [[cell if cell.strip() else None for cell in row] for row in rows]
