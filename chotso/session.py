"""The only place where a session with PostgreSQL is opened; it sets the search path first.

With PostgreSQL's default, `"$user", public`, a user who may create a schema decides which function
an unqualified name calls, and with which rights it runs.
"""

from typing import Any

import psycopg
from psycopg import pq

# Sent in the start-up packet: it holds from the first statement on, and overrides settings of the
# login or the database. pg_temp is named, so that temporary objects are found last.
PINNED = "-c search_path=pg_catalog,pg_temp -c standard_conforming_strings=on"


def open_session(url: str, options: str = "", **parameters: Any) -> psycopg.Connection[Any]:
    """Connect with a search path of PostgreSQL's own catalog and the session's temporary objects.

    Args:
        url: Where; `options` in it and in the environment do not count.
        options: More settings of the session, as `-c name=value …`.
        parameters: What else `psycopg.connect` takes.

    Raises:
        psycopg.OperationalError: The server does not answer, or refuses the login.
    """
    return psycopg.connect(url, options=f"{PINNED} {options}".strip(), **parameters)


def open_plainly(url: str, **parameters: Any) -> psycopg.Connection[Any]:
    """Connect without settings, only to find out which pooler refuses them.

    Raises:
        psycopg.OperationalError: The server does not answer, or refuses the login.
    """
    return psycopg.connect(url, options="", **parameters)


def version_for_replication(url: str) -> int:
    """The server's version (as `180006`), over a connection that may replicate.

    Raises:
        psycopg.OperationalError: The server does not answer, or refuses the login or replication.
    """
    connection = pq.PGconn.connect(f"{url}{'&' if '?' in url else '?'}replication=true".encode())
    try:
        if connection.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(connection.get_error_message())
        return connection.server_version
    finally:
        connection.finish()
