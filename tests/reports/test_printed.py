"""What LibreOffice prints of the workbook: few pages, each with its heading and number."""

from pathlib import Path

import pytest

from chotso.reports import write_reports
from tests.worlds import report_worlds as worlds
from tests.worlds.office import needs_office, printed

pytestmark = [needs_office, pytest.mark.timeout(300)]


def test_the_workbook_is_printed_as_its_judged_month(tmp_path: Path) -> None:
    folder = worlds.province(tmp_path / "bundle")
    write_reports(folder, worlds.FACTS)
    pages = printed(folder / "report.xlsx", tmp_path)
    assert len(pages) <= 24  # 48 before the older months stayed out of print
    for number, text in enumerate(pages, start=1):
        assert f"Trang {number}/{len(pages)}" in text
        assert worlds.FACTS.data_root in text
        assert "Bảo hiểm xã hội tỉnh Tây Ninh" in text
    # letters that the office's font lacks stand apart in its text: words are chosen without them
    results = [text for text in pages if "Trong tháng" in text and "CB072" not in text]
    assert len(results) >= 2, "the header is on every page of the results"
    assert not any("11/2021" in text for text in results)
