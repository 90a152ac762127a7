"""Takes the pictures of docs/verification.md: verify.html with a made-up province's release.

Needs Debian's chromium and fonts-liberation, and nothing that runs.

    .venv/bin/python docs/images/verifier.py
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from tests.verifiers import page_worlds  # noqa: E402
from tests.worlds.chromium import running_chromium  # noqa: E402

PAGE = ROOT / "chotso/verifier/verify.html"
WIDE, PHONE = {"width": 1200, "height": 1500}, {"width": 390, "height": 844}


def save(page: Page, name: str, height: int) -> None:
    """What the window shows, in as few bytes as its few colours need."""
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})  # type: ignore[index]
    page.wait_for_timeout(500)
    with tempfile.NamedTemporaryFile(suffix=".png") as scratch:
        page.screenshot(path=scratch.name)
        colours = Image.open(scratch.name).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    colours.save(HERE / f"verifier-{name}.png", optimize=True)


def check(page: Page, folder: Path, root: str) -> None:
    """Choose a folder, type a root, and wait for the verdict."""
    page.set_input_files("#folder", folder)
    page.fill("#root", " ".join(root[at : at + 4] for at in range(0, 64, 4)))
    page.click("#check")
    page.wait_for_selector(".verdict:not(.verified), .verdict.verified ~ div .release")
    page.wait_for_timeout(500)


def to_part(page: Page, part: str) -> None:
    """A part of the release, at the top of the window."""
    page.click(f"#tab-{part}")
    page.wait_for_selector(".table tbody tr")
    page.evaluate("document.querySelector('.tabs').scrollIntoView()")


def main() -> None:
    """Make releases, sound and forged, and take every picture."""
    with tempfile.TemporaryDirectory() as scratch, running_chromium() as browser:
        releases = Path(scratch) / "releases"
        newest = page_worlds.chain(releases)
        sound = Path(scratch) / "sound/sprint-2021-q4"
        root = page_worlds.province(sound)
        page = browser.new_page(viewport=WIDE)
        page.goto(PAGE.as_uri())
        check(page, sound, root)
        save(page, "results", 1500)
        to_part(page, "ranking")
        save(page, "ranking", 620)
        check(page, releases, newest)
        page.click("#language-en")
        page.wait_for_selector(".release")
        to_part(page, "late")
        save(page, "late", 620)
        page.click("#language-vi")
        path = sound / "data/attainment.csv"
        path.write_bytes(path.read_bytes().replace(b"Ch\xc3\xa2u", b"Ch\xc3\xa3u", 1))
        check(page, sound, root)
        page.evaluate("scrollTo(0, 0)")
        save(page, "failed", 940)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        check(page, releases / "sprint-2021-q4", root)
        to_part(page, "arrears")
        save(page, "phone", 844)


if __name__ == "__main__":
    main()
