"""Where things are: variables, secret files, the embedded default, and what is refused."""

import json
import os
from pathlib import Path

import pytest

from chotso.errors import ChotsoError
from chotso.settings import load_settings, plain_postgres_url
from chotso.urls import shown

SANDBOX = {
    "admin_url": "postgresql://postgres:a@127.0.0.1:5/warehouse",
    "warehouse_url": "postgresql://chotso_etl:w@127.0.0.1:5/warehouse",
    "source_url": "postgresql://chotso_source:s@127.0.0.1:5/tst",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [n for n in os.environ if n.startswith("CHOTSO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHOTSO_HOME", str(tmp_path))
    (tmp_path / "sandbox.json").write_text(json.dumps(SANDBOX), encoding="utf-8")
    return tmp_path


def test_the_embedded_default_needs_no_variable(home: Path) -> None:
    settings = load_settings()
    assert settings.embedded
    assert settings.warehouse_url == SANDBOX["warehouse_url"]
    assert settings.admin_url == SANDBOX["admin_url"]
    assert settings.drop_url == str(home / "drop")


def test_a_named_warehouse_never_borrows_the_embedded_superuser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHOTSO_WAREHOUSE_URL", "postgresql+psycopg://etl:x@db.example/wh")
    settings = load_settings()
    assert settings.warehouse_url == "postgresql://etl:x@db.example/wh"
    assert settings.admin_url is None
    assert not settings.embedded


def test_a_secret_may_come_from_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = home / "secret"
    secret.write_text("postgresql://etl:from-file@db.example/wh\n", encoding="utf-8")
    monkeypatch.setenv("CHOTSO_WAREHOUSE_URL_FILE", str(secret))
    assert load_settings().warehouse_url == "postgresql://etl:from-file@db.example/wh"
    monkeypatch.setenv("CHOTSO_WAREHOUSE_URL", "postgresql://etl:named@db.example/wh")
    assert load_settings().warehouse_url == "postgresql://etl:named@db.example/wh"


def test_a_missing_secret_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOTSO_SOURCE_URL_FILE", "/nowhere/source_url")
    with pytest.raises(ChotsoError, match="CHOTSO_SOURCE_URL_FILE names /nowhere/source_url"):
        load_settings()


def test_without_server_and_variable_the_next_step_is_told(home: Path) -> None:
    (home / "sandbox.json").unlink()
    with pytest.raises(ChotsoError, match="chotso sandbox start"):
        load_settings()


def test_what_is_no_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOTSO_SOURCE_URL", "the source")
    with pytest.raises(ChotsoError, match="CHOTSO_SOURCE_URL is not a database URL"):
        load_settings()


def test_the_embedded_default_makes_one_key_for_itself(home: Path) -> None:
    key = load_settings().pseudonym_key()
    assert len(key) >= 32
    assert load_settings().pseudonym_key() == key
    assert (home / "pseudonym.key").stat().st_mode & 0o777 == 0o600


def test_a_named_warehouse_must_be_given_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHOTSO_WAREHOUSE_URL", "postgresql://etl:x@db.example/wh")
    with pytest.raises(ChotsoError, match="does not exist"):
        load_settings().pseudonym_key()


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [(b"k" * 64, 0o644, "can be read by others"), (b"k" * 31, 0o600, "holds 31 bytes")],
)
def test_a_weak_key_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, mode: int, why: str
) -> None:
    file = home / "key"
    file.write_bytes(content)
    file.chmod(mode)
    monkeypatch.setenv("CHOTSO_PSEUDONYM_KEY_FILE", str(file))
    with pytest.raises(ChotsoError, match=why):
        load_settings().pseudonym_key()


def test_a_key_is_used_raw(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "key"
    file.write_bytes(b"\n" + b"k" * 40 + b"\n")
    file.chmod(0o600)
    monkeypatch.setenv("CHOTSO_PSEUDONYM_KEY_FILE", str(file))
    assert load_settings().pseudonym_key() == b"\n" + b"k" * 40 + b"\n"


def test_urls_are_shown_without_password_and_driver() -> None:
    assert plain_postgres_url("postgres://a@h/d") == "postgresql://a@h/d"
    assert plain_postgres_url("sqlite:///x") == "sqlite:///x"
    assert shown("postgresql://a:b@h:5/d") == "postgresql://a:***@h:5/d"
