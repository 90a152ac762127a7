"""verify.html in Debian's Firefox, from file:// and without network."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs import record, size
from tests.verifiers import page_cases, page_worlds
from tests.verifiers.both import PAGE
from tests.verifiers.marionette import FIREFOX, Firefox, firefox
from tests.verifiers.test_verify_size import made

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not FIREFOX.exists(), reason="needs Debian's firefox-esr"),
]

# A person's drop: the entry is Firefox's own, only the event that brings it is made here.
_CHOOSE = """
const input = document.createElement('input');
input.type = 'file';
input.id = 'given';
document.body.append(input);
input.mozSetDndFilesAndDirectories([new Directory(arguments[0])]);
"""
_DROP = """
const input = document.getElementById('given');
const [entry] = input.webkitEntries;
input.remove();
const event = new Event('drop', { bubbles: true, cancelable: true });
Object.defineProperty(event, 'dataTransfer',
                      { value: { items: [{ kind: 'file', webkitGetAsEntry: () => entry }] } });
document.body.dispatchEvent(event);
"""
_CHECK = """
const root = document.getElementById('root');
root.value = arguments[0];
root.dispatchEvent(new Event('input', { bubbles: true }));
document.getElementById('check').click();
"""
_NOTE = "return document.querySelector('.drop [role=status]').textContent"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("profile")) as started:
        yield started


def drop(browser: Firefox, folder: Path) -> None:
    browser.run(_CHOOSE, str(folder), sandbox="system")
    browser.run(_DROP)
    browser.wait(f"{_NOTE}.startsWith('Đã chọn: {folder.name} ')")


def check(browser: Firefox, anchor: str | None) -> page_cases.Seen:
    browser.run(_CHECK, anchor or "")
    return page_cases.seen(browser.wait(f"return (() => {{{page_cases.READ_WHOLE}}})()"))


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_clean_and_mutated_releases_agree(browser: Firefox, tmp_path: Path) -> None:
    browser.open(PAGE)
    count = size(25, 520)
    for case in page_cases.cases(tmp_path, count):
        drop(browser, case.folder)
        assert check(browser, case.anchor) == page_cases.wanted(case), case.kind
    record("verify.html in Firefox says what verify.py says", releases=count)


def test_chosen_by_the_button(browser: Firefox, tmp_path: Path) -> None:
    root = page_worlds.province(tmp_path / "sprint-2021-q4")
    browser.open(PAGE)
    given = "mozSetDndFilesAndDirectories([new Directory(arguments[0])])"
    browser.run(
        f"document.getElementById('folder').{given}",
        str(tmp_path / "sprint-2021-q4"),
        sandbox="system",
    )
    browser.wait("return document.getElementById('folder').files.length > 0")
    browser.run("document.getElementById('folder').dispatchEvent(new Event('change'))")
    assert check(browser, root) == ("verified", set())
    names = browser.wait("return document.querySelector('.matrix')?.textContent")
    assert "BHXH huyện Dương Minh Châu" in names


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_million_rows_open_within_a_minute(browser: Firefox, tmp_path: Path) -> None:
    root = made(tmp_path / "b", 1_000_000)
    browser.open(PAGE)
    drop(browser, tmp_path / "b")
    begun = time.monotonic()
    browser.run(_CHECK, root)
    browser.wait("return document.querySelector('progress')?.value > 0")
    browser.wait("return document.querySelector('.verdict.verified')")
    checked = time.monotonic() - begun
    browser.wait("return document.querySelector('.table tbody tr')")
    shown = time.monotonic() - begun
    browser.wait("return document.querySelector('.table').textContent.includes('1.000.000 dòng')")
    record(
        "Size: a release of a million rows opens in Firefox",
        rows=1_000_000,
        seconds_until_verified=f"{checked:.1f}",
        seconds_until_shown=f"{shown:.1f}",
    )
    assert shown < 60


def test_it_has_cryptography_of_its_own_and_asks_nobody(browser: Firefox) -> None:
    browser.open(PAGE)
    assert browser.run("return [isSecureContext, Boolean(crypto.subtle)]") == [True, True]
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
