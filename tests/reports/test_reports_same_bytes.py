"""Equal releases give equal papers, wherever and by whomever they are made."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import report_worlds as worlds

pytestmark = pytest.mark.lengthy

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[2], 8))
from chotso.reports import write_reports, write_signature_page
from tests.worlds import report_worlds as worlds
folder = Path(sys.argv[1])
write_reports(folder, worlds.FACTS)
write_signature_page(folder, worlds.ROOT, worlds.FACTS)
"""
NAIVE = """
import sys
from pathlib import Path
from reportlab.pdfgen.canvas import Canvas
for name in ("report.pdf", "signature.pdf", "report.xlsx"):
    canvas = Canvas(str(Path(sys.argv[1]) / name), invariant=1)
    canvas.drawString(99, 99, name)
    canvas.save()
"""
PLACES = (
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "77", "RL_useA85": "1"},
    {"TZ": "Asia/Ho_Chi_Minh", "LANG": "vi_VN.UTF-8", "PYTHONHASHSEED": "random",
     "SOURCE_DATE_EPOCH": "1234567890", "RL_pageCompression": "0", "PYTHONUTF8": "0"},
)  # fmt: skip


def made(folder: Path, place: dict[str, str], umask: str, program: str) -> dict[str, str]:
    worlds.province(folder, months=3)
    home = folder.parent / f"home-{folder.name}"
    home.mkdir()
    if umask != "022":
        (home / ".reportlab_settings").write_text("ttfAsciiReadable = 0\nuseA85 = 1\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(PROJECT)}
    subprocess.run(
        [sys.executable, "-c", program, str(folder), umask],
        check=True, cwd=home, env={**environment, **place}, timeout=300,
    )  # fmt: skip
    names = ("report.xlsx", "report.pdf", "signature.pdf")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_the_same_release_gives_the_same_bytes_everywhere(tmp_path: Path) -> None:
    found = [
        made(tmp_path / f"at-{number}", place, umask, PROGRAM)
        for number, (place, umask) in enumerate(zip(PLACES, ("022", "077", "000"), strict=True))
    ]
    assert found[0] == found[1] == found[2]


def test_a_canvas_that_says_invariant_is_not_enough(tmp_path: Path) -> None:
    found = [
        made(tmp_path / f"at-{number}", place, "022", NAIVE) for number, place in enumerate(PLACES)
    ]
    assert len({each["report.pdf"] for each in found}) > 1
