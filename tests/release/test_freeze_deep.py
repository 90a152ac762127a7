"""A release is made again, to the byte, from the landing archive on an empty warehouse.

Whatever was changed since, in the bundle or in the archive, is found and named.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chotso.errors import ChotsoError
from chotso.release.check.deep import differences, rebuild
from chotso.release.data.canonical import canonical_json
from chotso.release.seal.freeze import FreezeReport
from chotso.sandbox.server import SandboxServer
from chotso.verifier import verify
from tests.worlds.deep_world import SPRINT, Lived, correct, live, made_again
from tests.worlds.product import product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(1800)]

SEED = 2


@pytest.fixture(scope="module")
def lived(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with product(running, "freeze_deep", tmp_path_factory.mktemp("deep")) as made:
        yield live(made, SEED, rehearse=False)


@pytest.fixture(scope="module")
def original(lived: Lived) -> FreezeReport:
    return lived.releases["original"]


@pytest.fixture(scope="module")
def again(
    running: SandboxServer,
    lived: Lived,
    original: FreezeReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The original's bundle made again, which is the same."""
    place = tmp_path_factory.mktemp("again")
    made = made_again(running, lived, original, place)
    assert made.findings == []
    assert (made.root_sha256, made.folder) == (original.root_sha256, None)
    assert made.notes[0] == "made again from the archive: the same to the byte"
    return place / "again"


def manifest_of(bundle: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((bundle / "manifest.json").read_bytes())
    return content


def test_the_world_had_it_all(lived: Lived, original: FreezeReport, again: Path) -> None:
    assert lived.met >= {"changes", "window", "replay", "file", "c12", "payments", "officers"}
    inputs = manifest_of(original.bundle)["inputs"]
    acts = [each["kind"] for each in inputs if "act_id" in each]
    assert acts.count("waive") >= 2
    assert acts.count("close_missing") == 1  # the row is back in the next night, as a new version
    # A statement that only repeats what stands has a part in figures, and is an input.
    assert lived.restated in {each.get("delivery_name") for each in inputs}


@pytest.mark.slow
def test_a_corrigendum_is_made_again_beside_what_it_corrects(
    running: SandboxServer, lived: Lived, tmp_path: Path
) -> None:
    report = correct(lived)
    made = made_again(running, lived, report, tmp_path)
    assert made.findings == []
    assert made.root_sha256 == report.root_sha256
    alone = tmp_path / report.release_id
    shutil.copytree(report.bundle, alone)
    with pytest.raises(ChotsoError, match=f"since {SPRINT}, which is not to be had"):
        rebuild(lived.warehouse.settings, alone, "", tmp_path / "never")


def test_a_forger_who_writes_every_hash_anew_is_found(
    original: FreezeReport, again: Path, tmp_path: Path
) -> None:
    forged = tmp_path / SPRINT
    shutil.copytree(original.bundle, forged)
    path = forged / "data/attainment.csv"
    lines = path.read_bytes().split(b"\n")
    number = next(n for n, line in enumerate(lines) if b",true," in line)
    lines[number] = lines[number].replace(b",true,", b",false,", 1)
    path.write_bytes(b"\n".join(lines))
    with path.open("rb") as data:
        (forged / verify.row_index_path("data/attainment.csv")).write_bytes(
            b"".join(verify.row_index(data))
        )
    manifest = manifest_of(forged)
    for entry in manifest["files"]:
        with (forged / entry["path"]).open("rb") as stream:
            entry.update(verify.describe(entry["path"], stream))
    manifest["data_root"] = verify.data_root(manifest["files"])
    (forged / "manifest.json").write_bytes(canonical_json(manifest))
    (forged / "signature.pdf").write_bytes(b"beside, not under the root")
    # The naive twin checks the folder against itself.
    assert verify.verify_bundle(forged, None).status == "unanchored"
    found = {(each.code, each.path, each.row) for each in differences(forged, again)}
    assert found == {
        ("made-again", "data/attainment.csv", number + 1),
        ("made-again", verify.row_index_path("data/attainment.csv"), None),
        ("made-again", "manifest.json", None),
    }
    assert differences(original.bundle, again) == []


def first_of(landing: Path, bundle: Path, role: str = "data") -> Path:
    """A landed file of the bundle's inputs, of payments."""
    wanted = {each["sha256"] for each in manifest_of(bundle)["inputs"]}
    paths = sorted(landing.glob(f"payments/*/*/{role}.parquet"))
    return next(p for p in paths if hashlib.sha256(p.read_bytes()).hexdigest() in wanted)


def changed(landing: Path, bundle: Path) -> None:
    path = first_of(landing, bundle)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def changed_with_its_manifest(landing: Path, bundle: Path) -> None:
    path = first_of(landing, bundle)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    changed(landing, bundle)
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    told = path.with_name("manifest.json")
    told.chmod(0o600)
    told.write_text(told.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def missing(landing: Path, bundle: Path) -> None:
    shutil.rmtree(first_of(landing, bundle).parent)


def without_its_rows(landing: Path, bundle: Path) -> None:
    first_of(landing, bundle).unlink()


def added(landing: Path, bundle: Path) -> None:
    path = first_of(landing, bundle)
    shutil.copyfile(path, path.with_name("more.parquet"))


def an_act_rewritten(landing: Path, bundle: Path) -> None:
    act = next((landing / "acts").rglob("*.json"))
    act.chmod(0o600)
    act.write_bytes(act.read_bytes().replace("Thử".encode(), "Khác".encode()))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (changed, r"payments/.*data\.parquet is not what was landed"),
        (changed_with_its_manifest, "lacks 1 inputs: payments"),
        (missing, "lacks 1 inputs: payments"),
        (without_its_rows, r"payments/.*data\.parquet is not what was landed \(sha256 missing"),
        (added, r"no manifest tells of: payments/.*more\.parquet"),
        (an_act_rewritten, "lacks the act waive_.* as it was recorded"),
    ],
)
def test_an_archive_that_is_not_what_landed_is_named(
    running: SandboxServer,
    lived: Lived,
    original: FreezeReport,
    tmp_path: Path,
    harm: Callable[[Path, Path], None],
    said: str,
) -> None:
    other = tmp_path / "other"
    shutil.copytree(lived.warehouse.settings.landing_url, other)
    harm(other, original.bundle)
    with pytest.raises(ChotsoError, match=said):
        made_again(running, lived, original, tmp_path, landing=other)


def test_a_warehouse_that_holds_something_is_refused(
    lived: Lived, original: FreezeReport, tmp_path: Path
) -> None:
    settings = lived.warehouse.settings
    with pytest.raises(ChotsoError, match="not empty"):
        rebuild(settings, original.bundle, settings.landing_url, tmp_path / "never")


def other_code(manifest: dict[str, Any]) -> None:
    manifest["code"] = {"version": "0.0.1+abc", "sha256": "0" * 64}


def other_packages(manifest: dict[str, Any]) -> None:
    manifest["lock_sha256"] = "1" * 64


def other_period(manifest: dict[str, Any]) -> None:
    for entry in manifest["configuration"]:
        if entry["path"] == "config/periods.yml":
            entry["sha256"] = "2" * 64


def one_rule_less(manifest: dict[str, Any]) -> None:
    manifest["rules"] = [e for e in manifest["rules"] if e["path"] != "expectations/register.yml"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_code, r"other code \(0\.0\.1\+abc\)"),
        (other_packages, r"other lock_sha256 \(1111"),
        (other_period, r"other configuration \(config/periods\.yml\) than"),
        (one_rule_less, r"other rules \(expectations/register\.yml\) than"),
    ],
)
def test_a_release_of_other_code_or_registers_is_refused(
    lived: Lived,
    original: FreezeReport,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    said: str,
) -> None:
    (tmp_path / "bundle").mkdir()
    manifest = manifest_of(original.bundle)
    change(manifest)
    (tmp_path / "bundle/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    settings = lived.warehouse.settings
    with pytest.raises(ChotsoError, match=said):
        rebuild(settings, tmp_path / "bundle", settings.landing_url, tmp_path / "never")
