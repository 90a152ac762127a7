"""`chotso wal`: receives the server's WAL, so that a backup can go on to any instant."""

from pathlib import Path
from typing import NoReturn

from chotso.backup import programs, reach
from chotso.settings import Places

SLOT = "chotso_backup"


def receive(places: Places, to: Path) -> NoReturn:
    """Receive WAL into a folder until the process is ended; a slot keeps what is missed meanwhile.

    Raises:
        ChotsoError: The server does not answer, or refuses replication.
    """
    url, version = reach.server(places)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    how = (f"--directory={to}", f"--slot={SLOT}", "--no-password")
    programs.run("pg_receivewal", version, *how, "--create-slot", "--if-not-exists", url=url)
    programs.become("pg_receivewal", version, *how, "--synchronous", url=url)
