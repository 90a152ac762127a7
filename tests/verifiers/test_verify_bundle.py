"""Every check of the verifier on one bundle: each test breaks one thing and names one finding.

Where a check can only be seen when the forger also recomputes the manifest, the test does that.
"""

import io
import json
import os
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chotso.verifier import verify
from chotso.verifier.verify import MerkleTree, Result, verify_bundle
from tests.worlds import bundles

Manifest = dict[str, Any]


def codes(result: Result) -> set[str]:
    return {finding.code for finding in result.findings}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "bundle")
    return tmp_path / "bundle"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


def reseal(bundle: Path, change: Callable[[Manifest], None]) -> None:
    """What a forger does who can recompute the manifest."""
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    change(manifest)
    (bundle / "manifest.json").write_bytes(bundles.canonical(manifest))


def test_a_sound_bundle_is_verified_against_its_anchor(bundle: Path) -> None:
    result = verify_bundle(bundle, root_of(bundle))
    assert (result.status, result.findings, result.notes) == ("verified", [], [])
    assert (result.release_id, result.root) == (bundles.PERIOD, root_of(bundle))
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    assert result.data_root == manifest["data_root"]


def test_without_an_anchor_nothing_is_proven(bundle: Path) -> None:
    result = verify_bundle(bundle)
    assert (result.status, result.findings) == ("unanchored", [])


def test_another_anchor_fails(bundle: Path) -> None:
    assert codes(verify_bundle(bundle, "0" * 64)) == {"anchor"}


def test_an_edit_with_a_recomputed_manifest_passes_only_without_the_anchor(bundle: Path) -> None:
    anchor = root_of(bundle)
    files = bundles.all_files() | {"data/attainment.csv": b"agency_code,agency_name\n072,Long An\n"}
    manifest = bundles.manifest_of(files)
    next(e for e in manifest["files"] if e["path"] == "data/attainment.csv")["rows"] = 1
    bundles.write(bundle, files, manifest)
    assert verify_bundle(bundle).status == "unanchored"
    assert codes(verify_bundle(bundle, anchor)) == {"anchor"}


def test_the_predecessor_is_named_as_not_present(tmp_path: Path) -> None:
    root = bundles.make(tmp_path / "b", previous_root="ab" * 32)
    result = verify_bundle(tmp_path / "b", root)
    assert result.status == "verified"
    assert result.notes == [f"the preceding release {'ab' * 32} is not present"]


# --- the folder


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert codes(verify_bundle(tmp_path / "nothing")) == {"not-a-folder"}
    assert codes(verify_bundle(tmp_path / "file")) == {"not-a-folder"}


def test_a_link_to_a_bundle_is_no_bundle(bundle: Path) -> None:
    (bundle.parent / "link").symlink_to(bundle)
    assert codes(verify_bundle(bundle.parent / "link", root_of(bundle))) == {"not-a-folder"}


def test_no_manifest(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    assert codes(verify_bundle(bundle)) == {"manifest-missing"}


def test_a_file_that_cannot_be_read_is_a_finding(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied", "data/attainment.csv")

    monkeypatch.setattr(verify, "describe", refuse)
    assert codes(verify.verify(bundle, root_of(bundle))) == {"unreadable"}


@pytest.mark.parametrize("name", ["more.txt", "data/more.csv", ".hidden", "signature.PDF",
                                  "certifications/a.txt", "certifications/a/b.json",
                                  "certifications.json"])  # fmt: skip
def test_a_file_that_is_not_listed(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_bytes(b"")
    result = verify_bundle(bundle, root_of(bundle))
    assert {(each.code, each.path) for each in result.findings} == {("unlisted", name)}


def test_an_empty_folder_that_nothing_is_listed_in(bundle: Path) -> None:
    (bundle / "extra").mkdir()
    result = verify_bundle(bundle, root_of(bundle))
    assert [(each.code, each.path) for each in result.findings] == [("unlisted", "extra/")]


def test_a_signed_page_and_a_place_for_certifications_may_stand_beside(bundle: Path) -> None:
    (bundle / "certifications").mkdir()
    assert verify_bundle(bundle, root_of(bundle)).status == "verified"
    (bundle / "signature.pdf").write_bytes(b"%PDF")
    result = verify_bundle(bundle, root_of(bundle))
    assert (result.status, result.notes) == ("verified", [])


def link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def link_to_folder(path: Path) -> None:
    path.symlink_to("/etc")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def door(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


@pytest.mark.parametrize("plant", [link, link_to_folder, pipe, door])
@pytest.mark.parametrize("name", ["signature.pdf", "certifications", "more"])
def test_links_and_devices_are_refused(
    bundle: Path, plant: Callable[[Path], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle)
    plant(bundle / name)
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"odd-file"}


def test_a_listed_file_may_not_be_a_link_to_the_same_bytes(bundle: Path) -> None:
    moved = bundle.parent / "moved.csv"
    (bundle / "data/attainment.csv").rename(moved)
    (bundle / "data/attainment.csv").symlink_to(moved)
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"odd-file", "missing"}


def test_a_listed_folder_may_not_be_a_link(bundle: Path) -> None:
    (bundle / "data").rename(bundle.parent / "data")
    (bundle / "data").symlink_to(bundle.parent / "data")
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"odd-file", "missing"}


# --- the files


def test_a_listed_file_that_is_not_there(bundle: Path) -> None:
    (bundle / "SPEC.md").unlink()
    result = verify_bundle(bundle, root_of(bundle))
    assert [(each.code, each.path) for each in result.findings] == [("missing", "SPEC.md")]


@pytest.mark.parametrize("path", sorted(bundles.all_files()))
def test_a_flipped_bit_in_any_file_is_found_and_the_file_named(bundle: Path, path: str) -> None:
    content = bytearray((bundle / path).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / path).write_bytes(content)
    result = verify_bundle(bundle, root_of(bundle))
    assert {each.path for each in result.findings} == {path}
    assert {"sha256", "merkle-root"} <= codes(result)


@pytest.mark.parametrize(
    ("key", "value"),
    [("bytes", 1), ("rows", 4), ("sha256", "0" * 64), ("merkle_root", "0" * 64)],
)
def test_each_number_of_an_entry_is_compared(bundle: Path, key: str, value: object) -> None:
    def change(manifest: Manifest) -> None:
        next(e for e in manifest["files"] if e["path"] == "data/attainment.csv")[key] = value
        manifest["data_root"] = bundles.data_root(manifest["files"])

    reseal(bundle, change)
    result = verify_bundle(bundle, root_of(bundle))
    found = [(each.code, each.path) for each in result.findings]
    assert found == [(key.replace("_", "-"), "data/attainment.csv")]


def test_a_row_with_a_line_break_between_quotes_is_one_row(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    rows = {each["path"]: each["rows"] for each in manifest["files"]}
    assert rows["data/attainment.csv"] == 3
    assert (bundle / "data/attainment.csv").read_bytes().count(b"\n") == 5
    assert rows["SPEC.md"] is None


@pytest.mark.parametrize(
    ("edit", "row"),
    [
        (lambda text: text.replace(b"072,T", b"072,X"), 2),
        (lambda text: text.replace(b"agency_code", b"agency_id"), 1),
        (lambda text: text + b"07202,x\n", 6),
        (lambda text: b"".join(text.splitlines(keepends=True)[:-1]), 5),
        (lambda text: text.replace(b"07200,\\N\n", b""), 3),
        (lambda text: text[:-1], 5),
    ],
)
def test_the_first_row_that_differs_is_named(
    bundle: Path, edit: Callable[[bytes], bytes], row: int
) -> None:
    path = bundle / "data/attainment.csv"
    path.write_bytes(edit(path.read_bytes()))
    result = verify_bundle(bundle, root_of(bundle))
    assert [each.row for each in result.findings if each.code == "row"] == [row]
    assert {each.path for each in result.findings} == {"data/attainment.csv"}


def test_an_edited_row_index_is_told_from_edited_data(bundle: Path) -> None:
    path = bundle / "rows/attainment.txt"
    path.write_bytes(path.read_bytes()[:17] + b"0" * 16 + path.read_bytes()[33:])
    result = verify_bundle(bundle, root_of(bundle))
    assert [(each.path, each.row) for each in result.findings if each.code == "row"] == [
        ("rows/attainment.txt", 2)
    ]


def test_no_row_is_named_when_both_witnesses_are_edited(bundle: Path) -> None:
    for name in ("data/attainment.csv", "rows/attainment.txt"):
        (bundle / name).write_bytes(b"x\n" + (bundle / name).read_bytes())
    result = verify_bundle(bundle, root_of(bundle))
    assert "row" not in codes(result)
    assert {each.path for each in result.findings} == {"data/attainment.csv", "rows/attainment.txt"}


def test_the_data_root_is_that_of_the_listed_files(bundle: Path) -> None:
    reseal(bundle, lambda manifest: manifest.update(data_root="0" * 64))
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"data-root"}


# --- the manifest


def respell(bundle: Path, text: bytes) -> Result:
    (bundle / "manifest.json").write_bytes(text)
    return verify_bundle(bundle, root_of(bundle))


@pytest.mark.parametrize(
    "respelling",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\n",
        lambda raw: b" " + raw,
        lambda raw: raw.replace(b'","', b'", "'),
        lambda raw: json.dumps(json.loads(raw), indent=1).encode() + b"\n",
        lambda raw: raw.replace(b"chotso-bundle", b"\\u0063hotso-bundle"),
        lambda raw: b'{"kind":"original",' + raw.replace(b'"kind":"original",', b"")[1:],
        lambda raw: raw.replace(b'"inputs":[]', '"inputs":["\u0065\u0302"]'.encode()),
    ],
)
def test_another_spelling_of_the_same_manifest(
    bundle: Path, respelling: Callable[[bytes], bytes]
) -> None:
    result = respell(bundle, respelling((bundle / "manifest.json").read_bytes()))
    assert codes(result) == {"manifest-not-canonical"}


def test_a_composed_letter_is_canonical(bundle: Path) -> None:
    raw = (bundle / "manifest.json").read_bytes()
    letter = unicodedata.normalize("NFC", "e\u0302")
    result = respell(bundle, raw.replace(b'"inputs":[]', f'"inputs":["{letter}"]'.encode()))
    assert result.status == "verified"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff{}\n",
        b"[" * 100_000,
        b'{"a":1.5}\n',
        b'{"a":' + b"[" * 64 + b"]" * 64 + b"}\n",
        b'{"a":NaN}\n',
        b'{"a":1e400}\n',
        b'{"a":9007199254740992}\n',
        b'{"a":"\\ud800"}\n',
        b'{"a":' + b"1" * 5000 + b"}\n",
    ],
)
def test_what_is_no_canonical_json_at_all(bundle: Path, text: bytes) -> None:
    assert codes(respell(bundle, text)) == {"manifest-unreadable"}


def test_a_key_that_stands_twice(bundle: Path) -> None:
    raw = (bundle / "manifest.json").read_bytes()
    result = respell(bundle, raw.replace(b'"kind":', b'"kind":"rehearsal","kind":'))
    assert codes(result) == {"manifest-unreadable"}
    assert "duplicate key 'kind'" in result.findings[0].message


@pytest.mark.parametrize("text", [b"[]\n", b"null\n", b'{"format":"chotso-bundle/2"}\n', b"{}\n"])
def test_another_format(bundle: Path, text: bytes) -> None:
    assert codes(respell(bundle, text)) == {"format"}


@pytest.mark.parametrize(
    "changes",
    [
        {"release_id": "sprint-2021-q3"},
        {"release_id": "sprint-2021-q4-c1"},
        {"release_id": None},
        {"period_id": 7},
        {"kind": "draft"},
        {"kind": None},
        {"corrects": "sprint-2021-q4"},
        {"corrects": 7},
        {"kind": "corrigendum", "release_id": "sprint-2021-q4-c1"},
        {"kind": "corrigendum", "release_id": "sprint-2021-q4-c0", "corrects": "sprint-2021-q4"},
        {"kind": "corrigendum", "release_id": "sprint-2021-q4-c01", "corrects": "sprint-2021-q4"},
        {"kind": "corrigendum", "release_id": "sprint-2021-q4", "corrects": "sprint-2021-q4"},
        {"kind": "rehearsal"},
        {"kind": "rehearsal", "release_id": "rehearsal-sprint-2021-q4-1",
         "previous_root": "a" * 64},
        {"release_id": "a-c1", "period_id": "a-c1"},
        {"release_id": "rehearsal-a", "period_id": "rehearsal-a"},
        {"release_id": "rehearsal", "period_id": "rehearsal"},
        {"release_id": "A", "period_id": "A"},
        {"release_id": "../a", "period_id": "../a"},
    ],
)  # fmt: skip
def test_release_period_and_kind_must_fit(bundle: Path, changes: Manifest) -> None:
    reseal(bundle, lambda manifest: manifest.update(changes))
    also = {"correction"} if changes.get("kind") == "corrigendum" else set()
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"identity"} | also


C12: Manifest = {
    "kind": "corrigendum", "release_id": "sprint-2021-q4-c12", "corrects": "sprint-2021-q4"
}  # fmt: skip


@pytest.mark.parametrize(
    "correction",
    [
        None,
        {},
        [],
        "ghi muộn",
        bundles.correction(more=""),
        bundles.correction(reason="  "),
        bundles.correction(author=""),
        bundles.correction(author=None),
        bundles.correction(reason=7),
        bundles.correction() | {"corrected_root": None},
        bundles.correction("AB" * 32),
        {"reason": "ghi muộn", "author": "Kế toán"},
    ],
)
def test_a_corrigendum_says_why_by_whom_and_of_which_root(
    tmp_path: Path, correction: object
) -> None:
    root = bundles.make(tmp_path / "b", **C12, correction=correction)
    assert codes(verify_bundle(tmp_path / "b", root)) == {"correction"}


@pytest.mark.parametrize("left_out", ["data/changes.csv", "data/late_changes.csv"])
def test_a_corrigendum_lists_what_it_changes_and_what_came_late(
    tmp_path: Path, left_out: str
) -> None:
    bundles.make(tmp_path / "b", **C12)
    (tmp_path / "b" / left_out).unlink()

    def unlist(manifest: Manifest) -> None:
        manifest["files"] = [each for each in manifest["files"] if each["path"] != left_out]
        manifest["data_root"] = bundles.data_root(manifest["files"])

    reseal(tmp_path / "b", unlist)
    assert codes(verify_bundle(tmp_path / "b", root_of(tmp_path / "b"))) == {"correction"}


def test_nothing_else_has_a_correction(bundle: Path) -> None:
    reseal(bundle, lambda manifest: manifest.update(correction=bundles.correction()))
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"correction"}


def test_a_corrigendum_verifies_too(tmp_path: Path) -> None:
    assert verify_bundle(tmp_path / "b", bundles.make(tmp_path / "b", **C12)).status == "verified"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "rehearsal", "release_id": "rehearsal-sprint-2021-q4-3",
         "as_known_at": "2021-12-01T00:00:00.000000Z"},
        {"as_known_at": "2021-12-31T10:00:00.000000Z"},
    ],
)  # fmt: skip
def test_other_kinds_verify_too(bundle: Path, changes: Manifest) -> None:
    reseal(bundle, lambda manifest: manifest.update(changes))
    assert verify_bundle(bundle, root_of(bundle)).status == "verified"


@pytest.mark.parametrize(
    "changes",
    [
        {"cutoff_at": "2021-12-31T17:00:00+07:00"},
        {"cutoff_at": None},
        {"as_known_at": "2021-12-31T10:00:03Z"},
        {"cutoff_at": "٢٠٢١-12-31T10:00:00.000000Z"},
        {"as_known_at": "2021-12-31T09:59:59.999999Z"},
    ],
)
def test_instants_are_plain_and_knowledge_is_not_older_than_the_cutoff(
    bundle: Path, changes: Manifest
) -> None:
    reseal(bundle, lambda manifest: manifest.update(changes))
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"instants"}


@pytest.mark.parametrize(
    "changes",
    [
        {"data_root": None},
        {"data_root": "A" * 64},
        {"data_root": "a" * 63},
        {"previous_root": ""},
        {"previous_root": "a" * 65},
        {"previous_root": 0},
    ],
)
def test_roots_are_64_hex_digits(bundle: Path, changes: Manifest) -> None:
    reseal(bundle, lambda manifest: manifest.update(changes))
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"manifest-field"}


@pytest.mark.parametrize("key", ["data_root", "previous_root"])
def test_no_root_may_be_left_out(bundle: Path, key: str) -> None:
    reseal(bundle, lambda manifest: manifest.pop(key))
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"manifest-field"}


def change_first(**changes: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["files"][0].update(changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(files={}),
        lambda manifest: manifest.update(files=["SPEC.md"]),
        lambda manifest: manifest.pop("files"),
        lambda manifest: manifest["files"][0].pop("rows"),
        change_first(mode="755"),
        lambda manifest: manifest["files"].append(manifest["files"][-1] | {"path": None}),
        change_first(bytes=-1),
        change_first(bytes=True),
        change_first(bytes="7"),
        change_first(rows=-1),
        change_first(sha256="A" * 64),
        change_first(merkle_root=None),
        lambda manifest: manifest["files"].reverse(),
        lambda manifest: manifest["files"].insert(0, manifest["files"][0]),
    ],
)
def test_the_list_of_files_is_whole_and_in_order(
    bundle: Path, change: Callable[[Manifest], None]
) -> None:
    reseal(bundle, change)
    assert codes(verify_bundle(bundle, root_of(bundle))) == {"file-list"}


def test_two_paths_may_not_differ_by_case_alone(bundle: Path) -> None:
    files = dict(sorted((bundles.all_files() | {"spec.md": b"x"}).items()))
    root = bundles.write(bundle, files, bundles.manifest_of(files))
    assert codes(verify_bundle(bundle, root)) == {"file-list"}


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/hostname", "data/../SPEC.md", "data//x", "data\\x", "./x", "data/", "",
     "manifest.json", "signature.pdf", "certifications/a.json", "tệp.csv", "a b", "a\nb", ".hidden",
     "C:x"],
)  # fmt: skip
def test_a_path_that_leaves_the_bundle_or_is_not_plain(bundle: Path, path: str) -> None:
    def add(manifest: Manifest) -> None:
        content = (bundle / "SPEC.md").read_bytes()
        manifest["files"] = sorted(
            [*manifest["files"], bundles.entry(path, content)], key=lambda each: str(each["path"])
        )

    (bundle.parent / "outside").write_bytes((bundle / "SPEC.md").read_bytes())
    reseal(bundle, add)
    result = verify_bundle(bundle, root_of(bundle))
    assert codes(result) == {"path"}


@pytest.mark.parametrize("path", verify.REQUIRED)
def test_a_bundle_without_one_of_its_parts(bundle: Path, path: str) -> None:
    files = bundles.all_files()
    del files[path]
    (bundle / path).unlink()
    root = bundles.write(bundle, files, bundles.manifest_of(files))
    assert codes(verify_bundle(bundle, root)) == {"incomplete"}


# --- the tree


def test_the_tree_hash_is_that_of_rfc_6962() -> None:
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    for size, root in enumerate(roots):
        assert MerkleTree(bytes.fromhex(leaf) for leaf in leaves[:size]).root() == root


def test_the_running_tree_agrees_with_the_recursive_one() -> None:
    for size in range(70):
        leaves = [str(number).encode() for number in range(size)]
        assert MerkleTree(leaves).root() == bundles.tree_hash(leaves).hex()


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = (bytes.fromhex(MerkleTree([leaf]).root()) for leaf in (b"a", b"b"))
    assert MerkleTree([left + right]).root() != MerkleTree([b"a", b"b"]).root()
    assert MerkleTree([b"\1" + left + right]).root() != MerkleTree([b"a", b"b"]).root()


def test_the_example_of_the_specification() -> None:
    content = b"a\nb\nc"
    described = verify.describe("data/x.csv", io.BytesIO(content))
    root = "10e84ca26466f1b205e13dcc4879910807e49eb1df55b8930f9e8b89183f965c"
    assert described == {
        "path": "data/x.csv",
        "bytes": 5,
        "rows": 1,
        "sha256": bundles.sha256(content),
        "merkle_root": root,
    }
    data_root = verify.data_root([described])
    index = list(verify.row_index(io.BytesIO(content)))
    text = (Path(verify.__file__).parent / "SPEC.md").read_text("utf-8")
    assert root in text
    assert data_root in text
    assert index[0].decode().strip() in text
