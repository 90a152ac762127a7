"""Database URLs: what libpq reads, what is shown, what each engine gets."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from chotso.errors import ChotsoError
from chotso.masking import masked
from chotso.settings import load_settings
from chotso.urls import parameters, shown, sqlalchemy_url

ODD = "p#a/s$HOME@:%41 ?&=+\"'\\ế"


def test_odd_signs_pass_when_they_are_quoted() -> None:
    url = sqlalchemy_url({"user": "u v", "password": ODD, "host": "h", "dbname": "d/b"})
    assert make_url(url).password == ODD
    found = parameters(url.replace("+psycopg", ""))
    assert (found["user"], found["password"], found["dbname"]) == ("u v", ODD, "d/b")
    assert "$" not in url, "Great Expectations would read it as a variable"


def test_what_is_not_set_is_not_there_and_a_list_of_hosts_is_kept() -> None:
    url = "postgresql://u@h1:1,h2:2/db?password=se%23cret&target_session_attrs=read-write"
    assert parameters(url) == conninfo_to_dict(url)
    assert shown(url) == "postgresql://u:***@h1,h2:1,2/db"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:sec/ret@h/db",
        "postgresql://u:sec/ret@h:5432/db?sslmode=require",
        "postgresql://u:%zzsecret@h/db",
        "postgresql://u:sec@ret@h:1/db",
        "postgresql://u:sec?ret@h/db",
        "postgresql://u@h/db?passwort=secret",
        "postgresql://u:sec ret@h:port/db",
    ],
)
def test_an_unreadable_url_is_refused_and_not_quoted(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHOTSO_HOME", str(tmp_path))
    monkeypatch.setenv("CHOTSO_WAREHOUSE_URL", url)
    try:
        load_settings()
    except ChotsoError as error:
        text = str(error)
    else:
        text = shown(url)
    for piece in ("sec", "ret@", "secret"):
        assert piece not in text


def test_a_service_is_resolved_as_libpq_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = tmp_path / "services.conf"
    services.write_text("[kho]\nhost=127.0.0.1\nport=1\nuser=etl\npassword=s3cr#t\ndbname=wh\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    found = parameters("postgresql:///other?service=kho")
    assert (found["user"], found["password"], found["port"]) == ("etl", "s3cr#t", "1")
    assert found["dbname"] == "other", "what the URL says wins"
    assert "service" not in found
    with pytest.raises(ChotsoError, match="in no service file"):
        parameters("postgresql:///?service=nirgends")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mssql+pyodbc://u:hunter22@h/d?Pwd=hunter23&driver=x", "mssql+pyodbc://u:***@h/d"),
        ("oracle+oracledb://u:hunter22@h:1521/?service_name=x", "oracle+oracledb://u:***@h:1521/"),
        ("sqlite:////x/y.db", "sqlite:////x/y.db"),
        ("nonsense", "(unreadable)"),
    ],
)
def test_other_databases_are_shown_without_secrets_too(url: str, expected: str) -> None:
    assert shown(url).startswith(expected)
    assert "hunter2" not in shown(url)


def test_a_secret_once_read_is_in_no_error() -> None:
    parameters("postgresql://u:a-l0ng%23secret@h/db")
    error = ChotsoError(
        "it said a-l0ng#secret", kept="a-l0ng%23secret", next_step="x a-l0ng#secret"
    )
    assert "l0ng" not in str(error) + error.what + error.next_step + (error.kept or "")
    assert masked("a-l0ng#secret") == "***"
