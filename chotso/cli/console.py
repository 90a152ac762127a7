"""How commands answer: a result on stdout (plain or JSON), progress and errors on stderr."""

import dataclasses
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from chotso.calendar import parse_date, parse_instant
from chotso.cli.visible import Console, escaped
from chotso.errors import ChotsoError, unexpected
from chotso.masking import masked
from chotso.progress import silent
from chotso.warehouse.refused import refused

ERRORS = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
OUTPUT = Console(markup=False, highlight=False, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="Print a machine-readable result.")]


def as_date(text: str) -> date:
    """A business date from the command line; an invalid one is a usage error."""
    try:
        return parse_date(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date YYYY-MM-DD") from error


def as_instant(text: str) -> datetime:
    """An instant from the command line; it is local time if it has no offset."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not an ISO-8601 instant") from error


def plain(value: Any) -> Any:
    """A result converted to JSON types: instants in ISO-8601, whole numbers exact."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def answer(result: Any, as_json: bool, tell: Callable[[], None]) -> None:
    """Print the result: one line of JSON if asked for, otherwise what `tell` prints."""
    if as_json:
        told = json.dumps(plain(result), ensure_ascii=False, sort_keys=True)
        sys.stdout.write(escaped(told) + "\n")
    else:
        tell()


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function that shows the current step, but only on a terminal."""
    if not ERRORS.is_terminal:
        yield silent
        return
    with ERRORS.status("") as status:
        yield lambda text: status.update(text)


@contextmanager
def refusals() -> Iterator[None]:
    """Report an error of ours or a lost server on stderr, and exit with status 1."""
    try:
        yield
    except ChotsoError as error:
        ERRORS.print(str(error))
        raise SystemExit(1) from error
    except psycopg.Error as error:
        ERRORS.print(str(refused(error)))
        raise SystemExit(1) from error
    except Exception as error:
        ERRORS.print(str(unexpected(error, "The command")))
        if os.environ.get("CHOTSO_TRACEBACK"):
            ERRORS.print(masked("".join(traceback.format_exception(error))))
        raise SystemExit(1) from error
