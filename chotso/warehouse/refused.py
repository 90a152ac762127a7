"""Messages for statements that the warehouse refused unexpectedly."""

import psycopg

from chotso.errors import ChotsoError, unexpected
from chotso.masking import first_line_without_values

_KEPT = "all that was published; what was in work is finished or begun anew."
_OF_THE_CATALOGUE = "42"  # no such table, column or function, or no right to it: names alone
# By the first characters of SQLSTATE: what happened, and what to do next.
_KINDS = {
    "08": ("the connection broke", "see that the server runs, then run the same command again."),
    "57P": ("the server went away", "see that the server runs, then run the same command again."),
    "42": (
        "the login lacks a right, or an object is not as this version has it",
        "run `chotso migrate` (with CHOTSO_ADMIN_URL), then the same command again.",
    ),
    "57014": (
        "a time limit of the server or a person ended it",
        "raise `statement_timeout` of the login, or run it when the server is less busy.",
    ),
    "53": ("the server lacks memory, disk or connections", "make room, then run it again."),
    "40": ("it collided with another session", "run the same command again."),
}


def refused(error: psycopg.Error) -> ChotsoError:
    """The error in words, without values that it quotes, which may be personal data."""
    state = error.sqlstate or ""
    what, step = next(
        (_KINDS[state[:length]] for length in (5, 3, 2) if state[:length] in _KINDS),
        ("it was not foreseen", "read the server's log, and report it if it comes again."),
    )
    if not state and isinstance(error, psycopg.OperationalError):
        what, step = _KINDS["08"]
    code = f" (SQLSTATE {state})" if state else ""
    return ChotsoError(
        f"A database refused a statement: {what}{code}: {said(error)}.", kept=_KEPT, next_step=step
    )


def said(error: psycopg.Error) -> str:
    """The first line of what the server said, without values; names of what is missing stay."""
    primary = error.diag.message_primary
    if primary and (error.sqlstate or "").startswith(_OF_THE_CATALOGUE):
        return primary.splitlines()[0]
    return first_line_without_values(error, primary)


def in_words(error: BaseException, during: str) -> ChotsoError:
    """Any error in words: ours as it is, the warehouse's and unforeseen ones without values.

    Args:
        error: What was raised.
        during: What was being done, as a noun: `the extract of c12`.
    """
    if isinstance(error, ChotsoError):
        return error
    return refused(error) if isinstance(error, psycopg.Error) else unexpected(error, during)
