"""The heading of official papers: as Nghị định 30/2020/NĐ-CP lays it out, and as configured."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from chotso.errors import ChotsoError
from chotso.paper_register import MOTTO, NATION, PaperRegister
from chotso.registers import parse_registers, read_configuration
from chotso.release.bundle import papers
from chotso.reports import write_signature_page
from chotso.reports.heading import dated_line
from tests.worlds import report_worlds as worlds

MANIFEST = {
    "release_id": "sprint-2021-q4", "period_id": "sprint-2021-q4", "kind": "original",
    "cutoff_at": "2021-12-31T10:00:00.000000Z", "as_known_at": "2021-12-31T10:00:30.000000Z",
    "business_date": "2021-12-31", "data_root": worlds.FACTS.data_root,
}  # fmt: skip


def first_page(path: Path) -> str:
    page = pypdfium2.PdfDocument(path)[0]
    return " ".join(page.get_textpage().get_text_range().split())


def test_the_day_is_that_of_the_newest_knowledge_by_local_time() -> None:
    assert dated_line(worlds.FACTS) == "Tây Ninh, ngày 31 tháng 12 năm 2021"
    late = replace(worlds.FACTS, as_known_at=datetime(2021, 12, 31, 17, 30, tzinfo=UTC))
    assert dated_line(late) == "Tây Ninh, ngày 01 tháng 01 năm 2022"
    october = replace(worlds.FACTS, as_known_at=datetime(2021, 10, 8, 17, 30, tzinfo=UTC))
    assert dated_line(october) == "Tây Ninh, ngày 09 tháng 10 năm 2021"
    assert "ngày …… tháng ……" in dated_line(worlds.FACTS, is_dated=False)


def test_the_papers_take_the_heading_of_the_bundles_own_register(tmp_path: Path) -> None:
    folder = worlds.province(tmp_path, months=1)
    (folder / "config").mkdir()
    register = "superior_agency: Bảo hiểm xã hội Việt Nam\nagency: BHXH tỉnh Thử\nplace: Thử\n"
    (folder / "config" / "papers.yml").write_text(register + "signers: [Trưởng phòng]\n", "utf-8")
    papers.add_reports(folder, MANIFEST)
    told = first_page(folder / "report.pdf")
    for words in ("BẢO HIỂM XÃ HỘI VIỆT NAM", "BHXH TỈNH THỬ", NATION, MOTTO, "Thử, ngày 31"):
        assert words in told
    document = pypdfium2.PdfDocument(folder / "report.pdf")
    assert document.get_metadata_value("Author") == "BHXH tỉnh Thử"
    assert document.get_metadata_value("Title").startswith("Báo cáo kết quả thi đua")
    assert b"/Lang (vi)" in (folder / "report.pdf").read_bytes()


def test_a_bundle_from_before_the_register_has_the_national_heading_alone(tmp_path: Path) -> None:
    papers.add_reports(worlds.province(tmp_path, months=1), MANIFEST)
    told = first_page(tmp_path / "report.pdf")
    assert NATION in told
    assert "Số:" not in told


def test_the_page_to_sign_names_who_signs_and_leaves_the_day_to_them(tmp_path: Path) -> None:
    heading = worlds.HEADING.model_copy(
        update={"signers": ["Trưởng phòng Quản lý thu", "Giám đốc"]}
    )
    write_signature_page(tmp_path, worlds.ROOT, replace(worlds.FACTS, heading=heading))
    told = first_page(tmp_path / "signature.pdf")
    for words in (NATION, MOTTO, "Tây Ninh, ngày ……", "Trưởng phòng Quản lý thu", "Giám đốc"):
        assert words in told
    assert "Người lập" not in told


@pytest.mark.parametrize(
    "wrong", [{"agency": ""}, {"place": "a\nb"}, {"signers": []}, {"nation": "x"}, {"symbol": 7}]
)
def test_a_wrong_register_is_refused_every_night(wrong: dict[str, object]) -> None:
    configuration = read_configuration()
    assert PaperRegister.of_content(configuration["papers"]).place
    with pytest.raises(ChotsoError, match=r"config/papers\.yml is wrong"):
        parse_registers(configuration | {"papers": wrong})
