"""`report.xlsx`: one sheet per question, typed cells; texts never become numbers or formulas."""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from chotso.calendar import LOCAL_ZONE
from chotso.reports.data import Release, Row, Value
from chotso.reports.overview import Overview, ReportedMetric
from chotso.reports.sheets import SheetColumn, columns_of, tables
from chotso.reports.summary import sentences, table_of_the_whole
from chotso.reports.words import KINDS, REHEARSAL, UNITS, day, in_fours, instant, shown

_LONGEST_TEXT = 32_000  # a cell holds 32,767 characters
_MOST_ROWS = 1_000_000
_EXACT = 2**53
_DIGITS = 15  # digits that a double always keeps
_HEADER_ROW = 2
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
    release = view.release
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(
        memory,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    facts = release.facts
    book.set_properties(
        {
            "title": f"Kết quả thi đua: {shown(facts.period_name, 120)}",
            "subject": REHEARSAL if facts.is_rehearsal else facts.release_id,
            "comments": f"Mã dữ liệu {facts.data_root}",
            "created": facts.cutoff_at.astimezone(UTC).replace(tzinfo=None),
        }
    )
    writer = _Writer(book, view)
    writer.overview()
    for name, table, note, chosen, rest in tables(view):
        columns = columns_of(release, table, chosen, rest)
        if columns:
            writer.table(name, note, columns, _chosen_rows(view, table))
    writer.facts()
    book.close()
    path.write_bytes(memory.getvalue())


def _chosen_rows(view: Overview, table: str) -> Iterable[Row]:
    """The rows of a data file that its sheet shows: of the longest files, only the judged month."""
    release = view.release
    if table == "attainment":
        return release.attainment
    if table == "ranking":
        return release.ranking
    rows = release.rows(table)
    if table == "officer_attainment":
        return (row for row in rows if row.get("month") == view.month)
    if table == "employer_arrears":
        return view.debts.owing
    return rows


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

    def sheet(self, name: str, note: str, widths: list[int]) -> Any:
        """A new sheet with its title, its print settings, and the mark of a rehearsal."""
        facts = self.view.release.facts
        sheet = self.book.add_worksheet(name)
        title = f"{name.upper()} – {shown(facts.period_name, 160)}"
        sheet.write_string(0, 0, title, self.format(bold=True, font_size=14, valign="vcenter"))
        sheet.set_row(0, 24)
        if facts.is_rehearsal:
            note = f"{REHEARSAL}. {note}"
        elif facts.kind == "corrigendum":
            note = f"Bản đính chính, thay cho {shown(facts.corrects or '', 80)}. {note}"
        colour = {"bold": True, "font_color": "#9C1C12"} if facts.is_rehearsal else {"italic": True}
        sheet.write_string(1, 0, note, self.format(**colour))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        self._print_setup(sheet, sum(widths))
        return sheet

    def _print_setup(self, sheet: Any, width: int) -> None:
        facts = self.view.release.facts
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(1)
        if facts.is_rehearsal:
            sheet.set_header(f'&C&"Arial,Bold"&12{REHEARSAL}')
        name = shown(facts.release_id, 60).replace("&", "&&")
        sheet.set_footer(f"&L&8{name}&C&8Mã dữ liệu {facts.data_root}&RTrang &P/&N")

    def overview(self) -> None:
        """The summary for the Director: sentences, and one line per metric."""
        widths = [44, 26, 26, 14, 13, 16]
        sheet = self.sheet("Tổng quan", "Tóm tắt cho Giám đốc.", widths)
        row = 2
        wrapped = self.format(text_wrap=True)
        for sentence in sentences(self.view):
            sheet.merge_range(row, 0, row, 5, "", wrapped)
            sheet.write_string(row, 0, f"• {_cell_text(sentence)}", wrapped)
            sheet.set_row(row, 14 * (1 + len(sentence) // 125))
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
        self._conditional(sheet, first, first + len(self.view.metrics), 4)
        sheet.freeze_panes(2, 0)

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

    def table(self, name: str, note: str, columns: list[SheetColumn], rows: Iterable[Row]) -> None:
        """A sheet with a line per row; the header stays visible and is on every printed page."""
        sheet = self.sheet(name, note, [column.width for column in columns])
        head = self.format(bold=True, bg_color="#D9E1F2", border=1, text_wrap=True)
        for position, column in enumerate(columns):
            sheet.write_string(_HEADER_ROW, position, column.title, head)
        last = _HEADER_ROW
        for last, row in enumerate(_at_most(rows, _MOST_ROWS), start=_HEADER_ROW + 1):
            for position, column in enumerate(columns):
                look = self._look(column, row)
                self.put(sheet, last, position, column.get(row), look)
        sheet.freeze_panes(_HEADER_ROW + 1, min(2, len(columns) - 1))
        sheet.autofilter(_HEADER_ROW, 0, max(last, _HEADER_ROW + 1), len(columns) - 1)
        sheet.repeat_rows(0, _HEADER_ROW)
        for position, column in enumerate(columns):
            if column.source == "is_met":
                self._conditional(sheet, _HEADER_ROW + 1, max(last, _HEADER_ROW + 1), position)

    def _look(self, column: SheetColumn, row: Row) -> str:
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
                    "type": "cell",
                    "criteria": "==",
                    "value": f'"{said}"',
                    "format": self.book.add_format({"bg_color": background, "font_color": ink}),
                },
            )  # fmt: skip

    def put(
        self, sheet: Any, row: int, column: int, cell: Value, look: str, **more: object
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


def told_facts(release: Release) -> Iterator[tuple[str, str]]:
    """The facts of the release in words, one per line."""
    facts = release.facts
    yield "Đợt thi đua", shown(facts.period_name, 300)
    yield "Loại", KINDS.get(facts.kind, facts.kind)
    yield "Mã bản chốt", shown(facts.release_id, 200)
    if facts.kind == "corrigendum":
        yield "Thay cho bản", shown(facts.corrects or "", 200)
        yield "Lý do đính chính", shown(facts.reason or "", 2000)
        yield "Người lập đính chính", shown(facts.author or "", 200)
    yield "Thời điểm chốt", instant(facts.cutoff_at)
    yield "Dữ liệu ghi nhận đến", instant(facts.as_known_at)
    yield "Ngày nghiệp vụ", day(facts.business_date)
    yield "Mã dữ liệu", in_fours(facts.data_root)
    if facts.code_version:
        yield "Phiên bản phần mềm", shown(facts.code_version, 100)


def _cell_text(text: str) -> str:
    return shown(text, _LONGEST_TEXT)


def _at_most(rows: Iterable[Row], most: int) -> Iterator[Row]:
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
