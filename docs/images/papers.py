"""Takes the pictures of docs/reports.md: pages of the PDFs and sheets of the workbook.

Needs Debian's chromium and fonts-liberation, and nothing that runs: the release is a made-up one.

    .venv/bin/python docs/images/papers.py
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
from PIL import Image
from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from sheet_page import Book  # noqa: E402

from chotso.quarantine.workbook import ROWS_SHEET, write_workbooks  # noqa: E402
from chotso.reports import write_reports, write_signature_page  # noqa: E402
from tests.quarantine.test_quarantine_workbook import NOTHING  # noqa: E402
from tests.quarantine.test_quarantine_workbook import row as set_aside  # noqa: E402
from tests.worlds import report_worlds as worlds  # noqa: E402
from tests.worlds.chromium import running_chromium  # noqa: E402

PAGES = {
    "cover": "BÁO CÁO KẾT QUẢ THI ĐUA",
    "board": "Toàn cảnh đến tháng",
    "summary": "Tóm tắt cho Giám đốc",
    "attainment": "Tổng số thu: thực hiện so với kế hoạch",
    "arrears": "Tỷ lệ nợ chung: so với chỉ tiêu",
    "pace": "Nhịp thực hiện tổng số thu",
    "agencies": "Kết quả theo cơ quan, lũy kế",
    "ranking": "Xếp hạng cơ quan",
    "checks": "Kiểm tra trước niêm phong Đáp ứng",
}
SHEETS = {
    "overview": ("Tổng quan", 40, 4),
    "results": ("Kết quả theo cơ quan", 26, 4),
    "debts": ("Nợ", 24, 4),
    "points": ("Xếp hạng", 12, 4),
    "issues": ("Vấn đề đã biết", 6, 4),
    "conditions": ("Kiểm tra trước niêm phong", 6, 4),
}
CLOCK = datetime(2021, 11, 11, 17, 5, tzinfo=UTC)


def save(image: Image.Image, name: str) -> None:
    """Write a picture in as few bytes as its few colours need."""
    colours = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    colours.save(HERE / f"report-{name}.png", optimize=True)


def picture_of_page(path: Path, name: str, words: str) -> None:
    """The first page on which these words stand."""
    for page in pypdfium2.PdfDocument(path):
        text = " ".join(page.get_textpage().get_text_range().split())
        if words in text:
            save(page.render(scale=1.25).to_pil(), name)
            return
    raise ValueError(f"no page says {words!r}")


def picture_of_sheet(page: Page, book: Book, name: str, sheet: tuple[str, int, int]) -> None:
    """A sheet's headings and some of its rows."""
    page.set_content(book.page(*sheet))
    with tempfile.NamedTemporaryFile(suffix=".png") as scratch:
        page.locator("table").screenshot(path=scratch.name)
        save(Image.open(scratch.name), f"sheet-{name}")


def main() -> None:
    """Make a release's papers, and take every picture."""
    with tempfile.TemporaryDirectory() as scratch, running_chromium() as browser:
        folder = worlds.province(Path(scratch) / "original")
        write_reports(folder, worlds.FACTS)
        write_signature_page(folder, worlds.ROOT, worlds.FACTS)
        for name, words in PAGES.items():
            picture_of_page(folder / "report.pdf", name, words)
        picture_of_page(folder / "signature.pdf", "signature", "TRANG KÝ")
        rehearsal = worlds.province(Path(scratch) / "rehearsal")
        write_reports(rehearsal, worlds.REHEARSAL)
        picture_of_page(rehearsal / "report.pdf", "rehearsal", "Tóm tắt cho Giám đốc")
        page = browser.new_page(viewport={"width": 2400, "height": 1200})
        book = Book(folder / "report.xlsx")
        for name, sheet in SHEETS.items():
            picture_of_sheet(page, book, name, sheet)
        rows = [set_aside(number) for number in range(1, 6)]
        (path,) = write_workbooks(Path(scratch) / "quarantine", rows, NOTHING, CLOCK)
        picture_of_sheet(page, Book(path), "set-aside", (ROWS_SHEET, 14, 4))


if __name__ == "__main__":
    main()
