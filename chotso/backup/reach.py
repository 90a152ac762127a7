"""The server that is backed up, reached by the login of CHOTSO_BACKUP_URL."""

import psycopg

from chotso.errors import ChotsoError
from chotso.session import version_for_replication
from chotso.settings import Places
from chotso.urls import shown


def server(places: Places) -> tuple[str, int]:
    """Its URL and version (as `180006`).

    Raises:
        ChotsoError: No login is named, the server does not answer, or refuses replication.
    """
    url = places.backup_url
    if url is None:
        raise ChotsoError(
            "CHOTSO_BACKUP_URL is not set.",
            next_step="name a login of the warehouse's server that has REPLICATION and no other "
            "right (docs/backup.md).",
        )
    try:
        return url, version_for_replication(url)
    except psycopg.OperationalError as error:
        raise ChotsoError(
            f"{shown(url)} cannot be backed up: {str(error).strip()}",
            next_step="see that the server runs, that the login of CHOTSO_BACKUP_URL has "
            "REPLICATION, and that pg_hba.conf has a line for `replication` (docs/backup.md).",
        ) from error
