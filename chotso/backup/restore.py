"""`chotso restore`: a backup is read whole, then put where nothing stands yet."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chotso.backup import manifest, objects, server_files
from chotso.backup.manifest import DATABASE, OBJECTS, Manifest
from chotso.errors import ChotsoError
from chotso.landing import Landing
from chotso.progress import Progress, silent
from chotso.sandbox import restored
from chotso.settings import Places


@dataclass(frozen=True)
class Replay:
    """How far the server goes on from the backup: by a folder of WAL, until an instant."""

    wal: Path
    until: datetime | None = None


@dataclass(frozen=True)
class Restored:
    """What was put back.

    Attributes:
        database: The server's data directory.
        is_running: Whether the server has been started; only the embedded one is.
        files: Files of the landing archive and the releases that were missing.
    """

    backup: Path
    taken_at: datetime
    database: Path
    is_running: bool
    files: int


def check(backup: Path, *, progress: Progress = silent) -> Manifest:
    """Read a backup whole and compare every byte with what was copied.

    Raises:
        ChotsoError: Something is missing or damaged; the first files are named.
    """
    backup = backup.expanduser().resolve()
    found = manifest.read(backup)
    place = backup.parent / OBJECTS
    progress("read the copy of the server")
    wrong = server_files.damaged(backup / DATABASE, found.server_version, found.server)
    progress("read the copies of the landing archive and the releases")
    wrong += objects.damaged([*found.landing, *found.releases], place)
    if wrong:
        raise ChotsoError(
            f"{len(wrong)} files of {backup} are missing or damaged, the first: {wrong[0]}",
            kept="the backup, as it is.",
            next_step="name another backup, and find out what happened to this one.",
        )
    return found


def restore(
    places: Places,
    backup: Path,
    *,
    database: Path | None = None,
    replay: Replay | None = None,
    progress: Progress = silent,
) -> Restored:
    """Put a backup back where nothing stands.

    Args:
        places: The home of the embedded server, the landing archive and the releases folder.
        backup: The backup's folder.
        database: The data directory of a server of one's own, missing or empty. None: the
            embedded server of the home, which is made and started with new passwords.
        replay: Go on from the backup by WAL.
        progress: Told each step as a sentence.

    Raises:
        ChotsoError: The backup is damaged, or something stands in the place.
    """
    backup = backup.expanduser().resolve()
    if database is None and not places.embedded:
        raise ChotsoError(
            "The warehouse is a server of your own, and no data directory was named.",
            next_step="name the server's empty data directory: `chotso restore … --database DIR`.",
        )
    found = check(backup, progress=progress)
    progress("put the files back")
    place = backup.parent / OBJECTS
    written = objects.put_back(found.landing, place, places.landing_url)
    Landing(places.landing_url).close_originals()
    written += objects.put_back(found.releases, place, str(places.releases_dir))
    progress("put the server back")

    def fill(target: Path) -> None:
        _copy_server(backup / DATABASE, target, found, replay)

    try:
        if database is None:
            database = restored.adopt(places.home, fill).data_dir
            return Restored(backup, found.taken_at, database, True, written)
        database = database.expanduser().resolve()
        fill(database)
    except OSError as error:
        raise ChotsoError(
            f"The server's files cannot be written: {error.strerror or error} "
            f"({error.filename or database}).",
            kept="the backup.",
            next_step="make room or mend the rights, empty that folder, then run the same command "
            "again.",
        ) from error
    return Restored(backup, found.taken_at, database, False, written)


def _copy_server(source: Path, target: Path, found: Manifest, replay: Replay | None) -> None:
    if target.is_dir() and any(target.iterdir()):
        raise ChotsoError(
            f"{target} is not empty.",
            kept="it, as it is.",
            next_step="name a data directory that is missing or empty.",
        )
    shutil.copytree(source, target, dirs_exist_ok=True)
    os.chmod(target, 0o700)  # PostgreSQL starts on no other
    if wrong := server_files.damaged(target, found.server_version, found.server):
        raise ChotsoError(
            f"The copy in {target} is damaged: {wrong[0]}.",
            next_step="look at the disk, empty that folder, then run the same command again.",
        )
    if replay is not None:
        server_files.replay(target, replay.wal.expanduser().resolve(), replay.until)
