"""Certification on a real PostgreSQL: two persons, two keys, two logins, one root."""

import dataclasses
import hashlib
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.release.bundle.inputs import MadeBy
from chotso.release.seal.certify import CertifyReport, certify
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.settings import Settings
from chotso.verifier import verify
from tests.proofs import record, size
from tests.verifiers.test_verify_certifications import RFC_8032
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import PARTS, PERIODS, as_admin, count, past_the_guards
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(3000)]

SPRINT, PLAN = PERIODS
PERSONS = ("an", "binh", "chi")
LOGINS = ("login_an", "login_binh", "login_chi")
STEPS = size(300, 10_000)
SEEDS = {name: hashlib.sha256(name.encode()).digest() for name in PERSONS}


def public(name: str) -> str:
    key = Ed25519PrivateKey.from_private_bytes(SEEDS[name])
    return key.public_key().public_bytes_raw().hex()


def made_by() -> MadeBy:
    made = world.made_by()
    lines = [
        f"- {{id: {name}, name: Người ký {name}, public_key: '{public(name)}'}}" for name in PERSONS
    ]
    register = "signers:\n" + "\n".join(lines) + "\n"
    return dataclasses.replace(
        made, configuration=made.configuration | {"config/signers.yml": register.encode()}
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("certify")
    with own_server() as (running, _), product(running, "certify", folder) as made:
        with psycopg.connect(made.admin_url, autocommit=True) as conn:
            for login in LOGINS:
                name = sql.Identifier(login)
                conn.execute(sql.SQL("create role {} login password 'x'").format(name))
                conn.execute(sql.SQL("grant chotso_certifier to {}").format(name))
            conn.execute("create role login_nobody login password 'x'")
        yield made


@pytest.fixture
def release(settings: Settings) -> FreezeReport:
    return freeze(settings, SPRINT, parts=dataclasses.replace(PARTS, made_by=made_by))


def under(settings: Settings, login: str) -> str:
    parts = urlsplit(settings.warehouse_url)
    return urlunsplit(parts._replace(netloc=f"{login}:x@{parts.hostname}:{parts.port}"))


def key_file(folder: Path, name: str) -> Path:
    path = folder / f"{name}.key"
    path.write_bytes(SEEDS[name])
    path.chmod(0o600)
    return path


def sign(
    settings: Settings, root: str, tmp_path: Path, name: str, login: str | None = None,
    key: str | None = None, release_id: str = SPRINT,
) -> CertifyReport:  # fmt: skip
    mine = settings.model_copy(update={"certifier_url": under(settings, login or f"login_{name}")})
    return certify(mine, release_id, by=name, root=root, key=key_file(tmp_path, key or name))


def status(settings: Settings) -> str:
    with as_admin(settings) as conn:
        row = conn.execute("select status from frozen.release").fetchone()
    assert row is not None
    return str(row[0])


def test_two_persons_certify_a_release(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    root = release.root_sha256
    first = sign(settings, root, tmp_path, "an")
    assert (first.status, first.certified_by) == ("sealed", ["an"])
    second = sign(settings, root, tmp_path, "binh")
    assert (second.status, second.certified_by) == ("certified", ["an", "binh"])
    result = verify.verify_bundle(release.bundle, root)
    assert (result.status, result.is_certified) == ("verified", True)
    assert status(settings) == "certified"
    assert count(settings, "select count(*) from frozen.certification") == 2


def test_signing_again_changes_nothing_and_lays_a_lost_file(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    first = sign(settings, release.root_sha256, tmp_path, "an")
    before = first.file.read_bytes()
    first.file.unlink()
    assert sign(settings, release.root_sha256, tmp_path, "an") == first
    assert first.file.read_bytes() == before
    assert count(settings, "select count(*) from frozen.certification") == 1


def test_one_login_certifies_for_one_person(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    sign(settings, release.root_sha256, tmp_path, "an")
    with pytest.raises(ChotsoError, match=r"login_an has certified .* for another person"):
        sign(settings, release.root_sha256, tmp_path, "binh", login="login_an")
    assert not (release.bundle / "certifications" / "binh.json").exists()
    assert status(settings) == "sealed"


@pytest.mark.parametrize("login", ["login_nobody", "loader", "reader"])
def test_who_is_no_certifier_cannot_certify(
    settings: Settings, release: FreezeReport, tmp_path: Path, login: str
) -> None:
    url = settings.warehouse_url if login == "loader" else under(settings, "login_nobody")
    if login == "reader":
        with as_admin(settings) as conn:
            conn.execute("grant chotso_reader to login_nobody")
    mine = settings.model_copy(update={"certifier_url": url})
    with pytest.raises(ChotsoError, match="permission denied"):
        certify(mine, SPRINT, by="an", root=release.root_sha256, key=key_file(tmp_path, "an"))
    assert count(settings, "select count(*) from frozen.certification") == 0


def test_a_key_must_be_the_signer_s_own_and_nobody_else_s_to_read(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    root = release.root_sha256
    with pytest.raises(ChotsoError, match="is not the key of Người ký an"):
        sign(settings, root, tmp_path, "an", key="binh")
    path = key_file(tmp_path, "an")
    path.chmod(0o640)
    with pytest.raises(ChotsoError, match="can be read by others"):
        certify(settings, SPRINT, by="an", root=root, key=path)
    for content in (b"", b"x" * 31, b"-----BEGIN PRIVATE KEY-----\n"):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(ChotsoError, match="no Ed25519 private key"):
            certify(settings, SPRINT, by="an", root=root, key=path)
    with pytest.raises(ChotsoError, match=r"may not certify .* it lists an"):
        certify(settings, SPRINT, by="dung", root=root, key=key_file(tmp_path, "an"))


def test_a_key_made_by_openssl_will_do(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    pem = tmp_path / "an.pem"
    raw = bytes.fromhex("302e020100300506032b657004220420") + SEEDS["an"]
    subprocess.run(["openssl", "pkey", "-inform", "DER", "-out", str(pem)], input=raw, check=True)
    pem.chmod(stat.S_IRUSR)
    mine = settings.model_copy(update={"certifier_url": under(settings, "login_an")})
    report = certify(mine, SPRINT, by="Người ký an", root=release.root_sha256, key=pem)
    assert report.certified_by == ["an"]


def test_another_root_a_damaged_bundle_and_a_rehearsal_are_not_certified(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    with pytest.raises(ChotsoError, match="is not the release with the root"):
        sign(settings, "0" * 64, tmp_path, "an")
    parts = dataclasses.replace(PARTS, made_by=made_by)
    rehearsal = freeze(settings, SPRINT, rehearse=True, parts=parts)
    with pytest.raises(ChotsoError, match="a rehearsal is worth nothing"):
        sign(
            settings, rehearsal.root_sha256, tmp_path, "an",
            release_id=f"rehearsal/{rehearsal.release_id}",
        )  # fmt: skip
    with (release.bundle / "data/attainment.csv").open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(ChotsoError, match="is not the release with the root"):
        sign(settings, release.root_sha256, tmp_path, "an")
    assert count(settings, "select count(*) from frozen.certification") == 0


def test_without_a_login_of_one_s_own_nothing_is_signed(
    settings: Settings, release: FreezeReport, tmp_path: Path
) -> None:
    with pytest.raises(ChotsoError, match="CHOTSO_CERTIFIER_URL is not set"):
        certify(settings, SPRINT, by="an", root=release.root_sha256, key=key_file(tmp_path, "an"))


def test_the_database_checks_signatures_as_the_verifier_does(settings: Settings) -> None:
    random = Random(32)
    cases = [(bytes.fromhex(k), bytes.fromhex(m), bytes.fromhex(s)) for k, m, s in RFC_8032]
    for _ in range(size(10, 400)):
        key = Ed25519PrivateKey.from_private_bytes(random.randbytes(32))
        message = random.randbytes(random.randrange(60))
        cases.append((key.public_key().public_bytes_raw(), message, key.sign(message)))
    small = [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"\x02" + bytes(31)]
    with as_admin(settings) as conn:
        for key_bytes, message, signature in cases:
            flipped = bytearray(signature)
            flipped[random.randrange(64)] ^= 1 << random.randrange(8)
            other = random.choice(small)
            tries = [(key_bytes, signature), (key_bytes, bytes(flipped)), (other, signature)]
            for public_key, signed in tries:
                row = conn.execute(
                    "select ed25519.is_signed(%s, %s, %s)", [public_key, message, signed]
                ).fetchone()
                wanted = verify.is_public_key(public_key) and verify.is_signed(
                    public_key, message, signed
                )
                assert row == (wanted,)


@pytest.mark.proof
def test_no_way_but_two_persons_leads_to_certified(
    settings: Settings, release: FreezeReport
) -> None:
    """A random walk over whoever is at whatever login with whatever key, against a plain model."""
    random, root = Random(2), release.root_sha256
    model: dict[str, str] = {}  # signer → login
    began = 0
    for step in range(STEPS):
        if step % 40 == 0:
            _forget(settings)
            model, began = {}, began + 1
        signer, key = random.choice([*PERSONS, "dung"]), random.choice(PERSONS)
        if random.random() < 0.7 and signer in PERSONS:
            key = signer
        login = random.choice([*LOGINS, "login_nobody"])
        named_root = root if random.random() < 0.9 else hashlib.sha256(root.encode()).hexdigest()
        signed_root = root if random.random() < 0.9 else named_root
        fits = (
            signer in PERSONS and key == signer and login in LOGINS
            and named_root == signed_root == root
        )  # fmt: skip
        # Whoever has signed is told what is kept; it makes nobody a second person.
        again = signer in model and login in LOGINS and named_root == root
        allowed = again or (fits and login not in model.values())
        assert _call(settings, login, signer, key, named_root, signed_root) == allowed, step
        if allowed and signer not in model:
            model[signer] = login
        assert (status(settings) == "certified") == (len(model) >= 2), step
    record("two-person rule", steps=STEPS, walks=began)


def _forget(settings: Settings) -> None:
    with past_the_guards(settings) as conn:
        conn.execute("truncate frozen.certification")
        conn.execute("update frozen.release set status = 'sealed'")


def _call(
    settings: Settings, login: str, signer: str, key: str, named_root: str, signed_root: str
) -> bool:
    """The function as a login may call it, with no client in between."""
    content = {
        "format": "chotso-certification/1",
        "release_id": SPRINT,
        "root_sha256": signed_root,
        "signer_id": signer,
        "certified_at": "2022-01-05T03:00:00.000000Z",
    }
    private = Ed25519PrivateKey.from_private_bytes(SEEDS[key])
    signature = private.sign("".join(f"{value}\n" for value in content.values()).encode()).hex()
    with psycopg.connect(under(settings, login)) as conn:
        try:
            conn.execute(
                "select frozen.certify(%s, %s, %s, %s, %s)",
                [SPRINT, named_root, signer, content["certified_at"], signature],
            )
        except (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege):
            return False
    return True


def test_a_signature_left_open_holds_up_no_seal(settings: Settings, release: FreezeReport) -> None:
    """Whoever may certify may also leave the transaction open; the seal names and ends it."""
    said: list[str] = []
    with psycopg.connect(under(settings, "login_an"), application_name="lúc khác") as hanging:
        hanging.execute("set idle_in_transaction_session_timeout = 0")
        assert asked(hanging, release.root_sha256)
        started = time.monotonic()
        other = freeze(
            settings, world.PERIODS[1], progress=said.append,
            parts=dataclasses.replace(PARTS, made_by=made_by),
        )  # fmt: skip
        took = time.monotonic() - started
        assert hanging.broken or _is_ended(hanging)
    assert other.release_id == world.PERIODS[1]
    assert took < 40
    assert any("waits for the session of login_an" in line for line in said)
    assert any("ended the session of login_an" in line for line in said)
    assert count(settings, "select count(*) from frozen.certification") == 0


def test_the_naive_seal_waits_for_it(settings: Settings, release: FreezeReport) -> None:
    """The lock that a seal took before: it waits as long as the second signature is left open."""
    with psycopg.connect(under(settings, "login_an")) as hanging, as_admin(settings) as conn:
        assert asked(hanging, release.root_sha256)
        conn.execute("set local lock_timeout = '3s'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            conn.execute("lock table frozen.release in exclusive mode")
        conn.rollback()
        hanging.rollback()


def asked(conn: psycopg.Connection, root: str, key: str = "an") -> bool:
    """Certified by a person in a transaction that stays open."""
    instant = "2022-01-05T03:00:00.000000Z"
    lines = ("chotso-certification/1", SPRINT, root, key, instant)
    private = Ed25519PrivateKey.from_private_bytes(SEEDS[key])
    signature = private.sign("".join(f"{line}\n" for line in lines).encode()).hex()
    row = conn.execute(
        "select (frozen.certify(%s, %s, %s, %s, %s)).signer_id",
        [SPRINT, root, key, instant, signature],
    ).fetchone()
    return row == (key,)


def _is_ended(conn: psycopg.Connection) -> bool:
    try:
        conn.execute("select 1")
    except psycopg.OperationalError:
        return True
    return False


def test_a_key_of_ones_own_does_not_help_the_loader(
    settings: Settings, release: FreezeReport
) -> None:
    for statement in (
        "insert into frozen.certification select from frozen.certification",
        "update frozen.release set status = 'certified'",
        "update frozen.certification set signer_id = 'an'",
        "delete from frozen.certification",
        "truncate frozen.certification",
    ):
        with psycopg.connect(settings.warehouse_url) as conn:
            conn.execute("set role chotso_loader")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
    assert os.listdir(release.bundle).count("certifications") == 0
