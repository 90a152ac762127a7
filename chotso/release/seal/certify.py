"""A person's signature under a root: checked, stored in the warehouse, written to the bundle."""

import getpass
import json
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chotso.errors import ChotsoError
from chotso.release.data.canonical import render
from chotso.session import open_session
from chotso.settings import Settings
from chotso.urls import shown
from chotso.verifier import verify

_TOO_OPEN = stat.S_IRWXG | stat.S_IRWXO
_NOTHING = "nothing was signed."
# A freeze must not wait long for a person's session, nor a person for a freeze.
_SESSION = (
    "-c timezone=UTC -c datestyle=ISO,YMD -c lock_timeout=60s -c statement_timeout=120s "
    "-c idle_in_transaction_session_timeout=20s -c client_connection_check_interval=5s"
)


@dataclass(frozen=True)
class CertifyReport:
    """A release after a person's signature; `status` is sealed or certified."""

    release_id: str
    root_sha256: str
    signer_id: str
    file: Path
    certified_by: list[str]
    status: str


def certify(settings: Settings, release_id: str, *, by: str, root: str, key: Path) -> CertifyReport:
    """Sign a release's root with a person's own key; signing twice changes nothing.

    Args:
        settings: Where the releases folder and, under `CHOTSO_CERTIFIER_URL`, the warehouse are.
        release_id: A sealed release; a rehearsal cannot be certified.
        by: Id or name of a signer whom the release itself lists.
        root: The root that the person read off the page and means to sign: 64 hex digits.
        key: File of the signer's Ed25519 private key (PEM, 32 raw bytes, or 64 hex digits), which
            nobody else may read.

    Raises:
        ChotsoError: The bundle does not verify against that root, the person is none of its
            signers, the key is not theirs, or the warehouse refuses. Nothing is signed then.
    """
    folder = settings.releases_dir / release_id
    result = verify.verify_bundle(folder, root)
    if result.status != "verified":
        found = "; ".join(f"{each.code}: {each.path}" for each in result.findings[:5])
        raise ChotsoError(
            f"{folder} is not the release with the root {root}: {found}.",
            kept=_NOTHING,
            next_step="compare the root with the signed page; see `chotso verify`.",
        )
    signer = _signer(folder, release_id, by)
    private = _private_key(key)
    if private.public_key().public_bytes_raw().hex() != signer["public_key"]:
        raise ChotsoError(
            f"The key in {key} is not the key of {signer['name']} ({signer['id']}).",
            kept=_NOTHING,
            next_step="name the file of that person's own key.",
        )
    certification = {
        "format": verify.CERTIFICATION,
        "release_id": release_id,
        "root_sha256": root,
        "signer_id": signer["id"],
        "certified_at": render(datetime.now(UTC), "instant"),
    }
    signature = private.sign(verify.certified_message(certification))
    kept, status = _record(settings, certification | {"signature": signature.hex()})
    file = folder / "certifications" / f"{signer['id']}.json"
    _lay(file, verify.canonical_json(kept))
    after = verify.verify_bundle(folder, root)
    return CertifyReport(release_id, root, signer["id"], file, after.certified_by, status)


def _signer(folder: Path, release_id: str, by: str) -> dict[str, Any]:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    if manifest["release_id"] != release_id or manifest["kind"] == "rehearsal":
        raise ChotsoError(
            f"{release_id} is no release that can be certified: a rehearsal is worth nothing.",
            kept=_NOTHING,
            next_step="name the id of a sealed release.",
        )
    signers: list[dict[str, Any]] = manifest.get("signers", [])
    for signer in signers:
        if by in (signer["id"], signer["name"]):
            return signer
    listed = ", ".join(f"{each['id']} ({each['name']})" for each in signers) or "nobody"
    raise ChotsoError(
        f"{by!r} may not certify {release_id}: it lists {listed}.",
        kept=_NOTHING,
        next_step="name one of these; who is added to config/signers.yml now may certify later "
        "releases.",
    )


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise _bad_key(path, f"cannot be read: {error.strerror}") from error
    if mode & _TOO_OPEN:
        raise _bad_key(path, f"can be read by others (mode {stat.S_IMODE(mode):o})")
    with suppress(ValueError):
        if len(text := content.decode("ascii").strip()) == 64:
            content = bytes.fromhex(text)
    if len(content) == 32:
        return Ed25519PrivateKey.from_private_bytes(content)
    try:
        key = _from_pem(content)
    except (ValueError, TypeError) as error:
        raise _bad_key(path, "is no Ed25519 private key, or the password is wrong") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_key(path, "is a key of another kind than Ed25519")
    return key


def _from_pem(content: bytes) -> object:
    try:
        return load_pem_private_key(content, password=None)
    except TypeError:  # the key has a password
        if not sys.stdin.isatty():
            raise
        return load_pem_private_key(content, getpass.getpass("Password of the key: ").encode())


def _bad_key(path: Path, why: str) -> ChotsoError:
    return ChotsoError(
        f"The key file {path} {why}.",
        kept=_NOTHING,
        next_step="name a file with your own Ed25519 key that you alone may read (chmod 600).",
    )


def _record(settings: Settings, certification: dict[str, str]) -> tuple[dict[str, str], str]:
    """Store the signature; the warehouse checks it, too. A stored signature is not replaced."""
    if settings.certifier_url is None:
        raise ChotsoError(
            "CHOTSO_CERTIFIER_URL is not set: a person certifies under a login of their own.",
            kept=_NOTHING,
            next_step="set it to your own login, a member of chotso_certifier.",
        )
    names = ("release_id", "root_sha256", "signer_id", "certified_at", "signature")
    query = (
        "select * from frozen.certify(%(release_id)s, %(root_sha256)s, %(signer_id)s, "
        "%(certified_at)s, %(signature)s)"
    )
    try:
        with open_session(
            settings.certifier_url,
            _SESSION,
            application_name="chotso certify",
            row_factory=psycopg.rows.dict_row,
        ) as conn:
            row = conn.execute(query, certification).fetchone()
            after = conn.execute(
                "select status from frozen.release where release_id = %(release_id)s", certification
            ).fetchone()
    except psycopg.Error as error:
        raise ChotsoError(
            f"The warehouse {shown(settings.certifier_url)} did not take the "
            f"certification: {str(error.diag.message_primary or error).strip()}",
            kept=_NOTHING,
            next_step="mend what is named; the login must be your own, a member of "
            "chotso_certifier, and no superuser.",
        ) from error
    assert row is not None
    assert after is not None
    kept = {name: str(row[name]) for name in names} | {"format": verify.CERTIFICATION}
    return kept, str(after["status"])


def _lay(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(exist_ok=True)
        arriving = file.with_name(f".{file.name}")
        with arriving.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(arriving, file)
    except OSError as error:
        raise ChotsoError(
            f"The certification cannot be laid at {file}: {error.strerror}.",
            kept="the warehouse holds it.",
            next_step="mend the folder's rights, then certify again: it is written from there.",
        ) from error
