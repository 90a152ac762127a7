"""What SPEC.md once left open, one test each: three readers give one answer, and this one."""

import hashlib
import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chotso.release.data.tables import CORRECTION, TABLES
from chotso.verifier import verify
from tests.verifiers import signed, third
from tests.verifiers.both import SCRIPT, Verifiers, codes
from tests.worlds import bundles

Manifest = dict[str, Any]
ORDER = 2**252 + 27742317777372353535851937790883648493
C1: Manifest = {"kind": "corrigendum", "release_id": "sprint-2021-q4-c1", "corrects": "x"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "b")
    return tmp_path / "b"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


def found(both: Verifiers, folder: Path, anchor: str | None = None) -> list[tuple[str, str, int]]:
    return list(both.ask(folder, anchor or "0" * 64)["findings"])


def made(folder: Path, **changes: Any) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    return bundles.make(folder, **changes)


def test_the_anchor_is_judged_whatever_else_is_wrong(both: Verifiers, bundle: Path) -> None:
    """Gaps 1 and 2: what is known after a finding of the manifest."""
    path = bundle / "manifest.json"
    for raw in (b"{", b"{}\n", path.read_bytes().replace(b'"kind":"original"', b'"kind":"x"')):
        path.write_bytes(raw)
        answer = both.ask(bundle, "0" * 64)
        assert ("anchor", "manifest.json", 0) in answer["findings"]
        assert (answer["root"], answer["release_id"]) == (bundles.sha256(raw), None)
        assert answer["data_root"] is None
    path.unlink()
    assert found(both, bundle) == [("manifest-missing", "manifest.json", 0)]


def test_a_chain_without_one_start_has_no_end_to_anchor(both: Verifiers, tmp_path: Path) -> None:
    """Gap 3."""
    bundles.make(tmp_path / "a", release_id="a", period_id="a", previous_root="ab" * 32)
    assert found(both, tmp_path) == [("chain-gap", "a", 0), ("chain-start", "", 0)]
    bundles.make(tmp_path / "b", release_id="b", period_id="b")
    bundles.make(tmp_path / "c", release_id="c", period_id="c")
    answer = both.ask(tmp_path, "0" * 64)
    assert answer["findings"] == [("chain-fork", "b, c", 0), ("chain-gap", "a", 0)]
    assert (answer["root"], answer["release_id"]) == (None, None)


UNKNOWN = ["\U000105d2\u0307", "\u1acf", "\u0378", "\ufdd0", "\uffff", "\U0010ffff", "\U0001fac8"]


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_unicode_14_does_not_know_is_unreadable(
    both: Verifiers, tmp_path: Path, text: str
) -> None:
    """Gap 4: no runtime's newer tables decide."""
    for changes in ({"inputs": [text]}, {text: 1}):
        root = made(tmp_path / "b", **changes)
        assert codes(both.ask(tmp_path / "b", root)) == {"manifest-unreadable"}


@pytest.mark.parametrize("text", ["Tây Ninh", "ស្វាយរៀង", "\ue000", "😀", "\ufffd"])
def test_what_it_knows_is_read(both: Verifiers, tmp_path: Path, text: str) -> None:
    root = made(tmp_path / "b", inputs=[text])
    assert both.ask(tmp_path / "b", root)["status"] == "verified"


def test_the_tables_of_characters_are_one() -> None:
    spec = SCRIPT.with_name("SPEC.md").read_text("utf-8").split("\n## 13. ")[1].split("## 14.")[0]
    table = [line.strip() for line in spec.split("\n") if line.startswith("    ")]
    assert table == verify.ASSIGNED.strip().split("\n")
    assert "\n".join(table) in SCRIPT.read_text("utf-8")
    if unicodedata.unidata_version == "14.0.0":
        pattern = verify.unassigned()
        for code in range(0x110000):
            is_unknown = unicodedata.category(chr(code)) in ("Cn", "Cs")
            assert bool(pattern.match(chr(code))) == is_unknown, hex(code)


def test_a_key_with_a_part_of_small_order(both: Verifiers, tmp_path: Path) -> None:
    """Gap 5: k is taken modulo L; otherwise one of eight such signatures would be another's."""
    torsion = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
    plain = verify._decoded(signed.public_of("an"))
    small = verify._decoded(torsion)
    assert plain
    assert small
    key = verify._encoded(verify._plus(plain, small))
    root = signed.make(tmp_path / "b", signers=[signed.person("an", key.hex())])
    answers = set()
    for second in range(40):
        at = f"2021-12-31T11:00:{second:02}.000000Z"
        said = signed.certification(root, "an", certified_at=at)
        raw = bytes.fromhex(said["signature"])
        message = verify.certified_message(said)
        said["signature"] = (raw[:32] + _scalar(raw[:32], key, message)).hex()
        signed.certify(tmp_path / "b", said)
        answers.add(len(both.ask(tmp_path / "b", root)["certified_by"]))
    assert answers == {0, 1}


def _scalar(commitment: bytes, key: bytes, message: bytes) -> bytes:
    """S by the signer's own scalar: it holds where k mod L is a multiple of 8."""
    seed = hashlib.sha512(signed.key_of("an").private_bytes_raw()).digest()
    scalar = int.from_bytes(seed[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    nonce = hashlib.sha512(seed[32:] + message).digest()
    r = int.from_bytes(nonce, "little") % ORDER
    k = int.from_bytes(hashlib.sha512(commitment + key + message).digest(), "little")
    return ((r + k % ORDER * scalar) % ORDER).to_bytes(32, "little")


def test_folders_without_a_file(both: Verifiers, bundle: Path) -> None:
    """Gap 6: each is told, links are no files, and only `certifications` itself is spared."""
    (bundle / "x/y").mkdir(parents=True)
    (bundle / "certifications/z").mkdir(parents=True)
    (bundle / "Certifications").mkdir()
    (bundle / "l").mkdir()
    (bundle / "l/link").symlink_to(bundle / "SPEC.md")
    assert found(both, bundle, root_of(bundle)) == [
        ("odd-file", "l/link", 0),
        *(("unlisted", path, 0)
          for path in ["Certifications/", "certifications/z/", "l/", "x/", "x/y/"]),
    ]  # fmt: skip


def test_names_that_are_not_utf_8(both: Verifiers, bundle: Path, tmp_path: Path) -> None:
    """Gap 7."""
    os.mkdir(os.fsencode(bundle) + b"/t\xe2y\\\x1b")
    Path(os.fsdecode(os.fsencode(bundle) + b"/t\xe2y\\\x1b/inside")).write_bytes(b"")
    Path(os.fsdecode(os.fsencode(bundle) + b"/data/\xff")).write_bytes(b"")
    assert found(both, bundle, root_of(bundle)) == [
        ("odd-file", "data/\\xff", 0), ("odd-file", "t\\xe2y\\\\x1b", 0)
    ]  # fmt: skip
    shutil.rmtree(bundle)
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")
    assert ("not-a-folder", "\\xff/", 0) in found(both, tmp_path)


def test_paths_are_relative_to_the_folder_that_was_given(both: Verifiers, tmp_path: Path) -> None:
    """Gap 8."""
    assert found(both, tmp_path / "nothing") == [("not-a-folder", "", 0)]
    (tmp_path / "r").mkdir()
    (tmp_path / "r/note.txt").write_bytes(b"")
    assert ("not-a-folder", "note.txt/", 0) in found(both, tmp_path / "r")


def resealed(bundle: Path, change: Callable[[Manifest], object]) -> str:
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    change(manifest)
    (bundle / "manifest.json").write_bytes(bundles.canonical(manifest))
    return root_of(bundle)


@pytest.mark.parametrize(("number", "rows"), [(0, 0), (3, None), (3, True), (3, -1)])
def test_rows_fit_the_path(both: Verifiers, bundle: Path, number: int, rows: object) -> None:
    """Gap 9: of SPEC.md none, of a CSV a number; anything else is an entry of wrong form."""
    root = resealed(bundle, lambda manifest: manifest["files"][number].update(rows=rows))
    assert codes(both.ask(bundle, root)) == {"file-list"}


@pytest.mark.parametrize("files", [None, 7, ["SPEC.md"], [{"path": "data/changes.csv"}, 7]])
def test_a_correction_without_a_list(both: Verifiers, tmp_path: Path, files: object) -> None:
    """Gap 10."""
    root = bundles.make(tmp_path / "b", **C1)
    root = resealed(tmp_path / "b", lambda manifest: manifest.update(files=files))
    assert codes(both.ask(tmp_path / "b", root)) == {"file-list"}
    root = resealed(tmp_path / "b", lambda manifest: manifest.update(files=[{}]))
    assert codes(both.ask(tmp_path / "b", root)) == {"file-list", "correction", "incomplete"}


def test_a_release_that_lost_its_manifest(both: Verifiers, bundle: Path) -> None:
    """Gap 11: SPEC.md tells a release from the releases folder."""
    (bundle / "manifest.json").unlink()
    assert codes(both.ask(bundle)) == {"manifest-missing"}
    (bundle / "SPEC.md").unlink()
    assert "chain-start" in codes(both.ask(bundle))


NEVER = [
    "2021-13-45T99:99:99.999999Z",
    "2021-02-29T00:00:00.000000Z",
    "0000-01-01T00:00:00.000000Z",
    "2021-12-31T24:00:00.000000Z",
    "2021-12-31T10:60:00.000000Z",
    "2021-12-31T10:00:60.000000Z",
    "2100-02-29T00:00:00.000000Z",
    "2021-00-01T00:00:00.000000Z",
    "2021-04-31T00:00:00.000000Z",
    "2021-12-31T10:00:00.000000Z\n",
]


@pytest.mark.parametrize("instant", NEVER)
def test_instants_and_dates_exist(both: Verifiers, tmp_path: Path, instant: str) -> None:
    """Gap 12."""
    for changes in (
        {"cutoff_at": instant}, {"as_known_at": instant}, {"business_date": instant[:10] + "Z"},
        {"business_date": None}, {"business_date": "2021-02-30"},
    ):  # fmt: skip
        root = made(tmp_path / "b", **changes)
        assert codes(both.ask(tmp_path / "b", root)) == {"instants"}, changes
    root = signed.make(tmp_path / "c")
    signed.certify(tmp_path / "c", signed.certification(root, "an", certified_at=instant))
    assert codes(both.ask(tmp_path / "c", root)) == {"certification"}


def test_leap_days_exist(both: Verifiers, tmp_path: Path) -> None:
    at = {"cutoff_at": "2000-02-29T23:59:59.999999Z", "as_known_at": "2400-02-29T00:00:00.000000Z"}
    root = made(tmp_path / "b", **at, business_date="2024-02-29")
    assert both.ask(tmp_path / "b", root)["status"] == "verified"


H = "0" * 64
MISFORMED = [("inputs", None), ("inputs", {}), ("final_extract", "x"), ("configuration", None),
             ("configuration", [{"path": "x"}]), ("rules", [7]),
             ("rules", [{"path": 7, "sha256": H}]), ("code", {}), ("code", []),
             ("code", {"version": "1", "sha256": "x"}),
             ("lock_sha256", None), ("lock_sha256", H.upper() + "A")]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), MISFORMED)
def test_what_may_be_absent_has_its_form_where_it_stands(
    both: Verifiers, tmp_path: Path, key: str, value: object
) -> None:
    """Gap 13."""
    root = made(tmp_path / "b", **{key: value})
    assert codes(both.ask(tmp_path / "b", root)) == {"manifest-field"}


def _updated(change: Manifest, manifest: Manifest) -> None:
    manifest.update(change)


def test_the_configuration_is_that_of_the_listed_files(both: Verifiers, bundle: Path) -> None:
    """Gap 13."""
    periods = bundles.sha256(bundles.FILES["config/periods.yml"])
    sound = [{"path": "config/periods.yml", "sha256": periods}]
    for said, wanted in [
        (sound, set()),
        ([], {"configuration"}),
        ([*sound, *sound], {"configuration"}),
        ([sound[0] | {"sha256": H}], {"configuration"}),
        ([sound[0] | {"path": "config/x.yml"}], {"configuration"}),
        ([sound[0] | {"more": 7}], set()),
    ]:  # fmt: skip
        change = {"configuration": said}
        root = resealed(bundle, partial(_updated, change))
        assert codes(both.ask(bundle, root)) == wanted, said


def test_spellings_of_json(both: Verifiers, bundle: Path) -> None:
    """Gaps 14 and 15: a byte order mark is not JSON; -0 says 0, in another spelling."""
    path = bundle / "manifest.json"
    raw = path.read_bytes()
    for spelled, wanted in [
        (b"\xef\xbb\xbf" + raw, "manifest-unreadable"),
        (raw.replace(b'"inputs":[]', b'"inputs":[-0]'), "manifest-not-canonical"),
        (raw.replace(b'"inputs":[]', b'"inputs":[-0.0]'), "manifest-unreadable"),
        (raw.replace(b'"inputs":[]', b'"inputs":[00]'), "manifest-unreadable"),
    ]:
        path.write_bytes(spelled)
        assert codes(both.ask(bundle, root_of(bundle))) == {wanted}


def test_rehearsals_and_copies_in_a_chain(both: Verifiers, tmp_path: Path) -> None:
    """Gap 16: a rehearsal counts as one without predecessor; a copy stands for its release."""
    root = signed.make(tmp_path / bundles.PERIOD)
    shutil.copytree(tmp_path / bundles.PERIOD, tmp_path / "z")
    signed.certify(tmp_path / bundles.PERIOD, signed.certification(root, "an"))
    signed.certify(tmp_path / "z", signed.certification(root, "binh"))
    answer = both.ask(tmp_path, root)
    assert answer["findings"] == [("folder-name", "z", 0)]
    assert answer["certified_by"] == ["binh"]
    shutil.rmtree(tmp_path / "z")
    rehearsal = f"rehearsal-{bundles.PERIOD}-1"
    bundles.make(tmp_path / rehearsal, kind="rehearsal", release_id=rehearsal)
    assert found(both, tmp_path, root) == [
        ("chain-fork", f"{rehearsal}, {bundles.PERIOD}", 0), ("chain-rehearsal", rehearsal, 0)
    ]  # fmt: skip


def test_previous_root_must_be_there(both: Verifiers, bundle: Path) -> None:
    """Gap 17; `corrects` and `correction` may be absent."""
    root = resealed(bundle, lambda manifest: manifest.pop("corrects"))
    assert both.ask(bundle, root)["status"] == "verified"
    root = resealed(bundle, lambda manifest: manifest.pop("previous_root"))
    assert codes(both.ask(bundle, root)) == {"manifest-field"}


PATHS = ["a.", "data/a./x", "CON", "con.txt", "data/NUL.csv", "x/Lpt9.a.b", "COM0", "MANIFEST.JSON",
         "Signature.pdf", "Certifications/x", "certifications/x.txt", "x" * 101, "x/" * 16 + "x",
         "/".join(["x" * 90] * 3), "tây", "x\n", " x", "-x", "a:b"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_another_system_reads_otherwise(
    both: Verifiers, tmp_path: Path, path: str
) -> None:
    """Gap 19."""
    entry = bundles.entry(path, b"")
    manifest = bundles.manifest_of(bundles.all_files())
    manifest["files"] = sorted([*manifest["files"], entry], key=lambda each: str(each["path"]))
    root = bundles.write(tmp_path / "b", bundles.all_files(), manifest)
    assert codes(both.ask(tmp_path / "b", root)) == {"path"}


TWO_WAYS = ["DATA/x.csv", "data/Attainment.csv", "Config/a/b", "config/Periods.yml"]


@pytest.mark.parametrize("path", TWO_WAYS)
def test_paths_and_folders_are_spelled_one_way(both: Verifiers, tmp_path: Path, path: str) -> None:
    """Gap 19."""
    files = dict(sorted((bundles.all_files() | {path: b""}).items()))
    root = bundles.write(tmp_path / "b", files, bundles.manifest_of(files))
    assert codes(both.ask(tmp_path / "b", root)) == {"file-list"}


@pytest.mark.parametrize("path", ["x" * 100, "/".join("x" * 16), "console", "a.con", "nul-1"])
def test_paths_at_their_limits(both: Verifiers, tmp_path: Path, path: str) -> None:
    files = dict(sorted((bundles.all_files() | {path: b""}).items()))
    root = bundles.write(tmp_path / "b", files, bundles.manifest_of(files))
    assert both.ask(tmp_path / "b", root)["status"] == "verified"


@pytest.mark.parametrize("end", ["", "/", "//", "/.", "/./", "/.//."])
def test_a_link_is_no_folder_however_it_is_spelled(both: Verifiers, bundle: Path, end: str) -> None:
    """Gap 20: of a release and of the releases folder."""
    root = root_of(bundle)
    (bundle.parent / "link").symlink_to(bundle)
    assert _spelled(both, f"{bundle.parent}/link{end}", root) == ["not-a-folder"]
    assert _spelled(both, f"{bundle}{end}", root) == []
    assert _spelled(both, f"{bundle.parent}/link/../b{end}", root) == []
    (bundle.parent / "r").mkdir()
    bundle.rename(bundle.parent / "r" / bundles.PERIOD)
    (bundle.parent / "link").unlink()
    (bundle.parent / "link").symlink_to(bundle.parent / "r")
    assert _spelled(both, f"{bundle.parent}/link{end}", root) == ["not-a-folder"]


def _spelled(both: Verifiers, path: str, root: str) -> list[str]:
    one = [each.code for each in verify.verify(path, root).findings]
    assert one == [each["code"] for each in both.other(path, root)["findings"]]
    assert one == [each[0] for each in third.ask(path, root)["findings"]]
    return one


@pytest.mark.parametrize("content", [b"", b"x", b"longer\n" * 99])
def test_of_another_size_nothing_more_is_judged(
    both: Verifiers, bundle: Path, content: bytes
) -> None:
    """Gap 21."""
    (bundle / "verify.py").write_bytes(content)
    assert found(both, bundle, root_of(bundle)) == [("bytes", "verify.py", 0)]


def test_every_data_file_has_its_key_in_the_specification() -> None:
    """Gap 22."""
    text = SCRIPT.with_name("SPEC.md").read_text("utf-8")
    for spec in (*TABLES, *CORRECTION):
        line = next(each for each in text.split("\n") if each.startswith(f"| `{spec.path}`"))
        assert line.split("|")[2].strip() == ", ".join(spec.key)


def test_a_row_index_is_help_and_no_proof(both: Verifiers, tmp_path: Path) -> None:
    """Gap 23: it may be absent, and that of sound data is not compared."""
    files = bundles.all_files()
    files["rows/attainment.txt"] = b"0000000000000000\n"
    del files["rows/arrears_ratio.txt"]
    root = bundles.write(tmp_path / "b", files, bundles.manifest_of(files))
    assert both.ask(tmp_path / "b", root)["status"] == "verified"
    (tmp_path / "b/data/attainment.csv").write_bytes(b"x")
    assert ("row", "data/attainment.csv", 1) in found(both, tmp_path / "b", root)
