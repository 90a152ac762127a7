"""A small, fast writer of .xlsx files; their bytes depend only on their content.

It supports only what the source's exports need: text, whole numbers, decimals, dates with one
style, empty cells. Values are written row by row as XML, about ten times faster than a general
writer.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from xml.sax.saxutils import escape

WrittenCell = str | int | float | date | None
WrittenRows = Iterable[tuple[int, list[WrittenCell]]]  # row number (from 1) and its cells

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WIDEST = 256
_EXCEL_DAY_ZERO = date(1899, 12, 30)
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/>'
    '<name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/>'
    '</fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    "<left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)


def excel_serial(day: date) -> int:
    """The number of a day in a spreadsheet."""
    return (day - _EXCEL_DAY_ZERO).days


@cache
def column_letters(index: int) -> str:
    """The letters of a column, from 0 = A."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _cell(place: str, value: WrittenCell) -> str:
    if isinstance(value, str):
        text = escape(value)
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{excel_serial(value)}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def _sheet(rows: WrittenRows) -> str:
    parts = [f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>']
    letters = [column_letters(index) for index in range(_WIDEST)]
    for number, cells in rows:
        inner = [
            f'<c r="{letter}{number}"><v>{value}</v></c>'
            if type(value) is int
            else _cell(f"{letter}{number}", value)
            for letter, value in zip(letters, cells, strict=False)
            if value is not None
        ]
        parts.append(f'<row r="{number}">{"".join(inner)}</row>')
    parts.append("</sheetData></worksheet>")
    return "".join(parts)


def _relations(entries: list[tuple[str, str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>'
        for name, kind, target in entries
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _content_types(count: int) -> str:
    spread = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    package = "application/vnd.openxmlformats-package"
    parts = [("/xl/workbook.xml", f"{spread}.sheet.main+xml"),
             ("/xl/styles.xml", f"{spread}.styles+xml"),
             ("/docProps/core.xml", f"{package}.core-properties+xml")]  # fmt: skip
    parts += [
        (f"/xl/worksheets/sheet{n}.xml", f"{spread}.worksheet+xml") for n in range(1, count + 1)
    ]
    inner = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts)
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{inner}</Types>'
    )


def _core(title: str, made_at: datetime) -> str:
    stamp = made_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(title)}</dc:title>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{stamp}</dcterms:created>'
        "</cp:coreProperties>"
    )


def workbook_bytes(sheets: Mapping[str, WrittenRows], title: str, made_at: datetime) -> bytes:
    """A workbook of named sheets.

    Args:
        sheets: Rows by sheet name, in order; a row is its number from 1 and its cells from A.
        title: The document's title.
        made_at: Creation instant (UTC) written into the file; zip entries carry a fixed date.
    """
    numbered = list(enumerate(sheets, start=1))
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in numbered
    )
    book_relations = [(f"rId{n}", f"{_OFFICE}/worksheet", f"worksheets/sheet{n}.xml")
                      for n, _ in numbered]  # fmt: skip
    book_relations.append((f"rId{len(numbered) + 1}", f"{_OFFICE}/styles", "styles.xml"))
    core_kind = f"{_PACKAGE}/relationships/metadata/core-properties"
    entries = {
        "[Content_Types].xml": _content_types(len(numbered)),
        "_rels/.rels": _relations(
            [("rId1", f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
             ("rId2", core_kind, "docProps/core.xml")]
        ),
        "docProps/core.xml": _core(title, made_at),
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(book_relations),
        "xl/styles.xml": _STYLES,
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in entries.items():
            archive.writestr(_entry(name), text)
        for number, name in numbered:
            archive.writestr(_entry(f"xl/worksheets/sheet{number}.xml"), _sheet(sheets[name]))
    return buffer.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
