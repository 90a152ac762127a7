"""What an operator reads when the warehouse refuses a statement that nobody foresaw."""

import psycopg
import pytest

from chotso.errors import unexpected
from chotso.warehouse.refused import refused


@pytest.mark.parametrize(
    ("kind", "state", "step"),
    [
        (psycopg.errors.InsufficientPrivilege, "42501", "chotso migrate"),
        (psycopg.errors.UndefinedColumn, "42703", "chotso migrate"),
        (psycopg.errors.QueryCanceled, "57014", "statement_timeout"),
        (psycopg.errors.AdminShutdown, "57P01", "see that the server runs"),
        (psycopg.errors.DiskFull, "53100", "make room"),
        (psycopg.errors.SerializationFailure, "40001", "run the same command again"),
        (psycopg.errors.RaiseException, "P0001", "server's log"),
    ],
)
def test_the_next_step_goes_by_the_kind(kind: type[psycopg.Error], state: str, step: str) -> None:
    told = str(refused(kind("it holds \"Nguyễn Văn A\" and 'B'")))
    assert state in told
    assert step in told
    assert "Nguyễn" not in told, "what is quoted may be of a person"
    assert "Kept: " in told


def test_a_connection_that_broke_is_told_as_such() -> None:
    told = str(refused(psycopg.OperationalError("server closed the connection unexpectedly")))
    assert "the connection broke" in told


def test_what_nobody_foresaw_is_told_without_its_text() -> None:
    try:
        raise KeyError("of a person")
    except KeyError as error:
        told = str(unexpected(error, "The build"))
    assert told.startswith("The build ended with an error that was not foreseen: KeyError at ")
    assert "person" not in told
