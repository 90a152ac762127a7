"""Clocks of the machine that are days off: those of a process, and those of a database."""

import sys
import time
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import psycopg
from psycopg import sql


def shift_server(admin_url: str, days: int) -> None:
    """Put clocks that are days off in place of the server's own, in this database.

    In the catalog itself: our sessions look nowhere else.
    """
    with psycopg.connect(admin_url, autocommit=True) as conn:
        for clock in ("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp"):
            name = sql.Identifier(clock)
            right = sql.Identifier(f"right_{clock}")
            conn.execute(sql.SQL("alter function pg_catalog.{}() rename to {}").format(name, right))
            conn.execute(
                sql.SQL(
                    "create function pg_catalog.{}() returns timestamptz language sql volatile "
                    "return pg_catalog.{}() + {} * interval '1 day'"
                ).format(name, right, sql.Literal(days))
            )


def shift_process(days: int) -> None:
    """Put every clock that chotso reads in this process days off, for good."""
    offset = timedelta(days=days)
    real_time, real_datetime, real_date = time.time, datetime, date

    class OfAnyDate(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, cls.__mro__[1])

    class Shifted(datetime, metaclass=OfAnyDate):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real_datetime(*args, **kwargs)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return real_datetime.now(tz) + offset

    class ShiftedDate(date, metaclass=OfAnyDate):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real_date(*args, **kwargs)

        @classmethod
        def today(cls) -> Any:
            return (real_datetime.now() + offset).date()

    time.time = lambda: real_time() + offset.total_seconds()
    for name, module in list(sys.modules.items()):
        if name.startswith("chotso."):
            for attribute, replacement in (("datetime", Shifted), ("date", ShiftedDate)):
                if getattr(module, attribute, None) in (real_datetime, date):
                    setattr(module, attribute, replacement)
