"""Certifications: whose signature counts, and what a forger may try with one."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chotso.verifier import verify
from chotso.verifier.verify import Result, is_public_key, is_signed, verify_bundle
from tests.worlds import bundles

Certification = dict[str, Any]

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    for name in ("an", "binh", "chi")
}
SIGNERS = [
    {
        "id": name,
        "name": f"Người ký {name}",
        "public_key": key.public_key().public_bytes_raw().hex(),
    }
    for name, key in KEYS.items()
]
AT = "2022-01-05T03:00:00.000000Z"
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundles.make(tmp_path / "bundle", signers=SIGNERS)
    return tmp_path / "bundle"


def root_of(bundle: Path) -> str:
    return bundles.sha256((bundle / "manifest.json").read_bytes())


def signed(
    bundle: Path, signer: str = "an", key: str | None = None, **fields: str
) -> Certification:
    """A certification by the specification's words, with some fields changed before signing."""
    content = {
        "format": "chotso-certification/1",
        "release_id": bundles.PERIOD,
        "root_sha256": root_of(bundle),
        "signer_id": signer,
        "certified_at": AT,
    } | fields
    message = "".join(f"{value}\n" for value in content.values()).encode()
    return content | {"signature": KEYS[key or signer].sign(message).hex()}


def lay(bundle: Path, content: object, name: str = "an") -> Result:
    folder = bundle / "certifications"
    folder.mkdir(exist_ok=True)
    raw = content if isinstance(content, bytes) else bundles.canonical(content)
    (folder / f"{name}.json").write_bytes(raw)
    return verify_bundle(bundle, root_of(bundle))


def test_two_distinct_signers_make_a_release_certified(bundle: Path) -> None:
    none = verify_bundle(bundle, root_of(bundle))
    assert (none.status, none.certified_by, none.is_certified) == ("verified", [], False)
    one = lay(bundle, signed(bundle))
    assert (one.status, one.certified_by, one.is_certified) == ("verified", ["an"], False)
    two = lay(bundle, signed(bundle, "binh"), "binh")
    assert (two.status, two.certified_by, two.is_certified) == ("verified", ["an", "binh"], True)
    assert two.as_json()["is_certified"] is True


def test_a_damaged_release_is_not_certified_whoever_signed_it(bundle: Path) -> None:
    for name in ("an", "binh"):
        lay(bundle, signed(bundle, name), name)
    (bundle / "data/attainment.csv").write_bytes(b"agency_code\n")
    result = verify_bundle(bundle, root_of(bundle))
    assert (result.status, result.is_certified) == ("failed", False)


CHANGES: dict[str, Callable[[Path], object]] = {
    "another release": lambda b: signed(b, release_id="plan-2021-m09-12"),
    "another root": lambda b: signed(b, root_sha256="0" * 64),
    "another person's key": lambda b: signed(b, key="binh"),
    "another person's id": lambda b: signed(b, "binh"),
    "nobody's id": lambda b: signed(b, signer_id="dung"),
    "another format": lambda b: signed(b, format="chotso-certification/2"),
    "no instant": lambda b: signed(b, certified_at="yesterday"),
    "changed after signing": lambda b: signed(b) | {"certified_at": AT.replace("05", "06")},
    "one field more": lambda b: signed(b) | {"note": "x"},
    "one field less": lambda b: {k: v for k, v in signed(b).items() if k != "certified_at"},
    "a number for a text": lambda b: signed(b) | {"certified_at": 5},
    "capitals": lambda b: signed(b) | {"signature": signed(b)["signature"].upper()},
    "a short signature": lambda b: signed(b) | {"signature": signed(b)["signature"][:-2]},
    "not canonical": lambda b: json.dumps(signed(b)).encode(),
    "no JSON": lambda b: b"{",
    "no UTF-8": lambda b: b"\xff",
    "a list": lambda b: [],
    "a key twice": lambda b: bundles.canonical(signed(b))[:-2] + b',"format":"x"}\n',
    "a blank more": lambda b: bundles.canonical(signed(b)) + b" ",
    "deep nesting": lambda b: b"[" * 60_000,
    "endless": lambda b: bundles.canonical(signed(b) | {"note": "x" * 70_000}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_wrong_certification_is_a_failure(bundle: Path, change: Callable[[Path], object]) -> None:
    result = lay(bundle, change(bundle))
    assert [finding.code for finding in result.findings] == ["certification"]
    assert result.certified_by == []


@pytest.mark.parametrize(
    "signers",
    [
        "nobody",
        [{**SIGNERS[0], "note": "x"}],
        [{**SIGNERS[0], "id": "../an"}],
        [SIGNERS[0], {**SIGNERS[1], "id": "an"}],
        [SIGNERS[0], {**SIGNERS[1], "public_key": SIGNERS[0]["public_key"]}],
        [{**SIGNERS[0], "public_key": "00" * 32}],  # of small order: any signature would do
        [{**SIGNERS[0], "public_key": "01" + "00" * 31}],
        [{**SIGNERS[0], "public_key": "ff" * 32}],  # not the one encoding of its point
        [{**SIGNERS[0], "public_key": "02" + "00" * 31}],  # no point at all
    ],
)
def test_signers_that_are_not_distinct_persons_with_sound_keys_are_refused(
    tmp_path: Path, signers: object
) -> None:
    bundles.make(tmp_path / "bundle", signers=signers)
    result = verify_bundle(tmp_path / "bundle", root_of(tmp_path / "bundle"))
    assert "signers" in {finding.code for finding in result.findings}


def test_a_release_of_before_there_were_signers_verifies(tmp_path: Path) -> None:
    bundles.make(tmp_path / "bundle")
    assert verify_bundle(tmp_path / "bundle", root_of(tmp_path / "bundle")).status == "verified"


# RFC 8032 §7.1, tests 1 to 3 and SHA(abc): public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
        "b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
        "1d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
        "c6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(key: str, message: str, signature: str) -> None:
    assert is_public_key(bytes.fromhex(key))
    assert is_signed(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))
    assert not is_signed(
        bytes.fromhex(key), bytes.fromhex(message) + b"x", bytes.fromhex(signature)
    )


def test_signatures_agree_with_a_library_s_and_no_bit_of_one_may_differ() -> None:
    random = Random(8032)
    for _ in range(20):
        key = Ed25519PrivateKey.from_private_bytes(random.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), random.randbytes(40)
        signature = key.sign(message)
        assert is_signed(public, message, signature)
        bit = random.randrange(512)
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not is_signed(public, message, bytes(flipped))


def test_a_signature_has_one_form() -> None:
    """Adding the group's order to S gives another text that a careless verifier takes."""
    key, message = KEYS["an"], b"root"
    signature = key.sign(message)
    larger = int.from_bytes(signature[32:], "little") + ORDER
    assert not is_signed(
        key.public_key().public_bytes_raw(), message, signature[:32] + larger.to_bytes(32, "little")
    )


def test_the_command_line_says_who_signed(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(bundle, signed(bundle))
    assert verify.main([str(bundle), "--anchor", root_of(bundle)]) == 0
    assert "certified by an, of the 2 that it takes" in capsys.readouterr().out
    lay(bundle, signed(bundle, "chi"), "chi")
    assert verify.main([str(bundle), "--anchor", root_of(bundle)]) == 0
    assert "certified by an, chi\n" in capsys.readouterr().out
