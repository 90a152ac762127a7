"""Whatever lies in a folder, the verifiers answer: soon, within bounds, and alike."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from chotso.verifier import verify
from tests.proofs import IS_FULL
from tests.verifiers import signed
from tests.verifiers.both import SCRIPT, Verifiers, codes, comparable, node
from tests.worlds import bundles

SECONDS = 20  # on a machine that does much else; what is meant ended after minutes or never


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "b")
    return tmp_path / "b"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < SECONDS


def nested(folder: Path, depth: int) -> None:
    """Folders within one another, deeper than a path may be long."""
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=place)
        inside = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inside
    os.close(place)


def test_folders_within_one_another(both: Verifiers, bundle: Path) -> None:
    nested(bundle, 16)
    assert codes(both.ask(bundle, root_of(bundle))) == {"unlisted"}
    nested(bundle / "data", 1_500)
    try:
        answer = both.ask(bundle, root_of(bundle))
    finally:  # deeper than Python removes
        subprocess.run(["rm", "-r", str(bundle / "data/d")], check=True)
    assert (answer["findings"], answer["root"]) == ([("bounds", "", 0)], None)


def test_many_files(
    both: Verifiers, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound itself, and a listing that is not read to its end."""
    made = len(list(bundle.rglob("*")))
    for number in range(30):
        (bundle / f"more{number}").touch()
    monkeypatch.setattr(verify, "MOST_ENTRIES", made + 30)
    assert len(verify.verify(bundle).findings) == 30
    monkeypatch.setattr(verify, "MOST_ENTRIES", made + 29)
    assert [(each.code, each.path) for each in verify.verify(bundle).findings] == [("bounds", "")]
    monkeypatch.setattr(verify, "MOST_RELEASES", 3)
    for name in "abc":
        assert verify.verify(tmp_path).findings[0].path != ""
        (tmp_path / f".{name}").mkdir()
    assert [(e.code, e.path) for e in verify.verify(tmp_path).findings] == [("bounds", "")]


@pytest.mark.proof
def test_a_hundred_thousand_files(both: Verifiers, tmp_path: Path) -> None:
    """In memory, where there is one; it takes a while to make them."""
    if not IS_FULL:
        pytest.skip("in the proofs")
    memory = Path("/dev/shm")
    folder = (memory if memory.is_dir() else tmp_path) / f"chotso-bounds-{os.getpid()}"
    bundles.make(folder / "b")
    try:
        (folder / "b/x").mkdir()
        for number in range(100_001):
            os.close(os.open(folder / f"b/x/{number}", os.O_CREAT))
        assert both.ask(folder / "b")["findings"] == [("bounds", "", 0)]
    finally:
        subprocess.run(["rm", "-r", str(folder)], check=True)


def spelled(bundle: Path, inputs: bytes) -> str:
    path = bundle / "manifest.json"
    bundles.make(bundle)
    path.write_bytes(path.read_bytes().replace(b'"inputs":[]', b'"inputs":' + inputs))
    return root_of(bundle)


def keys(count: int) -> bytes:
    return b"{" + b",".join(b'"%d":1' % number for number in range(count)) + b',"0":1}'


HARD: dict[str, Callable[[], bytes]] = {
    "a key that stands twice among many": lambda: keys(60_000),
    "arrays within one another": lambda: b"[" * 100_000 + b"]" * 100_000,
    "objects within one another": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "arrays that do not end": lambda: b"[" * 5_000_000,
    "a number of many digits": lambda: b"9" * 10_000_000,
    "a long string": lambda: b'"' + b"a" * 30_000_000 + b'"',
    "a long string of escapes": lambda: b'"' + b"\\u0061" * 100_000 + b'"',
    "a string that does not end": lambda: b'"' + b"\\" * 1_000_001 + b'"',
    "a long key": lambda: b'{"' + b"a" * 65_537 + b'":1}',
}


@pytest.mark.parametrize("kind", HARD)
def test_hard_json_is_unreadable(both: Verifiers, bundle: Path, kind: str) -> None:
    root = spelled(bundle, HARD[kind]())
    assert codes(both.ask(bundle, root)) == {"manifest-unreadable"}


def test_marks_out_of_order(both: Verifiers, bundle: Path) -> None:
    """Sorting them takes the square of their number, where each string is put in order."""
    marks = ("\u0301\u0316" * 16_000).encode()
    root = spelled(bundle, b"[" + b",".join([b'"' + marks + b'"'] * 60) + b"]")
    assert codes(both.ask(bundle, root)) == {"manifest-not-canonical"}


@pytest.mark.parametrize("path", ["/" * 65_000, "a/" * 32_000, "a." * 32_000, "con." * 16_000])
def test_long_paths(both: Verifiers, bundle: Path, path: str) -> None:
    entries = [bundles.entry(path + str(number), b"") for number in range(40)]
    manifest = bundles.manifest_of(bundles.all_files())
    manifest["files"] = sorted([*manifest["files"], *entries], key=lambda each: str(each["path"]))
    root = bundles.write(bundle, {}, manifest)
    assert codes(both.ask(bundle, root)) == {"path"}


def test_strings_numbers_and_identities_at_their_limits(both: Verifiers, bundle: Path) -> None:
    for value, size in (("a", 65_536), ("ê", 32_768), ("😀", 16_384)):
        root = spelled(bundle, f'["{value * size}"]'.encode())
        assert both.ask(bundle, root)["status"] == "verified"
        root = spelled(bundle, f'["{value * (size + 1)}"]'.encode())
        assert codes(both.ask(bundle, root)) == {"manifest-unreadable"}
    for size, wanted in ((100, set()), (101, {"identity"})):
        root = bundles.make(bundle, release_id="a" * size, period_id="a" * size)
        assert codes(both.ask(bundle, root)) == wanted


def test_a_manifest_that_is_too_large(both: Verifiers, bundle: Path) -> None:
    path = bundle / "manifest.json"
    with path.open("ab") as stream:
        stream.truncate(1 << 25)
    assert codes(both.ask(bundle, "0" * 64)) == {"manifest-unreadable", "anchor"}
    with path.open("ab") as stream:
        stream.truncate((1 << 25) + 1)
    answer = both.ask(bundle, "0" * 64)
    assert (answer["findings"], answer["root"]) == ([("bounds", "manifest.json", 0)], None)


def test_many_signers(both: Verifiers, tmp_path: Path) -> None:
    for count, wanted in ((256, set()), (257, {"signers"})):
        signers = [signed.person(f"s{number}") for number in range(count)]
        root = signed.make(tmp_path / str(count), signers=signers)
        assert codes(both.ask(tmp_path / str(count), root)) == wanted


def in_both(both: Verifiers, folder: Path, anchor: str) -> dict[str, object]:
    """Without the third reader, which takes files whole."""
    one = comparable(verify.verify(folder, anchor).as_json())
    assert one == comparable(both.other(folder, anchor))
    return one


@pytest.mark.parametrize("name", ["data/attainment.csv", "rows/attainment.txt", "SPEC.md"])
def test_a_file_without_end(both: Verifiers, bundle: Path, name: str) -> None:
    """A terabyte that takes no room: one of another size than listed is not read."""
    with (bundle / name).open("r+b") as stream:
        stream.truncate(1 << 40)
    found = in_both(both, bundle, root_of(bundle))["findings"]
    row = {"data/attainment.csv": 6, "rows/attainment.txt": 6}.get(name)
    assert found == [("bytes", name, 0), *([("row", name, row)] if row else [])]


def test_certifications_without_end(both: Verifiers, bundle: Path) -> None:
    (bundle / "certifications").mkdir()
    with (bundle / "certifications/an.json").open("wb") as stream:
        stream.truncate(1 << 40)
    found = in_both(both, bundle, root_of(bundle))["findings"]
    assert found == [("certification", "certifications/an.json", 0)]


# Of what it ran, from an interpreter that holds little itself: exit status, findings, KiB.
WATCHED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True)
print(done.stdout.count(b"FINDING"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_a_line_of_a_quarter_gigabyte_takes_no_memory(bundle: Path) -> None:
    """Listed in its size, so that it is read."""
    path = bundle / "SPEC.md"
    with path.open("wb") as stream:
        stream.truncate(1 << 28)
    manifest = bundles.manifest_of(bundles.all_files())
    next(each for each in manifest["files"] if each["path"] == "SPEC.md")["bytes"] = 1 << 28
    (bundle / "manifest.json").write_bytes(bundles.canonical(manifest))
    for program in ([sys.executable, "-I", verify.__file__], [node(), str(SCRIPT)]):
        command = [sys.executable, "-I", "-c", WATCHED, *program, str(bundle)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        findings, kibibytes = done.stdout.split()
        assert findings == "2"
        assert int(kibibytes) < 200 << 10


@pytest.fixture
def open_bundle() -> Iterator[Path]:
    """Where others may look: pytest's own folders are for its user alone."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made) / "b"


def test_what_the_system_does_not_give(open_bundle: Path) -> None:
    """Asked as somebody who may not read it: `unreadable`, of that alone, and the rest goes on."""
    bundle = open_bundle
    root = signed.make(bundle)
    (bundle / "data/x").mkdir()
    (bundle / "certifications").mkdir()
    (bundle / "certifications/an.json").write_bytes(b"{}")
    for path in ("data/attainment.csv", "certifications/an.json", "data/x"):
        (bundle / path).chmod(0)
    (bundle / "SPEC.md").write_bytes(b"# Spek\n")
    wanted = ["FINDING merkle-root: SPEC.md", "FINDING sha256: SPEC.md",
              "FINDING unreadable: certifications/an.json",
              "FINDING unreadable: data/attainment.csv", "FINDING unreadable: data/x/"]  # fmt: skip
    assert asked_as_nobody(bundle, root) == [wanted, wanted]
    (bundle / "manifest.json").chmod(0)
    wanted = ["FINDING unreadable: data/x/", "FINDING unreadable: manifest.json"]
    assert asked_as_nobody(bundle, root) == [wanted, wanted]


def asked_as_nobody(bundle: Path, root: str) -> list[list[str]]:
    told = []
    for program in ([sys.executable, "-I", "-"], [node(), "--input-type=module", "-"]):
        name = "verify.py" if "-I" in program else "verify.mjs"
        source = SCRIPT.with_name(name).read_bytes()
        done = subprocess.run(
            [*program, str(bundle), "--anchor", root], input=source, capture_output=True,
            check=False, cwd="/", user=65534 if os.getuid() == 0 else None,
        )  # fmt: skip
        lines = [line for line in done.stdout.decode().split("\n") if line.startswith("FINDING")]
        told.append(sorted(": ".join(line.split(": ")[:2]) for line in lines))
    return told


def test_a_file_that_becomes_a_pipe_or_grows_while_it_is_read(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = root_of(bundle)
    path = bundle / "data/attainment.csv"
    real = verify.describe

    def grown(name: str, stream: object) -> object:
        path.write_bytes(path.read_bytes() + b"x")
        return real(name, stream)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(verify, "describe", grown)
        assert "bytes" in {each.code for each in verify.verify(bundle, root).findings}
    below = verify._Walk.below

    def then_a_pipe(walk: verify._Walk, folder: Path) -> set[str]:
        found = below(walk, folder)
        path.unlink()
        os.mkfifo(path)
        return found

    monkeypatch.setattr(verify._Walk, "below", then_a_pipe)
    assert ("unreadable", "data/attainment.csv") in {
        (each.code, each.path) for each in verify.verify(bundle, root).findings
    }


NOT_GIVEN = ["manifest.json", "data/attainment.csv", "certifications/an.json", "data/", ""]


@pytest.mark.parametrize("path", NOT_GIVEN)
def test_each_is_told_by_its_path(bundle: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The same without another user: `unreadable`, and what was below is missing."""
    root = signed.make(bundle)
    signed.certify(bundle, signed.certification(root, "an"))
    refused = str(bundle / path)

    def refuse(what: Path | str, *, by: Callable[[Path | str], object]) -> object:
        if str(what) == refused:
            raise PermissionError(13, "Permission denied")
        return by(what)

    monkeypatch.setattr(verify, "_open", partial(refuse, by=verify._open))  # type: ignore[arg-type]
    monkeypatch.setattr(os, "scandir", partial(refuse, by=os.scandir))
    found = {(each.code, each.path) for each in verify.verify(bundle, root).findings}
    assert ("unreadable", path) in found
    assert {code for code, _ in found} <= {"unreadable", "missing", "manifest-missing"}


def test_a_releases_folder_that_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(what: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    found = [(each.code, each.path) for each in verify.verify(tmp_path).findings]
    assert found == [("unreadable", "")]


def test_a_data_file_that_is_gone_when_its_row_is_looked_for(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = root_of(bundle)
    path = bundle / "data/attainment.csv"
    path.write_bytes(b"x" * path.stat().st_size)
    opened = verify._open
    times: list[Path] = []

    def once(what: Path) -> object:
        times.append(what)
        if times.count(path) == 2:
            raise FileNotFoundError(2, "No such file")
        return opened(what)

    monkeypatch.setattr(verify, "_open", once)
    found = {each.code for each in verify.verify(bundle, root).findings}
    assert found == {"sha256", "merkle-root", "rows", "unreadable"}
