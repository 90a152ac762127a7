"""One workbook per agency, in Vietnamese: its rows set aside, what to do, and money at stake.

Cells are typed: dates are dates, đồng are numbers. Text that begins with `=`, `+`, `-` or `@` stays
text and never becomes a formula. Persons are shown by their mask only. Equal rows at the same
instant of the source's clock make equal bytes.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from chotso.calendar import LOCAL_ZONE, local_date
from chotso.contracts import PSEUDONYM_COLUMNS, contract_of, contracts
from chotso.errors import ChotsoError
from chotso.paper_register import MOTTO, NATION, PaperRegister
from chotso.quarantine.rows import AsideRow
from chotso.quarantine.stake import Stake
from chotso.registers import load_registers
from chotso.reports.heights import lines_of, most_lines
from chotso.source.pseudonym import mask

NO_AGENCY = "khong_ro_co_quan"
ROWS_SHEET = "Dòng bị cách ly"
STAKE_SHEET = "Tiền có thể bị ảnh hưởng"
ROWS_HEADER = {
    "Mã": 6,
    "Nguồn": 16,
    "Khóa": 14,
    "Quy tắc": 30,
    "Số tiền (đồng)": 15,
    "Ngày phát hiện": 17,
    "Lần thấy cuối": 17,
    "Số ngày tồn": 7,
    "Việc cần làm": 30,
    "Nội dung dòng": 44,
}
STAKE_HEADER = {
    "Loại": 18,
    "Chỉ tiêu hoặc nguồn": 60,
    "Tháng": 12,
    "Số dòng": 12,
    "Số tiền (đồng)": 24,
}
STAKE_NOTE = (
    "Các dòng không cộng với nhau: một khoản có thể thuộc nhiều chỉ tiêu và nhiều tháng, chứng từ "
    "và các dòng của nó là một khoản."
)
HEADER_ROW = 6  # under the official heading, the title and the note
_FILE_NAME = re.compile(r"[0-9A-Za-z_-]{1,40}")
_TEN_DIGITS = re.compile(r"(?<!\d)\d{10}(?!\d)")
_LINE = 14.5  # points
_LONGEST_TEXT = 32_000  # a cell can hold 32,767 characters
_EXACT = 2**53
_HIDDEN = set(PSEUDONYM_COLUMNS) - {"number_mask"}


@dataclass(frozen=True)
class Instant:
    """An instant, displayed as local time to the minute."""

    at: datetime


SheetCell = str | int | Decimal | date | Instant | None


def write_workbooks(
    folder: Path, rows: list[AsideRow], stake: Stake, clock: datetime
) -> list[Path]:
    """Write a workbook for each agency with an open row, and one for rows without agency.

    Args:
        folder: Where to; made if missing. Workbooks of the same names are replaced.
        rows: The rows; those that have ended are left out.
        stake: What is at stake.
        clock: The source's clock: rows age by it, and files are dated by it.

    Raises:
        ChotsoError: The folder cannot be written.
    """
    by_agency: dict[str | None, list[AsideRow]] = {}
    for row in rows:
        if row.status == "open":
            by_agency.setdefault(_named(row.agency_code), []).append(row)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for agency in sorted(by_agency, key=lambda code: code or "~"):
            path = folder / f"{agency or NO_AGENCY}.xlsx"
            _write(path, by_agency[agency], agency, stake, clock)
            written.append(path)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise ChotsoError(
            f"The workbooks could not be written to {folder}: {error}.",
            kept="the rows, as they are.",
            next_step="name a folder that can be written with --out.",
        ) from error
    return written


def _named(agency: str | None) -> str | None:
    """The agency, if its code can be part of a file name."""
    return agency if agency and _FILE_NAME.fullmatch(agency) else None


def _write(
    path: Path, rows: list[AsideRow], agency: str | None, stake: Stake, clock: datetime
) -> None:
    name = f"{agency} {rows[0].agency_name or ''}".strip() if agency else "không rõ cơ quan"
    heading = load_registers().papers
    at = f"Theo đồng hồ hệ thống nguồn {_local(clock):%d/%m/%Y %H:%M} (giờ Việt Nam)"
    with xlsxwriter.Workbook(path) as book:
        book.set_properties(
            {
                "title": f"Dòng bị cách ly: {name}",
                "author": heading.agency or "chotso",
                "comments": at,
                "created": clock.astimezone(UTC).replace(tzinfo=None),
            }
        )
        book.set_custom_property("Language", "vi-VN")  # the library has no place for dc:language
        writer = _AsideWriter(book, heading, clock)
        told = f"{len(rows)} dòng của {name}. {at}."
        writer.sheet(ROWS_SHEET, told, ROWS_HEADER, [_row_cells(r, clock) for r in rows])
        told = f"{name}. {STAKE_NOTE}"
        writer.sheet(STAKE_SHEET, told, STAKE_HEADER, list(_stake_cells(stake, agency)))


def _row_cells(row: AsideRow, clock: datetime) -> list[SheetCell]:
    rules = row.broken_rules()
    return [
        row.id,
        _vietnamese(contract_of(row.feed).title) if row.feed in contracts() else row.feed,
        row.row_key,
        "\n".join(rule.sentence_vi for rule in rules) or row.rule_id,
        row.money,
        Instant(row.first_seen),
        Instant(row.last_seen),
        row.age_days(clock),
        rules[0].next_action_vi if rules else None,
        _content(row),
    ]


def _stake_cells(stake: Stake, agency: str | None) -> Iterator[list[SheetCell]]:
    names = {metric.code: metric.name_vi for metric in load_registers().metrics.metrics}
    for at in stake.months:
        if at.agency_code == agency:
            name = names.get(at.metric_code, at.metric_code)
            yield ["Theo chỉ tiêu", name, at.month, None, at.money]
    for feed in stake.feeds:
        if feed.agency_code == agency:
            title = contract_of(feed.feed).title if feed.feed in contracts() else feed.feed
            yield ["Theo nguồn", _vietnamese(title), None, feed.rows, feed.money]


def _content(row: AsideRow) -> str:
    """The row's columns with their Vietnamese names; persons by their mask only."""
    contract = contracts().get(row.feed)
    unreadable = json.loads(row.row.get("unreadable") or "{}")
    told = []
    for name, column in (contract.landed if contract else {}).items():
        if name in _HIDDEN or column.type == "jsonb":
            continue
        value = row.row.get(name)
        if name in unreadable:
            shown = "(không đọc được)"
        elif value is None:
            shown = "(trống)"
        else:
            is_key = contract is not None and name in contract.key
            shown = str(value) if is_key or not isinstance(value, str) else _masked(value)
        told.append(f"{_vietnamese(column.description)}: {shown}")
    return "; ".join(told)


def _masked(text: str) -> str:
    """The text with everything masked that may be a person's number; keys are left."""
    return _TEN_DIGITS.sub(lambda match: mask(match[0]), text)


def _vietnamese(text: str) -> str:
    """The first half of `Việt — English`."""
    return text.split(" — ", 1)[0]


def _local(instant: datetime) -> datetime:
    return instant.astimezone(LOCAL_ZONE).replace(tzinfo=None, second=0, microsecond=0)


class _Formats:
    """The cell formats of one workbook."""

    def __init__(self, book: Any) -> None:
        top = {"valign": "top"}
        self.header = book.add_format(
            {"bold": True, "bg_color": "#D9E1F2", "text_wrap": True, "border": 1, "valign": "top"}
        )
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.note = book.add_format({"italic": True, "text_wrap": True, "valign": "top"})
        self.middle = book.add_format({"align": "center"})
        self.strong = book.add_format({"align": "center", "bold": True})
        self.slanted = book.add_format({"align": "center", "italic": True})
        self.text = book.add_format({**top, "text_wrap": True})
        self.count = book.add_format({**top, "num_format": "0"})
        self.money = book.add_format({**top, "num_format": "#,##0"})
        self.instant = book.add_format({**top, "num_format": "dd/mm/yyyy hh:mm"})
        self.month = book.add_format({**top, "num_format": "mm/yyyy"})


class _AsideWriter:
    """Writes the sheets of one workbook, each with the official heading and set up for A4."""

    def __init__(self, book: Any, heading: PaperRegister, clock: datetime) -> None:
        self.book = book
        self.heading = heading
        self.clock = clock
        self.formats = _Formats(book)

    def sheet(
        self, name: str, note: str, header: dict[str, int], rows: list[list[SheetCell]]
    ) -> None:
        """A sheet with a line per row; its header stays in view and on every printed page."""
        formats, widths = self.formats, list(header.values())
        sheet = self.book.add_worksheet(name)
        self._heading(sheet, len(header))
        sheet.write_string(HEADER_ROW - 2, 0, name.upper(), formats.title)
        sheet.merge_range(HEADER_ROW - 1, 0, HEADER_ROW - 1, len(header) - 1, "", formats.note)
        sheet.write_string(HEADER_ROW - 1, 0, note, formats.note)
        sheet.set_row(HEADER_ROW - 1, _LINE * lines_of(note, sum(widths)))
        for column, (title, width) in enumerate(header.items()):
            sheet.write_string(HEADER_ROW, column, title, formats.header)
            sheet.set_column(column, column, width)
        sheet.set_row(HEADER_ROW, 2 * _LINE)
        for number, cells in enumerate(rows, start=HEADER_ROW + 1):
            for column, cell in enumerate(cells):
                _put(sheet, formats, number, column, cell)
            if (lines := most_lines(cells, widths)) > 1:
                sheet.set_row(number, _LINE * lines)
        last = HEADER_ROW + max(len(rows), 1)
        sheet.freeze_panes(HEADER_ROW + 1, 0)
        sheet.autofilter(HEADER_ROW, 0, last, len(header) - 1)
        sheet.repeat_rows(HEADER_ROW)
        sheet.print_area(0, 0, last, len(header) - 1)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L&8{name}&R&8Trang &P/&N")

    def _heading(self, sheet: Any, count: int) -> None:
        """Who issues on the left, the nation on the right, the date below."""
        half, heading, formats = count // 2, self.heading, self.formats
        above, agency = heading.issuers()
        day = heading.place_and_day(local_date(self.clock))
        lines = (
            (above, NATION, formats.middle, formats.strong),
            (agency, MOTTO, formats.strong, formats.strong),
            ("", day, formats.middle, formats.slanted),
        )
        for row, (left, right, left_looks, right_looks) in enumerate(lines):
            for text, first, last, looks in (
                (left, 0, half - 1, left_looks), (right, half, count - 1, right_looks),
            ):  # fmt: skip
                sheet.merge_range(row, first, row, last, "", looks)
                sheet.write_string(row, first, text, looks)


def _put(sheet: Any, formats: _Formats, row: int, column: int, cell: SheetCell) -> None:
    match cell:
        case None:
            return
        case str():
            shown = cell if len(cell) <= _LONGEST_TEXT else cell[: _LONGEST_TEXT - 1] + "…"
            sheet.write_string(row, column, shown, formats.text)
        case Instant():
            sheet.write_datetime(row, column, _local(cell.at), formats.instant)
        case date():
            sheet.write_datetime(row, column, cell, formats.month)
        case Decimal() if _is_exact(cell):
            sheet.write_number(row, column, float(cell), formats.money)
        case int():
            sheet.write_number(row, column, cell, formats.count)
        case _:  # more digits than a number cell can hold
            sheet.write_string(row, column, f"{cell:f}", formats.text)


def _is_exact(money: Decimal) -> bool:
    return abs(money) <= _EXACT and Decimal(repr(float(money))) == money
