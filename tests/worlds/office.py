"""LibreOffice, where a machine has it: opens a workbook and prints it, as an office would."""

import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest

SOFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice (soffice) is not installed")


def printed(workbook: Path, scratch: Path) -> list[str]:
    """The text of every page that LibreOffice prints of a workbook."""
    assert SOFFICE is not None
    subprocess.run(
        [SOFFICE, "--headless", f"-env:UserInstallation=file://{scratch / 'profile'}",
         "--convert-to", "pdf", "--outdir", str(scratch), str(workbook)],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    document = pypdfium2.PdfDocument(scratch / f"{workbook.stem}.pdf")
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]
