"""Translates errors of a source, its driver and its server into messages for the operator.

Errors are translated where they are caught. A `SourceFault` stops only the feed whose relation it
names. If the source itself is away, everything that is read from it stops.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pyarrow as pa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chotso.errors import ChotsoError
from chotso.masking import first_line_without_values
from chotso.urls import shown

KEPT = "nothing of it was read; what was published before stands."
_AGAIN = "run the same command again"
# Message and next step by SQLSTATE; the longest prefix that fits is used.
_KINDS = {
    "42501": (
        "the login may not read it",
        "have `grant select` on it given back to the login of CHOTSO_SOURCE_URL, then",
    ),
    "42P01": ("it, or something that it reads, is not there", "have it restored, then"),
    "3F000": ("its schema is not there", "have it restored, then"),
    "42703": ("a column that it reads is not there", "have the column restored, then"),
    "42883": ("a function that it calls is not there", "have the function restored, then"),
    "22": (
        "the source cannot compute one of its values",
        "have its owner mend the value, or the cast in the view, then",
    ),
    "22021": ("it holds text that is not in the source's encoding", "have the text mended, then"),
    "22P05": ("it holds a character that UTF-8 has no place for", "have the text mended, then"),
    "40": ("the server gave up the read for something else that it had to do", "later"),
    "55P03": ("somebody holds a lock on it", "see who (pg_locks at the source), then"),
    "57014": ("the server ended the statement (its time limit, or a person)", "raise the limit or"),
    "53": ("the server lacks memory, disk or connections", "have room made there, then"),
    "58": ("the server could not read its files", "tell its administrator, then"),
    "XX": ("the server's data or its program is damaged", "tell its administrator, then"),
}
_HIDES_ROWS = (
    "check_enable_rls"  # with row_security off, PostgreSQL raises this instead of hiding rows
)


class SourceFault(ChotsoError):
    """An error of one relation of the source; it stops the relation's feed and no other."""


@contextmanager
def translated(source_url: str, relation: str) -> Iterator[None]:
    """Turn every error of the block into a `SourceFault` of the relation, or `unreachable`."""
    try:
        yield
    except ChotsoError:
        raise
    except (psycopg.Error, SQLAlchemyError, pa.ArrowException, UnicodeError, OSError) as error:
        if _is_away(error):
            raise unreachable(source_url, error) from error
        raise _fault(relation, error) from error


def unreachable(source_url: str, error: BaseException) -> ChotsoError:
    """The error for a source that does not answer, or whose connection broke."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ChotsoError(
        f"The collection system {shown(source_url)} does not answer, or no more: {said}",
        kept="everything published before stands.",
        next_step="check CHOTSO_SOURCE_URL and the source, then run the same command again.",
    )


def _is_away(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return bool(error.connection_invalidated)
    if isinstance(error, psycopg.OperationalError):
        # an error without SQLSTATE comes from the client: the connection broke
        return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
    return isinstance(error, (psycopg.InterfaceError, OSError))


def _fault(relation: str, error: BaseException) -> SourceFault:
    original = getattr(error, "orig", None) or error
    if isinstance(original, psycopg.Error) and original.diag.source_function == _HIDES_ROWS:
        return _rows_hidden(relation)
    state = getattr(original, "sqlstate", None) or ""
    happened, step = _kind(state)
    if isinstance(error, UnicodeError):
        happened, step = _KINDS["22021"]
    code = f" (SQLSTATE {state})" if state else f" ({type(original).__name__})"
    said = first_line_without_values(original)[:300]
    return SourceFault(
        f"Reading {relation} failed at the source: {happened}{code}: {said}",
        kept=KEPT,
        next_step=f"{step} {_AGAIN}.",
    )


def _rows_hidden(relation: str) -> SourceFault:
    return SourceFault(
        f"Row-level security of the source hides rows of {relation} from this login.",
        kept=KEPT,
        next_step="have the policy lifted for this login (BYPASSRLS on PostgreSQL): rows that are "
        f"hidden cannot be told from rows that are gone. Then {_AGAIN}.",
    )


def _kind(state: str) -> tuple[str, str]:
    for length in (5, 2):
        if state[:length] in _KINDS:
            return _KINDS[state[:length]]
    return "the read was refused", "look into the source's log, have the cause mended, then"
