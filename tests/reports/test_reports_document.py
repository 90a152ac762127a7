"""The PDFs: every agency and the root are there, nothing leaves its page, the QR code reads."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from reportlab.pdfgen.canvas import Canvas

from chotso.reports import ReleaseFacts, facts_of, write_reports, write_signature_page
from chotso.reports.names import short_name
from chotso.reports.page import MM, load_fonts
from chotso.reports.signature import qr_text
from chotso.reports.words import REHEARSAL, number, percent
from tests.worlds import report_worlds as worlds

Box = tuple[float, float, float, float]


def texts(path: Path) -> list[str]:
    """Text of each page, white space as single spaces."""
    document = pypdfium2.PdfDocument(path)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def boxes(path: Path) -> Iterator[tuple[int, Box, str]]:
    """Page, box and text of every run of text."""
    for number_of, page in enumerate(pypdfium2.PdfDocument(path), start=1):
        text = page.get_textpage()
        for index in range(text.count_rects()):
            box = text.get_rect(index)
            yield number_of, box, text.get_text_bounded(*box)


def outside(path: Path) -> list[tuple[int, str]]:
    """Runs of text that leave the page's margins (5 mm: the rehearsal's mark is out there)."""
    edge = 5 * MM
    return [
        (page, text)
        for page, (left, bottom, right, top), text in boxes(path)
        if left < edge or bottom < edge or right > 595.28 - edge or top > 841.89 - edge
    ]


def overlapping(path: Path) -> list[tuple[int, str, str]]:
    """Pairs of runs that lie on each other."""
    by_page: dict[int, list[tuple[Box, str]]] = {}
    for page, box, text in boxes(path):
        by_page.setdefault(page, []).append((box, text))
    return [
        (page, text, other_text)
        for page, runs in by_page.items()
        for place, (box, text) in enumerate(runs)
        for other, other_text in runs[:place]
        if _overlap(box, other)
    ]


def _overlap(one: Box, other: Box) -> bool:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    lower = min(one[3] - one[1], other[3] - other[1])
    return across > 2 and down > 0.5 * lower


def report(folder: Path, facts: ReleaseFacts = worlds.FACTS) -> Path:
    write_reports(folder, facts)
    return folder / "report.pdf"


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(worlds.province(tmp_path_factory.mktemp("province")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(worlds.hostile(tmp_path_factory.mktemp("hostile")))


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = [f"BHXH cơ sở số {number}" for number in range(1, 61)]
    return report(worlds.province(tmp_path_factory.mktemp("sixty"), names, months=3))


def test_every_page_bears_the_data_root_and_its_number(province: Path) -> None:
    pages = texts(province)
    assert len(pages) > 8
    for number_of, text in enumerate(pages, start=1):
        assert worlds.FACTS.data_root in text.replace(" ", ""), number_of
        assert f"Trang {number_of}/{len(pages)}" in text


def test_every_agency_stands_in_every_chart_and_table(province: Path) -> None:
    whole = " ".join(texts(province))
    for name in worlds.NAMES:
        short = short_name(name)
        # grid and strip, charts, pace, tables, ranking
        assert whole.count(short) >= 2 + 13 + 1 + 3 + 1, name
        assert name in whole


def test_sixty_agencies_are_all_there(sixty: Path) -> None:
    whole = " ".join(texts(sixty))
    for number_of in range(1, 61):
        assert len(re.findall(rf"cơ sở số {number_of}\b", whole)) >= 2 + 13


def test_figures_are_written_as_in_vietnam(province: Path) -> None:
    assert number(-1234567) == "-1.234.567"
    assert percent(Decimal("0.98245")) == "98,25\u00a0%"
    row = next(
        row
        for row in worlds.raw(province.parent, "attainment")
        if (row["agency_code"], row["month"], row["metric_code"])
        == ("072", "2021-12-01", "collection_total")
    )
    assert f"Tổng số thu đạt {number(int(row['actual_to_date']))} đồng" in texts(province)[2]


def test_a_verdict_never_stands_beside_two_equal_figures() -> None:
    assert percent(Decimal("0.0089999"), Decimal("0.009")) == "0,8999900\u00a0%"
    assert percent(Decimal("0.99999"), 1) == "99,9990\u00a0%"
    assert percent(Decimal("0.98765"), 1) == "98,77\u00a0%"


@pytest.mark.parametrize("world", ["province", "hostile", "sixty"])
def test_no_text_leaves_its_page_or_lies_on_another(
    world: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(world)
    assert outside(path) == []
    assert overlapping(path) == []


def test_a_page_drawn_without_care_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "naive.pdf"
    load_fonts()
    canvas = Canvas(str(path))
    canvas.setFont("ChotsoSans", 9)
    canvas.drawString(500, 400, worlds.HOSTILE[13])
    canvas.drawString(100, 300, "một nhãn")
    canvas.drawString(110, 301, "nhãn khác")
    canvas.save()
    assert outside(path)
    assert overlapping(path)


def test_markup_in_names_is_text(hostile: Path) -> None:
    whole = " ".join(texts(hostile))
    for text in ("<b>đậm</b> & <font size=99>to</font>", "</para>", "&amp; <para>", "=cmd|"):
        assert text in whole


def test_overrides_are_printed_with_both_names(province: Path) -> None:
    whole = " ".join(texts(province))
    assert "Trần Văn Giả Định; Lê Thị Giả Định" in whole
    assert "Đã đối chiếu từng chứng từ với ngân hàng." in whole
    assert "không đạt điều kiện dưới 0,90 %" in whole


def test_rehearsals_say_so_on_every_page(tmp_path: Path) -> None:
    path = report(worlds.province(tmp_path, months=2), worlds.REHEARSAL)
    write_signature_page(tmp_path, worlds.ROOT, worlds.REHEARSAL)
    for page in [*texts(path), *texts(tmp_path / "signature.pdf")]:
        assert page.count(REHEARSAL) >= 2
    assert outside(path) == []


def test_a_corrigendum_says_what_it_corrects_why_and_who(tmp_path: Path) -> None:
    facts = worlds.CORRIGENDUM
    path = report(worlds.corrected(tmp_path), facts)
    write_signature_page(tmp_path, worlds.ROOT, facts)
    assert "plan_in_force 4464423 4500000" in " ".join(texts(path))
    for page in (texts(path)[0], texts(tmp_path / "signature.pdf")[0]):
        for told in ("Bản đính chính", facts.corrects, facts.reason, facts.author):
            assert told is not None
            assert told in page


@pytest.mark.parametrize("facts", [worlds.FACTS, worlds.REHEARSAL, worlds.CORRIGENDUM])
def test_the_qr_code_and_the_text_both_give_the_root(tmp_path: Path, facts: ReleaseFacts) -> None:
    write_signature_page(tmp_path, worlds.ROOT, facts)
    path = tmp_path / "signature.pdf"
    pages = texts(path)
    assert len(pages) == 1
    squeezed = pages[0].replace(" ", "")
    assert squeezed.count(worlds.ROOT) == 2  # in groups, and in the command
    assert worlds.FACTS.data_root in squeezed
    image = pypdfium2.PdfDocument(path)[0].render(scale=2).to_pil()
    found = zxingcpp.read_barcodes(image)
    assert [each.text for each in found] == [qr_text(facts.release_id, worlds.ROOT)]
    assert outside(path) == []


def test_texts_of_any_length_stay_on_the_page_to_sign(tmp_path: Path) -> None:
    long = replace(
        worlds.CORRIGENDUM, period_name="Đợt " * 90, reason="W" * 2000, author="a\n" * 900
    )
    write_signature_page(tmp_path, worlds.ROOT, long)
    path = tmp_path / "signature.pdf"
    assert len(texts(path)) == 1
    assert outside(path) == []
    assert overlapping(path) == []
    assert outside(report(worlds.province(tmp_path, months=1), long)) == []


def test_a_release_without_any_figures_still_has_its_papers(tmp_path: Path) -> None:
    assert worlds.FACTS.data_root in "".join(texts(report(tmp_path)))[:9000].replace(" ", "")
    empty = tmp_path / "empty"
    worlds.province(empty, months=1)
    for path in (empty / "data").glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").split("\n")[0] + "\n", encoding="utf-8")
    assert "không có số liệu nào" in texts(report(empty))[1]


def test_one_agency_alone_is_enough(tmp_path: Path) -> None:
    pages = texts(report(worlds.province(tmp_path, [], months=1)))
    assert "Toàn tỉnh Tây Ninh" in " ".join(pages)


def test_the_facts_are_those_of_the_manifest() -> None:
    manifest = {
        "release_id": "sprint-2021-q4-c1",
        "period_id": "sprint-2021-q4",
        "kind": "corrigendum",
        "cutoff_at": "2021-12-31T10:00:00.000000Z",
        "as_known_at": "2021-12-31T10:00:30.000000Z",
        "business_date": "2021-12-31",
        "data_root": worlds.FACTS.data_root,
        "corrects": "sprint-2021-q4",
        "correction": {"reason": worlds.CORRIGENDUM.reason, "author": worlds.CORRIGENDUM.author},
    }
    assert facts_of(manifest, worlds.FACTS.period_name, worlds.HEADING) == worlds.CORRIGENDUM
