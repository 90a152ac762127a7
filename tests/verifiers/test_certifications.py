"""No certification is no failure, a wrong one is; two persons make a release certified."""

import json
from pathlib import Path
from typing import Any

import pytest

from chotso.verifier import verify
from tests.verifiers import signed
from tests.verifiers.both import Verifiers, codes
from tests.worlds import bundles

ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
NO_POINT = [
    "0200000000000000000000000000000000000000000000000000000000000000",  # x would not exist
    "0100000000000000000000000000000000000000000000000000000000000080",  # x = 0 with a sign
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  # the same for y = -1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 1
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y = p + 3, a point's y
    "ff" * 32,
]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    signed.make(tmp_path / "b")
    return tmp_path / "b"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


def test_without_certifications_it_is_verified_and_not_certified(
    both: Verifiers, bundle: Path
) -> None:
    answer = both.ask(bundle, root_of(bundle))
    assert (answer["status"], answer["certified_by"]) == ("verified", [])
    assert not answer["is_certified"]


def test_two_persons_make_it_certified(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    signed.certify(bundle, signed.certification(root, "an"))
    answer = both.ask(bundle, root)
    assert (answer["certified_by"], answer["is_certified"]) == (["an"], False)
    signed.certify(bundle, signed.certification(root, "binh"))
    answer = both.ask(bundle, root)
    assert (answer["certified_by"], answer["is_certified"]) == (["an", "binh"], True)
    assert not both.ask(bundle)["is_certified"]  # nothing is, without an anchor


def test_a_chain_tells_the_certifications_of_its_newest_release(
    both: Verifiers, tmp_path: Path
) -> None:
    first = signed.make(tmp_path / "r" / bundles.PERIOD)
    signed.certify(tmp_path / "r" / bundles.PERIOD, signed.certification(first, "an"))
    newest = signed.make(tmp_path / "r" / "b", release_id="b", period_id="b", previous_root=first)
    assert both.ask(tmp_path / "r", newest)["certified_by"] == []
    said = signed.certification(newest, "binh", release_id="b")
    signed.certify(tmp_path / "r" / "b", said)
    assert both.ask(tmp_path / "r", newest)["certified_by"] == ["binh"]
    signed.certify(tmp_path / "r" / bundles.PERIOD, said)
    assert both.ask(tmp_path / "r", newest)["findings"] == [
        ("certification", f"{bundles.PERIOD}/certifications/binh.json", 0)
    ]


def respelled(content: dict[str, Any]) -> list[bytes]:
    raw = bundles.canonical(content)
    return [
        b"", b"{", b"[]\n", b"null\n", b"\xff", raw[:-1], raw + b"\n", b" " + raw,
        raw.replace(b'":"', b'": "'),
        raw.replace(b'"format":', b'"format":"x","format":'),
        raw + b" " * 70_000,
        b'{"a":' * 100 + b"1" + b"}" * 100 + b"\n",
    ]  # fmt: skip


def test_another_form_of_a_certification(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    sound = signed.certification(root, "an")
    wrong: list[dict[str, Any]] = [
        sound | {"more": "x"},
        {key: value for key, value in sound.items() if key != "certified_at"},
        sound | {"signature": 7},
        sound | {"signature": sound["signature"].upper()},
        sound | {"signature": sound["signature"][:-2]},
        signed.certification(root, "an", format="chotso-certification/2"),
        signed.certification(root, "an", certified_at="2021-12-31T11:00:00Z"),
        signed.certification(root, "an", certified_at=signed.AT + "\n"),
        signed.certification(root, "an", certified_at="٢٠٢١-12-31T11:00:00.000000Z"),
    ]
    for raw in [*respelled(sound), *(bundles.canonical(each) for each in wrong)]:
        signed.certify(bundle, raw, "an.json")
        assert codes(both.ask(bundle, root)) == {"certification"}, raw


def test_a_certification_of_something_else(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    for said in (
        signed.certification(root, "an", release_id="sprint-2021-q4-c1"),
        signed.certification("0" * 64, "an"),
    ):
        signed.certify(bundle, said)
        assert codes(both.ask(bundle, root)) == {"certification"}


def test_a_rehearsal_cannot_be_certified(both: Verifiers, tmp_path: Path) -> None:
    release_id = f"rehearsal-{bundles.PERIOD}-1"
    root = signed.make(tmp_path / "b", kind="rehearsal", release_id=release_id)
    signed.certify(tmp_path / "b", signed.certification(root, "an", release_id=release_id))
    assert codes(both.ask(tmp_path / "b", root)) == {"certification"}


def test_who_is_not_registered_cannot_certify(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    signed.certify(bundle, signed.certification(root, "chi"))
    assert codes(both.ask(bundle, root)) == {"certification"}


def test_one_person_under_two_names_is_one(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    signed.certify(bundle, signed.certification(root, "an"))
    signed.certify(bundle, signed.certification(root, "an"), "binh.json")
    assert codes(both.ask(bundle, root)) == {"certification"}
    signed.certify(bundle, signed.certification(root, "binh", key=signed.key_of("an")))
    assert codes(both.ask(bundle, root)) == {"certification"}


@pytest.mark.lengthy
def test_every_flipped_bit_of_a_certification_is_found(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    path = signed.certify(bundle, signed.certification(root, "an"))
    raw = path.read_bytes()
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        assert both.ask(bundle, root)["certified_by"] == [], place


def signature_cases(root: str) -> list[str]:
    sound = bytes.fromhex(signed.certification(root, "an")["signature"])
    commitment, scalar = sound[:32], int.from_bytes(sound[32:], "little")
    larger = [scalar + ORDER, ORDER, 2**256 - 1]
    return [
        *((commitment + each.to_bytes(32, "little")).hex() for each in larger),
        *(point + sound[32:].hex() for point in [*SMALL, *NO_POINT]),
        *(point + "00" * 32 for point in [*SMALL, *NO_POINT]),
        sound[32:].hex() + sound[:32].hex(),
    ]


def test_signatures_at_the_edges_of_the_curve(both: Verifiers, bundle: Path) -> None:
    root = root_of(bundle)
    for signature in signature_cases(root):
        signed.certify(bundle, signed.certification(root, "an") | {"signature": signature})
        assert codes(both.ask(bundle, root)) == {"certification"}, signature


@pytest.mark.parametrize("key", [*SMALL, *NO_POINT])
def test_a_key_that_anybody_can_sign_for_is_no_signer_s(
    both: Verifiers, tmp_path: Path, key: str
) -> None:
    root = signed.make(tmp_path / "b", signers=[signed.person("an", key)])
    zero = {"signature": "01" + "00" * 63}  # holds under the neutral key where nobody looks
    signed.certify(tmp_path / "b", signed.certification(root, "an") | zero)
    assert codes(both.ask(tmp_path / "b", root)) == {"signers"}


AN, BINH = signed.person("an"), signed.person("binh")
WRONG: list[object] = [
    None, {}, "an", 7, [7], [[]], [{}], [AN | {"more": ""}], [AN | {"name": None}],
    [{key: value for key, value in AN.items() if key != "name"}],
    [AN, AN], [AN, BINH | {"id": "an"}], [AN, BINH | {"public_key": AN["public_key"]}],
    *([AN | {"id": each}] for each in ("", "An", "-an", "a" * 64, "an\n", "ă", "a.n", "../an")),
    *([AN | {"public_key": each}] for each in ("", "AB" * 32, "ab" * 31, "ab" * 33, "an")),
]  # fmt: skip


@pytest.mark.parametrize("signers", WRONG)
def test_signers_of_another_form(both: Verifiers, tmp_path: Path, signers: object) -> None:
    root = signed.make(tmp_path / "b", signers=signers)
    assert both.ask(tmp_path / "b", root)["findings"] == [("signers", "manifest.json", 0)]


@pytest.mark.parametrize("signers", [[], [AN], [BINH, AN], [AN | {"id": "1" + "-" * 62}]])
def test_signers_in_their_form(both: Verifiers, tmp_path: Path, signers: object) -> None:
    root = signed.make(tmp_path / "b", signers=signers)
    assert both.ask(tmp_path / "b", root)["status"] == "verified"


def test_a_manifest_without_signers_names_nobody(both: Verifiers, tmp_path: Path) -> None:
    root = bundles.make(tmp_path / "b")
    assert both.ask(tmp_path / "b", root)["status"] == "verified"
    signed.certify(tmp_path / "b", signed.certification(root, "an"))
    assert codes(both.ask(tmp_path / "b", root)) == {"certification"}


def test_the_first_vectors_of_rfc_8032() -> None:
    vectors = [
        ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
         "1cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
         "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ]  # fmt: skip
    for key, message, signature in vectors:
        parts = [bytes.fromhex(each) for each in (key, message, signature)]
        assert verify.is_signed(*parts)
        assert not verify.is_signed(parts[0], parts[1] + b"x", parts[2])
        assert not verify.is_signed(parts[0], parts[1], parts[2] + b"\0")


def test_the_example_of_the_specification() -> None:
    text = (Path(verify.__file__).parent / "SPEC.md").read_text("utf-8")
    signature = "".join(text.split("    signature  ")[1].split("\n\n")[0].split())
    key = text.split("public key")[1].split()[0]
    said = signed.certification("ab" * 32, "a")
    message = verify.certified_message(said)
    assert verify.is_signed(*map(bytes.fromhex, (key, message.hex(), signature)))
    assert json.dumps(SMALL)[1:-1].replace('"', "").replace(", ", "\n    ") in text
