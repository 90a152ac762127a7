"""What officials get with a release: a workbook, a report and a page to sign.

All three are made only from the release's data files and the facts of its manifest. So everything
they say is sealed, and equal releases give equal bytes.
"""

from pathlib import Path

from chotso.reports.data import Release, ReleaseFacts, facts_of
from chotso.reports.document import write_document
from chotso.reports.overview import Overview
from chotso.reports.signature import write_signature
from chotso.reports.workbook import write_workbook

__all__ = [
    "DOCUMENT",
    "SIGNATURE",
    "WORKBOOK",
    "ReleaseFacts",
    "facts_of",
    "write_reports",
    "write_signature_page",
]

WORKBOOK = "report.xlsx"
DOCUMENT = "report.pdf"
SIGNATURE = "signature.pdf"


def write_reports(folder: Path, facts: ReleaseFacts) -> None:
    """Write `report.xlsx` and `report.pdf` into a bundle that has no manifest yet.

    Args:
        folder: The bundle, with its `data/*.csv`; no other files are read.
        facts: What the manifest will say, including the data root.

    Raises:
        ValueError: A data file does not have the form that SPEC.md describes.
    """
    view = Overview(Release(folder, facts))
    write_workbook(folder / WORKBOOK, view)
    write_document(folder / DOCUMENT, view)


def write_signature_page(folder: Path, root: str, facts: ReleaseFacts) -> None:
    """Write `signature.pdf` beside a finished bundle: the page to sign, not under the root.

    Args:
        folder: The bundle.
        root: SHA-256 of its manifest, 64 hexadecimal digits.
        facts: What the manifest says.
    """
    write_signature(folder / SIGNATURE, root, facts)
