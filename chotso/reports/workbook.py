"""`report.xlsx`: one sheet per question, typed cells; texts never become numbers or formulas."""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from chotso.calendar import LOCAL_ZONE
from chotso.paper_register import MOTTO, NATION
from chotso.reports.columns import SheetColumn
from chotso.reports.data import FigureRow, FigureValue
from chotso.reports.facts import told_facts
from chotso.reports.heading import dated_line, number_line
from chotso.reports.heights import lines_of, most_lines
from chotso.reports.overview import Overview, ReportedMetric
from chotso.reports.sheets import WorkbookSheet, sheets
from chotso.reports.summary import sentences, table_of_the_whole
from chotso.reports.words import (
    PLAN_OF_ZERO_LEGEND,
    REHEARSAL,
    UNITS,
    shown,
)

_LONGEST_TEXT = 32_000  # a cell holds 32,767 characters
_MOST_ROWS = 1_000_000
_EXACT = 2**53
_DIGITS = 15  # digits that a double always keeps
_HEADER_ROW = 2
_LINE = 13.5  # points
_NARROWEST = 120  # characters: less would be printed larger than anything else
_TITLE_ROW = 4  # of the overview, under the official heading
_MET = {"Đạt": ("#E2F0D9", "#1E5C1E"), "Không đạt": ("#F8D7D3", "#9C1C12")}
_NUMBERS = {
    "percent": "0.00%",
    "money": "#,##0",
    "points": "#,##0.0000",
    "plain": "0",
    "date": "dd/mm/yyyy",
    "month": "mm/yyyy",
    "instant": "dd/mm/yyyy hh:mm:ss",
}


def write_workbook(path: Path, view: Overview) -> None:
    """Write the workbook; equal releases give equal bytes.

    Args:
        path: The file to write.
        view: The release, and its judged month.

    Raises:
        ValueError: A data file is not canonical.
    """
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(
        memory,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    facts = view.release.facts
    book.set_properties(
        {
            "title": f"Kết quả thi đua: {shown(facts.period_name, 120)}",
            "subject": REHEARSAL if facts.is_rehearsal else facts.release_id,
            "author": shown(facts.heading.agency or "chotso", 120),
            "company": shown(facts.heading.agency or "", 120),
            "comments": f"Mã dữ liệu {facts.data_root}",
            "created": facts.cutoff_at.astimezone(UTC).replace(tzinfo=None),
        }
    )
    book.set_custom_property("Language", "vi-VN")  # the library has no place for dc:language
    writer = _Writer(book, view)
    writer.overview()
    for sheet in sheets(view):
        writer.table(sheet)
    writer.facts()
    book.close()
    path.write_bytes(memory.getvalue())


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, view: Overview) -> None:
        self.book = book
        self.view = view
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}

    def format(self, **looks: object) -> Any:
        """The workbook's format with these properties; each is made once."""
        key = tuple(sorted(looks.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(
                {"font_name": "Arial", "font_size": 10, "valign": "top", **looks}
            )
        return self._formats[key]

    def sheet(
        self, name: str, note: str, widths: list[int], printed: int | None = None, top: int = 0
    ) -> Any:
        """A new sheet with its title, its print settings, and the mark of a rehearsal.

        Args:
            name: The sheet's name.
            note: What it shows.
            widths: Of its columns, in characters.
            printed: How many of them are printed; all if not told.
            top: The title's row; what stands above is written by the caller.
        """
        facts = self.view.release.facts
        sheet = self.book.add_worksheet(name)
        title = f"{name.upper()} – {shown(facts.period_name, 160)}"
        sheet.write_string(top, 0, title, self.format(bold=True, font_size=14, valign="vcenter"))
        sheet.set_row(top, 24)
        if facts.is_rehearsal:
            note = f"{REHEARSAL}. {note}"
        elif facts.kind == "corrigendum":
            note = f"Bản đính chính, thay cho {shown(facts.corrects or '', 80)}. {note}"
        colour = {"bold": True, "font_color": "#9C1C12"} if facts.is_rehearsal else {"italic": True}
        self._across(sheet, top + 1, note, widths[:printed], self.format(text_wrap=True, **colour))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        self._print_setup(sheet)
        return sheet

    def _print_setup(self, sheet: Any) -> None:
        facts = self.view.release.facts
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(1)
        middle = f'&C&"Arial,Bold"&12{REHEARSAL}' if facts.is_rehearsal else ""
        issuer = shown(facts.heading.agency or "", 70).replace("&", "&&")
        period = shown(facts.period_name, 80).replace("&", "&&")
        sheet.set_header(f"&L&8{issuer}{middle}&R&8{period}")
        name = shown(facts.release_id, 60).replace("&", "&&")
        sheet.set_footer(f"&L&8{name}&C&8Mã dữ liệu {facts.data_root}&R&8Trang &P/&N")

    def overview(self) -> None:
        """The summary for the Director: sentences, and one line per metric."""
        widths = [44, 26, 26, 14, 17, 16]
        sheet = self.sheet("Tổng quan", "Tóm tắt cho Giám đốc.", widths, top=_TITLE_ROW)
        self._official_heading(sheet, len(widths) - 1)
        row = _TITLE_ROW + 2
        wrapped = self.format(text_wrap=True)
        for sentence in sentences(self.view):
            self._across(sheet, row, f"• {sentence}", widths, wrapped)
            row += 1
        row += 1
        titles = [
            "Chỉ tiêu", "Kế hoạch", "Thực hiện", "Tỷ lệ", "Kết quả", "Cơ quan đạt",
        ]  # fmt: skip
        head = self.format(bold=True, bg_color="#D9E1F2", border=1, text_wrap=True)
        for column, title in enumerate(titles):
            sheet.write_string(row, column, title, head)
        first = row + 1
        right = self.format(border=1, align="right")
        left = self.format(border=1, text_wrap=True)
        lines = zip(self.view.metrics.values(), table_of_the_whole(self.view), strict=True)
        for row, (metric, line) in enumerate(lines, start=first):
            self._typed_line(sheet, row, metric, line, (left, right))
        last = first + len(self.view.metrics)
        self._conditional(sheet, first, last, 4)
        legend = self.format(italic=True, text_wrap=True)
        self._across(sheet, last, PLAN_OF_ZERO_LEGEND, widths, legend)
        sheet.freeze_panes(_TITLE_ROW + 2, 0)

    def _across(self, sheet: Any, row: int, text: str, widths: list[int], looks: Any) -> None:
        """A text over several columns, in a row as high as its lines."""
        if len(widths) > 1:
            sheet.merge_range(row, 0, row, len(widths) - 1, "", looks)
        sheet.write_string(row, 0, _cell_text(text), looks)
        sheet.set_row(row, _LINE * lines_of(text, sum(widths)))

    def _official_heading(self, sheet: Any, last: int) -> None:
        """Who issues on the left, the nation on the right, number and date below."""
        facts = self.view.release.facts
        above, agency = facts.heading.issuers()
        lines: tuple[tuple[str, str, dict[str, bool], dict[str, bool]], ...] = (
            (above, NATION, {}, {"bold": True}),
            (agency, MOTTO, {"bold": True}, {"bold": True}),
            (number_line(facts), dated_line(facts), {}, {"italic": True}),
        )
        for row, (left, right, left_looks, right_looks) in enumerate(lines):
            sheet.write_string(row, 0, left, self.format(align="center", **left_looks))
            looks = self.format(align="center", **right_looks)
            sheet.merge_range(row, 1, row, last, "", looks)
            sheet.write_string(row, 1, right, looks)

    def _typed_line(
        self, sheet: Any, row: int, metric: ReportedMetric, line: list[str], looks: tuple[Any, Any]
    ) -> None:
        left, right = looks
        cells = self.view.cell(self.view.whole, metric.code)
        look = "percent" if metric.unit == "fraction" else "money"
        unit = "" if metric.unit == "fraction" else f" ({UNITS.get(metric.unit, metric.unit)})"
        sheet.write_string(row, 0, _cell_text(line[0] + unit), left)
        for column, source in ((1, "plan_in_force"), (2, "actual_to_date")):
            self.put(sheet, row, column, cells.get(source), look, border=1)
        ratio = None if metric.unit == "fraction" else cells.get("attainment_ratio")
        self.put(sheet, row, 3, ratio, "percent", border=1)
        sheet.write_string(row, 4, line[4], left)
        sheet.write_string(row, 5, line[5], right)

    def table(self, told: WorkbookSheet) -> None:
        """A sheet with a line per row; the header stays visible and is on every printed page."""
        columns, printed = told.columns, told.printed_columns
        widths = [column.width for column in columns]
        widths[0] += max(0, _NARROWEST - sum(widths[:printed]))
        sheet = self.sheet(told.name, told.note, widths, printed)
        head = self.format(bold=True, bg_color="#D9E1F2", border=1, text_wrap=True)
        for position, column in enumerate(columns):
            sheet.write_string(_HEADER_ROW, position, column.title, head)
        sheet.set_row(_HEADER_ROW, 2 * _LINE)
        last = end = _HEADER_ROW
        for last, row in enumerate(_at_most(told.rows, _MOST_ROWS), start=_HEADER_ROW + 1):
            end = last if told.is_printed(row) else end
            cells = [column.get(row) for column in columns]
            for position, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                self.put(sheet, last, position, cell, self._look(column, row))
            if (lines := most_lines(cells[:printed], widths)) > 1:
                sheet.set_row(last, _LINE * lines)
        if last == _HEADER_ROW:
            sheet.write_string(last + 1, 0, "Không có dòng nào.", self.format(italic=True))
        sheet.freeze_panes(_HEADER_ROW + 1, min(2, len(columns) - 1))
        sheet.autofilter(_HEADER_ROW, 0, max(last, _HEADER_ROW + 1), len(columns) - 1)
        sheet.repeat_rows(0, _HEADER_ROW)
        sheet.print_area(0, 0, max(end, _HEADER_ROW + 1), printed - 1)
        for position, column in enumerate(columns):
            if column.source == "is_met":
                self._conditional(sheet, _HEADER_ROW + 1, max(last, _HEADER_ROW + 1), position)

    def _look(self, column: SheetColumn, row: FigureRow) -> str:
        if column.look != "figure":
            return column.look
        metric = self.view.metrics.get(str(row.get("metric_code")))
        unit = row.get("unit_code") or (metric.unit if metric else "")
        return "percent" if unit == "fraction" else "money"

    def _conditional(self, sheet: Any, first: int, last: int, column: int) -> None:
        for said, (background, ink) in _MET.items():
            sheet.conditional_format(
                first, column, last, column,
                {
                    "type": "text",
                    "criteria": "begins with",
                    "value": said,
                    "format": self.book.add_format({"bg_color": background, "font_color": ink}),
                },
            )  # fmt: skip

    def put(
        self, sheet: Any, row: int, column: int, cell: FigureValue, look: str, **more: object
    ) -> None:
        """Write a value with its type; a number that a double cannot hold is written as text."""
        match cell:
            case None:
                sheet.write_blank(row, column, None, self.format(**more))
            case bool():
                sheet.write_string(row, column, "Có" if cell else "Không", self.format(**more))
            case str():
                looks = self.format(text_wrap=True, **more)
                sheet.write_string(row, column, _cell_text(cell), looks)
            case datetime():
                local = cell.astimezone(LOCAL_ZONE).replace(tzinfo=None, microsecond=0)
                looks = self.format(num_format=_NUMBERS["instant"], align="left", **more)
                sheet.write_datetime(row, column, local, looks)
            case date():
                kind = "month" if look == "month" else "date"
                looks = self.format(num_format=_NUMBERS[kind], align="left", **more)
                sheet.write_datetime(row, column, cell, looks)
            case _ if _is_exact(cell):
                looks = self.format(num_format=_NUMBERS.get(look, "General"), **more)
                sheet.write_number(row, column, float(cell), looks)
            case _:
                looks = self.format(align="right", **more)
                sheet.write_string(row, column, f"{Decimal(cell):f}", looks)

    def facts(self) -> None:
        """Facts of the release, and how to check it."""
        release = self.view.release
        sheet = self.sheet("Thông tin bản chốt", "Bản chốt này là gì.", [34, 110])
        bold, text = self.format(bold=True), self.format(text_wrap=True)
        lines = list(told_facts(release))
        lines += [(f"data/{name}", f"{rows} dòng") for name, rows in release.data_files()]
        for row, (title, told) in enumerate(lines, start=_HEADER_ROW):
            sheet.write_string(row, 0, _cell_text(title), bold)
            sheet.write_string(row, 1, _cell_text(told), text)
        sheet.freeze_panes(_HEADER_ROW, 1)


def _cell_text(text: str) -> str:
    return shown(text, _LONGEST_TEXT)


def _at_most(rows: Iterable[FigureRow], most: int) -> Iterator[FigureRow]:
    for number, row in enumerate(rows):
        if number == most:
            return
        yield row


def _is_exact(number: int | Decimal) -> bool:
    """Whether a spreadsheet keeps every digit."""
    exact = Decimal(number)
    if exact == exact.to_integral_value():
        return abs(exact) <= _EXACT
    return len(exact.as_tuple().digits) <= _DIGITS
