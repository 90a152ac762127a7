"""The one place where a session with PostgreSQL begins: what its names mean is settled first.

Under PostgreSQL's own default, `"$user", public`, whoever may make a schema decides which function
an unqualified name calls, and with whose rights it then runs.
"""

from typing import Any

import psycopg

# In the start-up packet: it holds before the first statement, and goes before what is set for the
# login or (by its owner) for the database. Temporary objects are named, so that they come last.
PINNED = "-c search_path=pg_catalog,pg_temp -c standard_conforming_strings=on"


def open_session(url: str, options: str = "", **parameters: Any) -> psycopg.Connection[Any]:
    """Connect, with names that only PostgreSQL's own catalog and the session itself can fill.

    Args:
        url: Where; `options` in it and in the environment do not count.
        options: More settings of the session, as `-c name=value …`.
        parameters: What else `psycopg.connect` takes.

    Raises:
        psycopg.OperationalError: The server does not answer, or refuses the login.
    """
    return psycopg.connect(url, options=f"{PINNED} {options}".strip(), **parameters)


def open_plainly(url: str, **parameters: Any) -> psycopg.Connection[Any]:
    """Connect with no settings at all, only to ask a pooler that refuses them what it is.

    Raises:
        psycopg.OperationalError: The server does not answer, or refuses the login.
    """
    return psycopg.connect(url, options="", **parameters)
