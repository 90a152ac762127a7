"""Bundles with signers and certifications, by SPEC.md, signed by another library."""

import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.worlds import bundles

AT = "2021-12-31T11:00:00.000000Z"


def key_of(signer: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(signer.encode()).digest())


def public_of(signer: str) -> bytes:
    return key_of(signer).public_key().public_bytes_raw()


def person(signer: str, key: str | None = None) -> dict[str, str]:
    public_key = key or public_of(signer).hex()
    return {"id": signer, "name": f"Người ký {signer}", "public_key": public_key}


def make(folder: Path, **changes: Any) -> str:
    """A sound bundle that names the signers `an` and `binh`; the root."""
    return bundles.make(folder, **({"signers": [person("an"), person("binh")]} | changes))


def certification(
    root: str, signer: str, *, key: Ed25519PrivateKey | None = None, **changes: Any
) -> dict[str, Any]:
    """A certification whose signature fits what it says."""
    content: dict[str, Any] = {
        "format": "chotso-certification/1",
        "release_id": bundles.PERIOD,
        "root_sha256": root,
        "signer_id": signer,
        "certified_at": AT,
    } | changes
    names = ("format", "release_id", "root_sha256", "signer_id", "certified_at")
    message = "".join(f"{content[name]}\n" for name in names).encode()
    return {"signature": (key or key_of(signer)).sign(message).hex()} | content


def certify(folder: Path, content: dict[str, Any] | bytes, name: str | None = None) -> Path:
    """Put a certification beside a bundle."""
    (folder / "certifications").mkdir(exist_ok=True)
    raw = content if isinstance(content, bytes) else bundles.canonical(content)
    if name is None:
        assert isinstance(content, dict)
        name = f"{content['signer_id']}.json"
    path = folder / "certifications" / name
    path.write_bytes(raw)
    return path
