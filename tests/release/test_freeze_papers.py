"""A sealed release comes with its papers, and gets them back when they are lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from chotso.reports.signature import qr_text
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.verifier.verify import verify
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import manifest, seal
from tests.worlds.product import product

pytestmark = [pytest.mark.warehouse]
PAPERS = ("report.pdf", "report.xlsx", "signature.pdf")


@pytest.fixture
def settings(running: SandboxServer, tmp_path: Path) -> Iterator[Settings]:
    with product(running, "papers", tmp_path / "home") as made:
        yield world.fresh(made, tmp_path / "releases")


def text_of(path: Path) -> str:
    pages = pypdfium2.PdfDocument(path)
    return " ".join("".join(page.get_textpage().get_text_range() for page in pages).split())


def test_a_release_has_its_papers_and_gets_them_back(settings: Settings) -> None:
    report = seal(settings)
    sealed = manifest(report)
    files = sealed["files"]
    assert isinstance(files, list)
    listed = {each["path"] for each in files}
    assert {"report.pdf", "report.xlsx"} <= listed
    assert "signature.pdf" not in listed
    said = text_of(report.bundle / "report.pdf")
    assert str(sealed["data_root"]) in said.replace(" ", "")
    assert "Văn phòng, BHXH tỉnh" in said
    page = pypdfium2.PdfDocument(report.bundle / "signature.pdf")[0].render(scale=2).to_pil()
    found = [each.text for each in zxingcpp.read_barcodes(page)]
    assert found == [qr_text(report.release_id, report.root_sha256)]

    papers = {name: (report.bundle / name).read_bytes() for name in PAPERS}
    shutil.rmtree(report.bundle)
    assert seal(settings).already_sealed
    assert {name: (report.bundle / name).read_bytes() for name in PAPERS} == papers
    assert verify(report.bundle, report.root_sha256).status == "verified"


def test_a_rehearsals_papers_say_so(settings: Settings) -> None:
    report = seal(settings, rehearse=True)
    for name in ("report.pdf", "signature.pdf"):
        assert "DIỄN TẬP – KHÔNG CÓ GIÁ TRỊ" in text_of(report.bundle / name)
