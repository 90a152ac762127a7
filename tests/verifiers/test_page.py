"""verify.html is one file of its parts that asks nobody, and its checks are those of verify.py."""

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chotso.release.bundle.writer import documents
from chotso.verifier import verify
from chotso.verifier.page.__main__ import page
from tests.verifiers import mutations
from tests.verifiers.both import DRIVER, PAGE, Asked, asked, comparable, node
from tests.verifiers.test_mutations import province, seal
from tests.worlds import bundles

RELEASES = {"": 520, "without-crypto": 104}


@pytest.fixture(scope="module", params=RELEASES)
def mode(request: pytest.FixtureRequest) -> str:
    """With the hashes of the browser, and with the page's own alone."""
    return str(request.param)


@pytest.fixture(scope="module")
def core(mode: str) -> Iterator[Asked]:
    with asked(node(), str(DRIVER), str(PAGE), mode) as made:
        yield made


def test_the_page_is_what_its_parts_make() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m chotso.verifier.page"


def test_every_bundle_carries_it() -> None:
    assert documents()["verify.html"] == PAGE.read_bytes()


def test_the_page_loads_and_sends_nothing() -> None:
    text = PAGE.read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    rules = dict(each.strip().split(" ", 1) for each in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {
        "default-src", "script-src", "style-src", "worker-src", "base-uri", "form-action"
    }  # fmt: skip
    sources = rules["script-src"].split() + rules["style-src"].split()
    assert all(each.startswith("'sha256-") for each in sources)
    assert rules["worker-src"] == "blob:"
    for word in ("://", "src=", "href=", "import(", "fetch(", "XMLHttpRequest", "WebSocket",
                 "innerHTML", "eval(", "localStorage", "importScripts", "sendBeacon"):  # fmt: skip
        assert word not in text, word


@pytest.mark.lengthy
def test_hundreds_of_clean_and_mutated_releases_agree(core: Asked, mode: str) -> None:
    """What a disk can hold and mutations.py can do to it, with and without the right root."""
    by = random.Random(14)
    memory = Path("/dev/shm")
    kinds = sorted(mutations.MUTATIONS)
    statuses = []
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        place = Path(made)
        files = province(by)
        files["data/attainment.csv"] = b"".join(
            files["data/attainment.csv"].splitlines(keepends=True)[:60]
        )
        files["rows/attainment.txt"] = bundles.index_of(files["data/attainment.csv"])
        root = seal(place / "sound", files)
        for number in range(RELEASES[mode]):
            shutil.copytree(place / "sound", place / "b")
            if number % 20:
                mutations.MUTATIONS[kinds[number % len(kinds)]](place / "b", by)
            anchor = by.choice([root, root, None])
            core.put(place / "b", anchor)
            wanted = comparable(verify.verify(place / "b", anchor).as_json())
            assert comparable(core.answer()) == wanted, kinds[number % len(kinds)]
            statuses.append(wanted["status"])
            shutil.rmtree(place / "b")
    assert len(statuses) == RELEASES[mode]
    assert statuses.count("verified") >= 2
    assert statuses.count("failed") >= RELEASES[mode] * 3 // 4


TEXTS = [
    "A" * 64, "0f" * 32, " \t" + "a1\u00a0" * 32, "ab\u200b-" * 32, "", "0" * 63, "g" * 64,
    "\u202e" + "e" * 64 + "\ufeff", "x\x1b[2J\u2066y", "\U000e0041\U0001d173 ê", "Tân Biên",
]  # fmt: skip


def test_roots_are_read_and_names_are_shown_alike(core: Asked) -> None:
    for text in TEXTS:
        core.ask_text(text)
        try:
            anchor = verify.read_anchor(text)
        except ValueError:
            anchor = None
        assert core.answer() == {"anchor": anchor, "shown": verify.visible(text)}


@pytest.mark.parametrize("part", ["core", "worker", "page"])
def test_every_script_is_one_that_node_can_read(part: str, tmp_path: Path) -> None:
    found = re.search(rf'<script[^>]*id="{part}">(.*?)</script>', PAGE.read_text("utf-8"), re.S)
    found = found or re.search(r"<script>(.*?)</script>", PAGE.read_text("utf-8"), re.S)
    assert found is not None
    (tmp_path / "part.js").write_text(found[1], encoding="utf-8")
    done = subprocess.run(
        [node(), "--check", str(tmp_path / "part.js")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_finding_is_explained() -> None:
    """Each code of SPEC.md §10 has its sentence in both languages."""
    spec = PAGE.with_name("SPEC.md").read_text("utf-8").split("\n## 10. ")[1].split("\n## 11. ")[0]
    codes = {
        code
        for row in re.findall(r"^\| (`.*?) \|", spec, re.M)
        for code in re.findall("`(.*?)`", row)
    }
    words = (PAGE.parent / "page/words.js").read_text("utf-8").split("const FINDINGS = {")[1]
    told = set(re.findall(r'^  "?([a-z0-9-]+)"?: \[', words, re.M))
    assert told == codes
