"""Sheets that are no agency's, such as notes and summaries: they are reported and not loaded.

A sheet's name is read as an agency's code. A sheet with another name is left out only if every
account on it is on an agency's sheet, too. So a misnamed agency's sheet keeps its rows, which are
set aside.
"""

import re
from dataclasses import replace

from chotso.contracts import Contract, FileSource
from chotso.source.drop_folder import Delivery, refused
from chotso.source.layouts import accounts_of
from chotso.source.sheets import Sheet
from chotso.source.texts import seen, shown


def with_codes(source: FileSource, delivery: Delivery, sheets: list[Sheet]) -> list[Sheet]:
    """The sheets, with the codes in their names.

    Raises:
        RefusedDeliveryError: Two sheets have one name.
    """
    names = [seen(sheet.name) for sheet in sheets]
    named = [
        replace(sheet, name=name if _is_code(source, name) else shown(sheet.name))
        for sheet, name in zip(sheets, names, strict=True)
    ]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise refused(delivery.name, f"it has more than one sheet named {', '.join(doubled)}")
    return named


def left_out(contract: Contract, source: FileSource, sheets: list[Sheet]) -> list[str]:
    """Names of sheets that are no agency's and have no account of their own."""
    own = [sheet for sheet in sheets if _is_code(source, sheet.name)]
    others = [sheet for sheet in sheets if not _is_code(source, sheet.name)]
    if not own or not others:
        return []
    stated = {code for sheet in own for code in accounts_of(contract, sheet.rows)}
    return [sheet.name for sheet in others if _accounts(contract, source, sheet) <= stated]


def _accounts(contract: Contract, source: FileSource, sheet: Sheet) -> set[str]:
    """Codes of a sheet's accounts, without the lines of an agency's totals."""
    return {code for code in accounts_of(contract, sheet.rows) if not _is_code(source, code)}


def _is_code(source: FileSource, name: str) -> bool:
    return source.sheet_shape is not None and re.fullmatch(source.sheet_shape, name) is not None
