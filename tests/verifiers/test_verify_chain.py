"""A releases folder is one chain: what is taken out, put in, swapped or rolled back is found."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chotso.verifier.verify import Result, verify
from tests.worlds import bundles

PLAN = {"period_id": "plan-2021-m09-12"}
SPRINT = {"period_id": "sprint-2021-q4"}


def codes(result: Result) -> set[str]:
    return {finding.code for finding in result.findings}


class Releases:
    """A releases folder in the making: each release follows the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots: dict[str, str] = {}
        self.last: str | None = None
        folder.mkdir()

    def add(self, release_id: str, **changes: Any) -> str:
        changes = {"release_id": release_id, "previous_root": self.last} | changes
        if changes.get("kind") == "corrigendum" and changes["corrects"] in self.roots:
            corrected_root = self.roots[changes["corrects"]]
            changes = {"correction": bundles.correction(corrected_root)} | changes
        self.last = self.roots[release_id] = bundles.make(self.folder / release_id, **changes)
        return self.last

    def corrigendum(self, release_id: str, corrects: str, **changes: Any) -> str:
        return self.add(release_id, kind="corrigendum", corrects=corrects, **changes)

    def check(self, anchor: str | None = None) -> Result:
        return verify(self.folder, anchor or self.last)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    made = Releases(tmp_path / "releases")
    made.add("sprint-2021-q4", **SPRINT)
    made.add("plan-2021-m09-12", **PLAN)
    made.corrigendum("sprint-2021-q4-c1", "sprint-2021-q4", **SPRINT)
    made.corrigendum("sprint-2021-q4-c2", "sprint-2021-q4-c1", **SPRINT)
    return made


def test_a_sound_chain_is_verified_by_the_newest_root(releases: Releases) -> None:
    result = releases.check()
    assert (result.status, result.findings, result.notes) == ("verified", [], [])
    assert (result.release_id, result.root) == ("sprint-2021-q4-c2", releases.last)
    assert result.data_root is not None


def test_a_chain_of_one(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "releases")
    releases.add("sprint-2021-q4")
    assert releases.check().status == "verified"


def test_without_an_anchor_a_chain_is_unanchored(releases: Releases) -> None:
    result = verify(releases.folder)
    assert (result.status, result.findings) == ("unanchored", [])


def test_the_newest_release_taken_away_is_found_by_the_anchor(releases: Releases) -> None:
    shutil.rmtree(releases.folder / "sprint-2021-q4-c2")
    assert codes(releases.check()) == {"anchor"}
    assert verify(releases.folder).status == "unanchored"


def test_the_first_release_taken_away(releases: Releases) -> None:
    shutil.rmtree(releases.folder / "sprint-2021-q4")
    assert {"chain-start", "chain-gap"} <= codes(releases.check())


def test_a_release_in_the_middle_taken_away(releases: Releases) -> None:
    shutil.rmtree(releases.folder / "plan-2021-m09-12")
    result = releases.check()
    assert {(each.code, each.path) for each in result.findings if each.code == "chain-gap"} == {
        ("chain-gap", "sprint-2021-q4-c1")
    }


def test_a_second_chain_beside_the_first(releases: Releases) -> None:
    bundles.make(releases.folder / "other", release_id="other", period_id="other")
    assert codes(releases.check()) >= {"chain-fork"}


def test_a_fork(releases: Releases) -> None:
    bundles.make(
        releases.folder / "other",
        release_id="other",
        period_id="other",
        previous_root=releases.roots["plan-2021-m09-12"],
    )
    findings = [each for each in releases.check().findings if each.code == "chain-fork"]
    assert [each.path for each in findings] == ["other, sprint-2021-q4-c1"]


def test_two_releases_in_each_others_folders(releases: Releases) -> None:
    one, two = releases.folder / "sprint-2021-q4-c1", releases.folder / "sprint-2021-q4-c2"
    one.rename(releases.folder / ".swap")
    two.rename(one)
    (releases.folder / ".swap").rename(two)
    assert codes(releases.check()) == {"folder-name"}


def test_a_release_copied_under_another_name(releases: Releases) -> None:
    shutil.copytree(releases.folder / "sprint-2021-q4", releases.folder / "copy")
    assert codes(releases.check()) == {"folder-name"}


@pytest.mark.parametrize(
    ("kind", "release_id", "corrects"),
    [
        ("corrigendum", "plan-2021-m09-12-c1", "plan-2021-m09-12"),  # of nothing sealed here
        ("corrigendum", "sprint-2021-q4-c4", "sprint-2021-q4-c2"),  # c3 left out
        ("corrigendum", "sprint-2021-q4-c3", "sprint-2021-q4"),  # corrects a corrected one
    ],
)
def test_corrigenda_follow_what_they_correct_without_a_gap(
    tmp_path: Path, kind: str, release_id: str, corrects: str
) -> None:
    releases = Releases(tmp_path / "releases")
    releases.add("sprint-2021-q4", **SPRINT)
    releases.corrigendum("sprint-2021-q4-c1", "sprint-2021-q4", **SPRINT)
    releases.corrigendum("sprint-2021-q4-c2", "sprint-2021-q4-c1", **SPRINT)
    period_id = release_id.rpartition("-c")[0]
    releases.add(release_id, kind=kind, corrects=corrects, period_id=period_id)
    result = releases.check()
    assert [(each.code, each.path) for each in result.findings] == [("chain-order", release_id)]


def test_a_corrigendum_names_the_root_of_what_it_corrects(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "releases")
    releases.add("sprint-2021-q4", **SPRINT)
    other = bundles.correction("0" * 64)
    releases.corrigendum("sprint-2021-q4-c1", "sprint-2021-q4", correction=other, **SPRINT)
    found = [(each.code, each.path) for each in releases.check().findings]
    assert found == [("chain-order", "sprint-2021-q4-c1")]


def test_a_rehearsal_is_no_release(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "releases")
    releases.add("rehearsal-sprint-2021-q4-1", kind="rehearsal", **SPRINT)
    assert codes(releases.check()) == {"chain-rehearsal"}


def test_every_bundle_is_checked_and_named(releases: Releases) -> None:
    path = releases.folder / "plan-2021-m09-12" / "data" / "attainment.csv"
    path.write_bytes(path.read_bytes().replace(b"072,T", b"072,X"))
    result = releases.check()
    assert {each.path for each in result.findings} == {"plan-2021-m09-12/data/attainment.csv"}
    assert [each.row for each in result.findings if each.code == "row"] == [2]


def test_a_recomputed_manifest_in_the_middle_breaks_the_chain(releases: Releases) -> None:
    manifest = releases.folder / "plan-2021-m09-12" / "manifest.json"
    content = json.loads(manifest.read_bytes()) | {"as_known_at": "2022-01-01T00:00:00.000000Z"}
    manifest.write_bytes(bundles.canonical(content))
    assert "chain-gap" in codes(releases.check())


def test_a_loose_file_or_a_folder_without_a_manifest(releases: Releases) -> None:
    (releases.folder / "note.txt").write_bytes(b"")
    (releases.folder / "stray").mkdir()
    result = releases.check()
    assert codes(result) == {"not-a-folder", "manifest-missing"}


def test_a_link_to_a_release_is_no_release(releases: Releases) -> None:
    (releases.folder / "sprint-2021-q4").rename(releases.folder.parent / "elsewhere")
    (releases.folder / "sprint-2021-q4").symlink_to(releases.folder.parent / "elsewhere")
    assert "not-a-folder" in codes(releases.check())


def test_rehearsals_and_work_in_progress_are_named_as_not_checked(releases: Releases) -> None:
    (releases.folder / "rehearsal").mkdir()
    (releases.folder / ".staging-x").mkdir()
    result = releases.check()
    assert result.status == "verified"
    assert result.notes == [
        ".staging-x is outside the chain and was not checked",
        "rehearsal is outside the chain and was not checked",
    ]


def test_an_empty_folder_holds_no_chain(tmp_path: Path) -> None:
    assert codes(verify(tmp_path)) == {"chain-start"}
