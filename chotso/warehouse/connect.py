"""Connections to the warehouse, with its own login and no more rights than needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

from chotso import waits
from chotso.errors import ChotsoError
from chotso.session import PINNED, open_plainly, open_session
from chotso.settings import Settings
from chotso.urls import shown
from chotso.warehouse import pooler, safety

LOADER_ROLE = "chotso_loader"
SESSION = (
    f"{PINNED} "  # also for sessions that another library opens
    "-c client_encoding=UTF8 -c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=iso_8601 "
    f"-c work_mem=64MB {waits.LIMITS} "
    # If our machine is gone, the server notices within two minutes and frees its locks.
    "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
)
# If the server's machine is gone, we notice as soon.
_PATIENCE: dict[str, Any] = {
    "connect_timeout": 30,
    "keepalives_idle": 60,
    "keepalives_interval": 10,
    "keepalives_count": 6,
}
_NO_ROOM = (psycopg.errors.DiskFull, psycopg.errors.IoError)


@contextmanager
def connect(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection as `chotso_loader`, in UTC with ISO dates; commits at the end of the block.

    Raises:
        ChotsoError: The server is away, goes away within the block or has no room left, the login
            has more rights than it may have, the guards of frozen figures are down, the schemas
            have not been made, or a pooler stands between that gives each transaction another
            session.
        BusyError: Another session held a lock for too long; it is named.
    """
    connection = _reached(settings)
    pid = connection.info.backend_pid
    with connection, waits.watched(partial(login_session, settings), pid=pid) as watch:
        pooler.refuse(connection, partial(login_session, settings))
        safety.refuse_unsafe(connection)
        _become_loader(connection)
        try:
            yield connection
        except psycopg.errors.LockNotAvailable as error:
            raise watch.busy() from error
        except psycopg.Error as error:
            if (broken := _broken(settings, connection, error)) is not None:
                raise broken from error
            raise


def login_session(settings: Settings, options: str = SESSION) -> psycopg.Connection:
    """A session of the login itself, without SET ROLE."""
    return open_session(settings.warehouse_url, options, application_name="chotso", **_PATIENCE)


def _reached(settings: Settings) -> psycopg.Connection:
    try:
        return login_session(settings)
    except psycopg.OperationalError as error:
        plainly = partial(open_plainly, settings.warehouse_url, **_PATIENCE)
        if (refused := pooler.refusal_at_the_door(error, plainly)) is not None:
            raise refused from error
        raise ChotsoError(
            f"The warehouse {shown(settings.warehouse_url)} does not answer: {str(error).strip()}",
            next_step="start it (`chotso sandbox start`) or mend CHOTSO_WAREHOUSE_URL.",
        ) from error


def _broken(
    settings: Settings, connection: psycopg.Connection, error: psycopg.Error
) -> ChotsoError | None:
    """The error for a warehouse whose connection broke during the work."""
    warehouse = shown(settings.warehouse_url)
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, _NO_ROOM):
        return ChotsoError(
            f"The warehouse {warehouse} could not write: {said}",
            kept="all that was published; what was in work is finished or begun anew.",
            next_step="make room on the server's disk (its log names the file), then run the same "
            "command again.",
        )
    if connection.broken or isinstance(error, psycopg.errors.AdminShutdown):
        return ChotsoError(
            f"The connection to the warehouse {warehouse} broke: {said}",
            kept="all that was published; what was in work is finished or begun anew.",
            next_step="see that the server runs and the network holds, then run the same command "
            "again.",
        )
    return None


def _become_loader(connection: psycopg.Connection) -> None:
    try:
        connection.execute(f"set role {LOADER_ROLE}")
        connection.commit()
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege) as error:
        raise ChotsoError(
            "The warehouse has not been made for this login yet.",
            next_step="run `chotso migrate` (with CHOTSO_ADMIN_URL).",
        ) from error
