"""Whatever is changed under a root is found, by both verifiers; what is not changed is not."""

import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chotso.verifier import verify
from tests.proofs import IS_FULL, record, size
from tests.verifiers import mutations, signed
from tests.verifiers.both import Verifiers, codes
from tests.worlds import bundles

pytestmark = pytest.mark.proof

AGENCIES = ["072", *(f"0720{number}" for number in range(10))]
METRICS = 13


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory, where the machine has one: what is tested is not the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def province(by: random.Random) -> dict[str, bytes]:
    """Files with as many rows as a province's year has: agencies, months, metrics."""
    lines = ["agency_code,agency_name,month,metric_code,actual_to_date"]
    for agency in AGENCIES:
        for month in range(1, 13):
            for metric in range(METRICS):
                name = by.choice(["Tân Biên", "\\N", '"Dương, ""Minh"" Châu"', ""])
                lines.append(f"{agency},{name},2021-{month:02}-01,m{metric},{by.randrange(10**12)}")
    return with_rows(("\n".join(lines) + "\n").encode())


def with_rows(attainment: bytes) -> dict[str, bytes]:
    files = bundles.all_files() | {
        "data/attainment.csv": attainment,
        "rows/attainment.txt": bundles.index_of(attainment),
    }
    return dict(sorted(files.items()))


def seal(folder: Path, files: dict[str, bytes]) -> str:
    signers = [signed.person(signer) for signer in ("an", "binh")]
    manifest = bundles.manifest_of(files, signers=signers)
    entry = next(each for each in manifest["files"] if each["path"] == "data/attainment.csv")
    entry["rows"] = files["data/attainment.csv"].count(b"\n") - 1
    root = bundles.write(folder, files, manifest)
    for signer in ("an", "binh"):
        signed.certify(folder, signed.certification(root, signer))
    return root


def test_every_bit_of_the_smallest_bundle(both: Verifiers, place: Path) -> None:
    root = signed.make(place / "b")
    bits = [
        (path, place_in, bit)
        for path in mutations.files_of(place / "b")
        for place_in in range(path.stat().st_size)
        for bit in range(8)
    ]
    if not IS_FULL:
        bits = random.Random(1).sample(bits, 200)
    for path, place_in, bit in bits:
        raw = path.read_bytes()
        changed = bytearray(raw)
        changed[place_in] ^= 1 << bit
        path.write_bytes(changed)
        assert both.ask(place / "b", root)["status"] == "failed", (path, place_in, bit)
        path.write_bytes(raw)
    assert both.ask(place / "b", root)["status"] == "verified"
    record("every bit of the smallest bundle", bits=len(bits), found=len(bits))


def test_random_mutations(both: Verifiers, place: Path) -> None:
    by = random.Random(20211231)
    root = seal(place / "sound", province(by))
    sound = mutations.contents_of(place / "sound")
    assert both.ask(place / "sound", root)["is_certified"]
    count, kinds = size(200, 20_000), sorted(mutations.MUTATIONS)
    done = 0
    while done < count:
        kind = kinds[done % len(kinds)]
        shutil.copytree(place / "sound", place / "b")
        mutations.MUTATIONS[kind](place / "b", by)
        if mutations.contents_of(place / "b") != sound:
            answer = both.ask(place / "b", root)
            assert answer["status"] == "failed", kind
            done += 1
        shutil.rmtree(place / "b")
    record("random mutations of a bundle", mutations=count, kinds=len(kinds), found=count)


def test_a_verifier_that_trusts_the_manifest_would_miss_most(place: Path) -> None:
    """The naive twin: it compares the listed sizes, as a copy tool would."""
    by = random.Random(7)
    seal(place / "sound", province(by))
    missed = 0
    for _ in range(50):
        shutil.copytree(place / "sound", place / "b")
        mutations.MUTATIONS["another digit"](place / "b", by)
        sizes = {
            each["path"]: each["bytes"]
            for each in json.loads((place / "sound/manifest.json").read_bytes())["files"]
        }
        missed += all((place / "b" / path).stat().st_size == size for path, size in sizes.items())
        shutil.rmtree(place / "b")
    assert missed == 50


def test_clean_bundles_raise_no_alarm(both: Verifiers, place: Path) -> None:
    count = size(10, 100)
    for seed in range(count):
        root = seal(place / f"b{seed}", province(random.Random(seed)))
        answer = both.ask(place / f"b{seed}", root)
        assert (answer["status"], answer["findings"]) == ("verified", [])
        assert answer["is_certified"]
    record("clean bundles", bundles=count, false_alarms=0)


def test_an_edit_with_a_recomputed_manifest(both: Verifiers, place: Path) -> None:
    by = random.Random(4)
    files = with_rows(b"\n".join(province(by)["data/attainment.csv"].split(b"\n")[:40]) + b"\n")
    root = seal(place / "sound", files)
    count = size(60, 2_000)
    for _ in range(count):
        raw = bytearray(files["data/attainment.csv"])
        at = by.choice([n for n, byte in enumerate(raw) if 48 <= byte <= 57])
        raw[at] = 48 + (raw[at] - 48 + by.randrange(1, 10)) % 10
        forged = seal(place / "b", with_rows(bytes(raw)))
        assert forged != root
        shutil.rmtree(place / "b/certifications")
        assert both.ask(place / "b")["status"] == "unanchored"
        assert codes(both.ask(place / "b", root)) == {"anchor"}
        shutil.copytree(place / "sound/certifications", place / "b/certifications")
        assert codes(both.ask(place / "b")) == {"certification"}
        shutil.rmtree(place / "b")
    record("edits with a recomputed manifest", edits=count, found_by_the_anchor=count)


SPELLINGS = [
    b"9007199254740991", b"-9007199254740991", b"9007199254740992", b"-0", b"1e2", b"1.0", b"01",
    b"+1", b"NaN", b"Infinity", b"-Infinity", b"1" * 5000, b"'x'", b"[" * 63 + b"]" * 63,
    b"[" * 64 + b"]" * 64, b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xf0\x9f\x98\x80"',
    b'"\xed\xa0\x80"', b'"\x01"', b'"\\u0001"', b'"\\/"',
    b'{"\xf0\x9f\x98\x80":1,"\xef\xbf\xbd":2}',
    b'{"\xef\xbf\xbd":2,"\xf0\x9f\x98\x80":1}', b'{"\\u0061":1,"a":2}',
    b'{"e\xcc\x82":1,"\xc3\xaa":2}', b'{"__proto__":1}', b"[1,]", b"[,1]", b'{"a":1,}',
    b"\x0b1", b"\xc2\xa01", b"true", b"TRUE",
]  # fmt: skip


def test_what_both_refuse_they_refuse_for_the_same_reason_in_numbers(
    both: Verifiers, place: Path
) -> None:
    """Numbers and nesting at their limits, where languages differ."""
    signed.make(place / "b")
    path = place / "b/manifest.json"
    raw = path.read_bytes()
    for value in SPELLINGS:
        path.write_bytes(raw.replace(b'"inputs":[]', b'"inputs":' + value))
        answer = both.ask(place / "b", bundles.sha256(path.read_bytes()))
        assert verify.verify(place / "b").root == answer["root"]
