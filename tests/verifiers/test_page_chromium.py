"""verify.html in Debian's Chromium, from file:// and without network."""

import csv
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests import proofs
from tests.verifiers import page_cases, page_worlds
from tests.verifiers.both import PAGE
from tests.verifiers.test_verify_size import made
from tests.worlds import report_worlds
from tests.worlds.chromium import CHROMIUM, running_chromium

CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]
WAIT = 60_000
# One thing in the place of Chromium's, which has none on Linux: it sees what the test says.
DETECTOR = """
globalThis.BarcodeDetector = class {
  async detect() { return [{ rawValue: 'chotso-bundle/1 sprint-2021-q4 ROOT' }]; }
};
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium(*CAMERA) as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """The page, opened; nothing but itself was asked for, and nothing failed, when it is left."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    opened = context.new_page()
    opened.set_default_timeout(WAIT)
    asked: list[str] = []
    wrong: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text))
    opened.goto(PAGE.as_uri())
    yield opened
    assert wrong == []
    assert {url.split(":")[0] for url in asked} <= {"file", "blob"}
    assert sum(url.startswith("file") for url in asked) == 1
    context.close()


def drop(page: Page, session: CDPSession, folder: Path) -> None:
    """A folder let go over the page, as the desktop would."""
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    expect(page.locator(".drop [role=status]")).to_contain_text(f"Đã chọn: {folder.name} ")


def must_be_dropped(wanted: page_cases.Seen) -> bool:
    """By the button no empty folder is seen."""
    return any(path.endswith("/") for _, path, _ in wanted[1])


def must_be_chosen(wanted: page_cases.Seen) -> bool:
    """Of what is dropped Chromium keeps files of some names to itself."""
    return any(path.endswith("~") for _, path, _ in wanted[1])


def check(page: Page, anchor: str | None) -> page_cases.Seen:
    page.fill("#root", anchor or "")
    page.click("#check")
    page.wait_for_selector(".verdict:not(.verified), .verdict.verified ~ div .release")
    told: Any = page.evaluate(f"() => {{{page_cases.READ}}}")
    return page_cases.seen(told)


def open_release(page: Page, folder: Path, root: str) -> None:
    page.set_input_files("#folder", folder)
    assert check(page, root) == ("verified", set())


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_clean_and_mutated_releases_agree(page: Page, tmp_path: Path) -> None:
    session = page.context.new_cdp_session(page)
    count = proofs.size(40, 520)
    for number, case in enumerate(page_cases.cases(tmp_path, count)):
        wanted = page_cases.wanted(case)
        if must_be_dropped(wanted) or (number % 2 and not must_be_chosen(wanted)):
            drop(page, session, case.folder)
        else:
            page.set_input_files("#folder", case.folder)
        assert check(page, case.anchor) == wanted, case.kind
    proofs.record("verify.html in Chromium says what verify.py says", releases=count)


def test_what_is_shown_is_what_the_files_say(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "sprint-2021-q4"
    open_release(page, folder, page_worlds.province(folder))
    with (folder / "data/ranking.csv").open(encoding="utf-8", newline="") as stream:
        ranking = list(csv.DictReader(stream))
    page.click("#tab-ranking")
    rows = page.locator(".table").first.locator("tbody tr")
    expect(rows).to_have_count(len(ranking))
    shown = {row.split("\t")[2]: row.split("\t") for row in rows.all_inner_texts()}
    for each in ranking:
        cells = shown[each["participant_name"]]
        assert cells[0] == ("Không xét" if each["rank_number"] == "\\N" else each["rank_number"])
        assert cells[5] == each["explanation_vi"]
        points = each["total_points"]
        assert cells[4] == ("–" if points == "\\N" else f"{float(points):.4f}".replace(".", ","))
    with (folder / "data/employer_arrears.csv").open(encoding="utf-8", newline="") as stream:
        arrears = [row for row in csv.DictReader(stream) if row["month"] == "2021-12-01"]
    page.click("#tab-arrears")
    rows = page.locator(".table").nth(1).locator("tbody tr")
    expect(rows).to_have_count(len(arrears))
    texts = [row.split("\t") for row in rows.all_inner_texts()]
    money = [int(row[4].replace(".", "")) for row in texts]
    assert money == sorted((int(row["arrears_vnd"]) for row in arrears), reverse=True)
    assert {row[0] for row in texts} == {row["employer_code"] for row in arrears}


def test_what_is_shown_is_what_was_hashed(page: Page, tmp_path: Path) -> None:
    """Files that change after the check change nothing that is seen."""
    open_release(page, tmp_path, page_worlds.province(tmp_path))
    path = tmp_path / "data/ranking.csv"
    path.write_bytes(path.read_bytes().replace(b"BHXH", b"XXXX"))
    page.click("#tab-ranking")
    expect(page.locator(".table").first).to_contain_text("BHXH huyện Tân Biên")
    expect(page.locator(".table").first).not_to_contain_text("XXXX")


def test_hostile_texts_are_texts(page: Page, tmp_path: Path) -> None:
    report_worlds.hostile(tmp_path)
    open_release(page, tmp_path, page_worlds.seal(tmp_path))
    shown = ""
    for part in ("results", "arrears", "ranking", "conditions", "tables"):
        page.click(f"#tab-{part}")
        page.locator(".table").last.locator("tbody tr").first.wait_for()
        shown += page.inner_text("main")
    assert "<b>đậm</b> & <font size=99>to</font>" in shown
    assert "<U+202E>" in shown
    assert not {"\u202e", "\x00", "\x07", "\x1b"} & set(shown)
    assert page.locator("main font, main b").count() == 0


def test_its_own_policy_keeps_it_from_asking_anybody(chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(PAGE.as_uri())
    page.wait_for_selector("#check")
    tried = """async () => {
      const answers = [];
      for (const address of ['data:,x', location.href, 'http://127.0.0.1:9/']) {
        answers.push(await fetch(address).then(() => 'asked', () => 'kept from it'));
      }
      document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.ran = 1">');
      await new Promise((go) => setTimeout(go, 300));
      return [...answers, window.ran ?? 'not run'];
    }"""
    assert page.evaluate(tried) == ["kept from it"] * 3 + ["not run"]
    context.close()


def test_a_chain_its_late_register_and_its_certifications(page: Page, tmp_path: Path) -> None:
    root = page_worlds.chain(tmp_path / "releases")
    open_release(page, tmp_path / "releases", root)
    expect(page.locator(".verdict")).to_contain_text("sprint-2021-q4 → sprint-2021-q4-c1")
    page.click("#tab-late")
    late = page.locator(".table").first
    expect(late.locator("tbody tr")).to_have_count(2)
    expect(late).to_contain_text("Quyết định giao kế hoạch")
    expect(late).to_contain_text("−35.577")
    page.select_option(".releases select", label="sprint-2021-q4")
    expect(page.locator(".name")).to_contain_text("Bản chốt chính thức")
    page.click("#tab-certifications")
    expect(page.locator(".release td.good")).to_have_count(2)
    shutil.rmtree(tmp_path / "releases/sprint-2021-q4")
    page.set_input_files("#folder", tmp_path / "releases")
    status, found = check(page, root)
    assert status == "failed"
    assert {code for code, _, _ in found} == {"chain-start", "chain-gap"}


def test_by_keyboard_and_in_english(page: Page, tmp_path: Path) -> None:
    open_release(page, tmp_path, page_worlds.province(tmp_path))
    assert page.evaluate("document.activeElement.id") == "verdict"
    page.focus("#tab-results")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-arrears")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.activeElement.id") == "tab-arrears"
    column = page.locator("th:has(button[data-column='arrears_vnd'])")
    expect(column).to_have_attribute("aria-sort", "descending")
    column.locator("button").focus()
    page.keyboard.press("Enter")
    expect(column).to_have_attribute("aria-sort", "ascending")
    expect(column.locator("button")).to_be_focused()
    page.focus("#language-en")
    page.keyboard.press("Space")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#verdict")).to_contain_text("Verified")
    expect(page.locator("#language-en")).to_be_focused()
    page.click("#tab-results")
    page.wait_for_selector(".table tbody tr")
    page.fill(".table input[type=search]", "duong minh chau arrears total")
    expect(page.locator(".table tbody tr")).to_have_count(1)
    expect(page.locator(".table tbody tr")).to_contain_text("Dương Minh Châu")


def test_a_root_is_judged_while_it_is_typed(page: Page) -> None:
    note = page.locator("#root-note")
    page.fill("#root", "1a2b 3C4D")
    expect(note).to_contain_text("8/64")
    page.fill("#root", "xyz")
    expect(page.locator("#root")).to_have_attribute("aria-invalid", "true")
    page.fill("#root", "AB " * 32)
    expect(note).to_have_text("Đủ 64 chữ số.")
    page.click("#check")
    expect(page.locator("[role=alert]")).to_have_text("Hãy chọn thư mục trước.")
    expect(page.locator("main")).to_contain_text("Trình duyệt này không đọc được mã QR")


def test_a_root_is_scanned_off_the_signed_page(chromium: Browser) -> None:
    context = chromium.new_context(offline=True)
    context.add_init_script(DETECTOR.replace("ROOT", "ab" * 32))
    page = context.new_page()
    page.goto(PAGE.as_uri())
    page.click("#scan")
    expect(page.locator("#root")).to_have_value(" ".join(["abab"] * 16))
    expect(page.locator("video")).to_be_hidden()
    context.close()


def test_it_fits_a_phone_and_paper(page: Page, tmp_path: Path) -> None:
    open_release(page, tmp_path, page_worlds.province(tmp_path))
    page.wait_for_selector(".table tbody tr")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(media="print")
    for hidden in (".steps", ".tabs", ".controls", ".own"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("#verdict")).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_million_rows_open_within_a_minute(page: Page, tmp_path: Path) -> None:
    root = made(tmp_path / "b", 1_000_000)
    page.set_default_timeout(600_000)
    page.set_input_files("#folder", tmp_path / "b")
    page.fill("#root", root)
    begun = time.monotonic()
    page.click("#check")
    page.wait_for_selector("progress[value]")
    page.wait_for_selector(".verdict.verified")
    checked = time.monotonic() - begun
    page.wait_for_selector(".table tbody tr")
    shown = time.monotonic() - begun
    expect(page.locator(".table > .quiet")).to_contain_text("1.000.000 dòng", timeout=60_000)
    assert page.locator(".table tbody tr").count() <= 40
    page.focus(".window")
    page.keyboard.press("End")
    expect(page.locator(".where")).to_contain_text("–1.000.000", timeout=60_000)
    proofs.record(
        "Size: a release of a million rows opens in Chromium",
        rows=1_000_000,
        seconds_until_verified=f"{checked:.1f}",
        seconds_until_shown=f"{shown:.1f}",
    )
    assert shown < 60


def test_a_plan_of_zero_is_said_as_in_the_papers(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "sprint-2021-q4"
    open_release(page, folder, page_worlds.province(folder))
    expect(page.locator(".matrix td", has_text="KH 0")).to_have_count(1)
    expect(page.locator(".matrix td", has_text="KH 0")).to_have_class("good")
    expect(page.locator("p.quiet", has_text="KH 0: kế hoạch được giao bằng 0")).to_be_visible()
    with (folder / "data/attainment.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["plan_status_code"] == "zero"]
    assert {row["is_met"] for row in rows} == {"true"}
    page.click("#language-en")
    expect(page.locator(".matrix td", has_text="plan 0")).to_have_count(1)
