"""What stood beside a damaged bundle goes back to it alone, however releases' ids begin."""

from pathlib import Path

import pytest

from chotso.release.bundle import folders, papers
from chotso.release.bundle import writer as bundle

ORIGINAL = "sprint-2021-q4"
RELEASES = (
    ORIGINAL,
    f"{ORIGINAL}-c1",
    f"{ORIGINAL}-c10",
    f"{ORIGINAL}-1",
    "sprint-2021",
    "a",
    "a-1",
)
DAMAGES = 11


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every release damaged and put back many times, all at once; each was signed as itself."""
    monkeypatch.setattr(bundle, "check", lambda staged, root: None)
    monkeypatch.setattr(papers, "add_signature_page", lambda staged, root: None)
    for release in RELEASES:
        (tmp_path / release / "certifications").mkdir(parents=True)
        for name in ("signature.pdf", f"certifications/{release}.json"):
            (tmp_path / release / name).write_text(release)
    for _ in range(DAMAGES):
        for release in RELEASES:
            folder = tmp_path / release
            folders.staging(folder).mkdir()
            folders.place(tmp_path / f".staging-{release}", folder, "root")
    return tmp_path


def beside(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_each_release_has_its_own_papers_back(releases: Path) -> None:
    for release in RELEASES:
        assert beside(releases / release) == {
            "signature.pdf": release, f"certifications/{release}.json": release
        }  # fmt: skip
    aside = {path.name for path in releases.iterdir() if path.name.startswith(".damaged-")}
    numbers = range(1, DAMAGES + 1)
    assert aside == {f".damaged-{release}-{number}" for release in RELEASES for number in numbers}


def test_the_newest_paper_is_carried_over(releases: Path) -> None:
    """Of the tenth and the ninth damaged bundle the tenth is newer, whatever their names' order."""
    (releases / ORIGINAL / "signature.pdf").write_text("signed anew")
    folder = releases / ORIGINAL
    folders.staging(folder).mkdir()
    folders.place(releases / f".staging-{ORIGINAL}", folder, "root")
    assert (folder / "signature.pdf").read_text() == "signed anew"


def test_the_naive_pattern_takes_another_releases_papers(releases: Path) -> None:
    found = {path.name for path in releases.glob(f".damaged-{ORIGINAL}-*")}
    assert f".damaged-{ORIGINAL}-c1-1" in found
