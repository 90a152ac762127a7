"""Shows a sheet of a workbook as a web page, from what stands in the file itself.

Column widths, fonts, fills, number formats, merged cells and the conditional formats of verdicts
are read from the workbook's own XML, so that a picture can only show what an official would see.
"""

import html
import re
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from chotso.reports.words import day, number, percent

_NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
_FIRST_DAY = datetime(1899, 12, 30)
_TITLE = 14  # points
_STYLE = (
    "body{margin:0;background:#fff;font:13px/19px Liberation Sans,Arial}"
    "table{border-collapse:collapse;table-layout:fixed}td{border:1px solid #d8d8d8;"
    "padding:2px 4px;vertical-align:top;overflow:hidden;overflow-wrap:break-word}"
    "tr.title td{overflow:visible;white-space:nowrap;border:0}"
)


class Book:
    """A workbook's parts as XML."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as file:
            self.parts = {
                name: ElementTree.fromstring(file.read(name))
                for name in file.namelist()
                if name.endswith(".xml") and name.startswith("xl/")
            }
        self.strings = [
            "".join(text.text or "" for text in item.iter(f"{{{_NS['x']}}}t"))
            for item in self.parts["xl/sharedStrings.xml"]
        ]
        styles = self.parts["xl/styles.xml"]
        self.fonts = styles.findall("x:fonts/x:font", _NS)
        self.fills = styles.findall("x:fills/x:fill", _NS)
        self.formats = {
            each.get("numFmtId"): each.get("formatCode", "")
            for each in styles.findall("x:numFmts/x:numFmt", _NS)
        } | {"1": "0", "3": "#,##0", "10": "0.00%"}
        self.looks = styles.findall("x:cellXfs/x:xf", _NS)
        self.differences = styles.findall("x:dxfs/x:dxf", _NS)

    def names(self) -> list[str]:
        """Of the sheets, in their order."""
        sheets = self.parts["xl/workbook.xml"].findall("x:sheets/x:sheet", _NS)
        return [sheet.get("name", "") for sheet in sheets]

    def page(self, name: str, most_rows: int, first_row: int = 4) -> str:
        """A sheet's headings, and so many rows from one on, as HTML."""
        sheet = self.parts[f"xl/worksheets/sheet{self.names().index(name) + 1}.xml"]
        widths = [
            float(column.get("width", "9")) * 7.4
            for column in sheet.findall("x:cols/x:col", _NS)
            for _ in range(int(column.get("min", "1")), int(column.get("max", "1")) + 1)
        ]
        merged = {
            each.get("ref", "").split(":")[0]: each.get("ref", "").split(":")[1]
            for each in sheet.findall("x:mergeCells/x:mergeCell", _NS)
        }
        columns = "".join(f"<col style='width:{width:.0f}px'>" for width in widths)
        body = "".join(
            self._row(sheet, row, len(widths), merged)
            for row in sheet.findall("x:sheetData/x:row", _NS)
            if int(row.get("r", "0")) < 4 or 0 <= int(row.get("r", "0")) - first_row < most_rows
        )
        width = sum(widths)
        table = f"<table style='width:{width:.0f}px'>{columns}{body}</table>"
        return f"<meta charset=utf-8><style>{_STYLE}</style>{table}"

    def _row(self, sheet: ElementTree.Element, row: ElementTree.Element, count: int,
             merged: dict[str, str]) -> str:  # fmt: skip
        cells = {_column(cell.get("r", "")): cell for cell in row.findall("x:c", _NS)}
        told, column = "", 0
        while column < count:
            cell = cells.get(column)
            reference = cell.get("r", "") if cell is not None else ""
            span = _column(merged[reference]) - column + 1 if reference in merged else 1
            told += self._cell(sheet, cell, span)
            column += span
        sizes = [self._size(cell) for cell in cells.values()]
        is_title = int(row.get("r", "0")) <= 2 or max(sizes, default=0) >= _TITLE
        title = " class=title" if is_title else ""
        return f"<tr{title}>{told}</tr>"

    def _size(self, cell: ElementTree.Element) -> float:
        looks = self.looks[int(cell.get("s", "0"))]
        size = self.fonts[int(looks.get("fontId", "0"))].find("x:sz", _NS)
        return float(size.get("val", "11")) if size is not None else 11

    def _cell(self, sheet: ElementTree.Element, cell: ElementTree.Element | None, span: int) -> str:
        if cell is None:
            return "<td></td>"
        looks = self.looks[int(cell.get("s", "0"))]
        text = self._text(cell, looks)
        style = self._style(looks, cell.get("t") != "s") + self._difference(sheet, cell, text)
        return f"<td colspan={span} style='{style}'>{html.escape(text)}</td>"

    def _text(self, cell: ElementTree.Element, looks: ElementTree.Element) -> str:
        raw = cell.findtext("x:v", "", _NS)
        if cell.get("t") == "s":
            return self.strings[int(raw)]
        code = self.formats.get(looks.get("numFmtId"), "")
        return _number(raw, code) if raw else ""

    def _style(self, looks: ElementTree.Element, is_number: bool) -> str:
        font = self.fonts[int(looks.get("fontId", "0"))]
        fill = self.fills[int(looks.get("fillId", "0"))]
        aligned = looks.find("x:alignment", _NS)
        where = aligned.get("horizontal") if aligned is not None else None
        told = f"text-align:{where or ('right' if is_number else 'left')};"
        size = font.find("x:sz", _NS)
        if size is not None:
            told += f"font-size:{float(size.get('val', '11')) * 1.25:.1f}px;"
        told += "font-weight:bold;" if font.find("x:b", _NS) is not None else ""
        told += "font-style:italic;" if font.find("x:i", _NS) is not None else ""
        return (
            told + _colour(font, "x:color", "color") + _colour(fill, ".//x:fgColor", "background")
        )

    def _difference(self, sheet: ElementTree.Element, cell: ElementTree.Element, text: str) -> str:
        for group in sheet.findall("x:conditionalFormatting", _NS):
            if _column(group.get("sqref", "")) == _column(cell.get("r", "")):
                for rule in group.findall("x:cfRule", _NS):
                    if text and text.startswith(rule.get("text", "\0")):
                        looks = self.differences[int(rule.get("dxfId", "0"))]
                        ink = _colour(looks, "x:font/x:color", "color")
                        return ink + _colour(looks, ".//x:bgColor", "background")
        return ""


def _colour(parent: ElementTree.Element, path: str, name: str) -> str:
    found = parent.find(path, _NS)
    rgb = found.get("rgb") if found is not None else None
    return f"{name}:#{rgb[-6:]};" if rgb else ""


def _column(reference: str) -> int:
    letters = re.match(r"[A-Z]+", reference)
    assert letters is not None
    found = 0
    for letter in letters[0]:
        found = found * 26 + ord(letter) - 64
    return found - 1


def _number(raw: str, code: str) -> str:
    """A number as a spreadsheet set to Vietnamese shows it."""
    if "yy" in code:
        moment = _FIRST_DAY + timedelta(days=float(raw))
        at = date(moment.year, moment.month, moment.day)
        time = f" {moment + timedelta(seconds=30):%H:%M}" if "hh" in code else ""
        return f"{at:%m/%Y}" if code == "mm/yyyy" else day(at) + time
    figure = Decimal(raw)
    if code == "0.00%":
        return percent(figure).replace("\u00a0", "")
    decimals = len(code.split(".")[1]) if "." in code else 0
    return number(figure, decimals)
