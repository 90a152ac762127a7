"""`chotso backup`: the releases, then the server, then the landing archive.

The server holds every sealed file, so a release that is sealed meanwhile can be put back from it;
a bundle that the server does not know could not. What is published has landed before, so an archive
that is copied after the server has all of its rows.
"""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

import chotso
from chotso.backup import manifest, objects, programs, reach, server_files
from chotso.backup.manifest import DATABASE, OBJECTS, KeptFile, Manifest
from chotso.errors import ChotsoError
from chotso.folder import locked
from chotso.progress import Progress, silent
from chotso.settings import Places

_DRAFT = ".draft-"


@dataclass(frozen=True)
class Taken:
    """A complete backup.

    Attributes:
        sha256: Of its manifest, which has the hashes of everything else.
        server_bytes: The server's files.
        files: Of the landing archive and the releases.
        new_bytes: Of these, what had to be copied.
    """

    backup: Path
    sha256: str
    server_bytes: int
    files: int
    new_bytes: int


def take(
    places: Places,
    to: Path,
    *,
    keep: int | None = None,
    progress: Progress = silent,
) -> Taken:
    """Back up the server, the landing archive and the releases; never the pseudonym key.

    Args:
        places: `backup_url` is a login that may replicate.
        to: A folder for backups alone, on another disk. Only its owner may read it.
        keep: How many backups stay, this one too; older ones go once it is whole. None: all.
        progress: Told each step as a sentence.

    Raises:
        ChotsoError: The server refuses, a disk is full, or the folder is a wrong one.
    """
    to = to.expanduser().resolve()
    _refuse_wrong_places(places, to)
    url, version = reach.server(places)
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(to):
            taken = _take(places, to, url, version, progress)
            if keep is not None:
                _forget(to, keep)
            return taken
    except OSError as error:
        raise ChotsoError(
            f"The backup cannot be written: {error.strerror or error} ({error.filename or to}).",
            kept="the backups that are complete; what was copied of this one is used again.",
            next_step="make room on that disk or mend its rights, then run the same command again.",
        ) from error


def _take(places: Places, to: Path, url: str, version: int, progress: Progress) -> Taken:
    for left in (*to.glob(f"{_DRAFT}*"), *to.glob(f"{OBJECTS}/.draft-*")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    at = datetime.now(UTC)
    draft, final = to / f"{_DRAFT}{at:%Y%m%dT%H%M%SZ}", to / f"{at:%Y%m%dT%H%M%SZ}"
    draft.mkdir(mode=0o700)
    place = to / OBJECTS
    place.mkdir(mode=0o700, exist_ok=True)
    former = _newest(to)
    progress("copy the releases")
    known = _by_path(former.releases if former else [])
    releases, new = objects.keep(str(places.releases_dir), place, known)
    progress("copy the server")
    database = draft / DATABASE
    programs.run("pg_basebackup", version, *_BASE_BACKUP, f"--pgdata={database}", url=url)
    progress("read the copy of the server")
    server_files.verify(database, version)
    size = sum(path.stat().st_size for path in database.rglob("*") if path.is_file())
    progress("copy the landing archive")
    known = _by_path(former.landing if former else [])
    landing, newer = objects.keep(places.landing_url, place, known)
    digest = manifest.write(
        draft,
        Manifest(
            taken_at=at,
            code_version=chotso.__version__,
            server_version=version,
            server=server_files.proven_by_us(database),
            landing=landing,
            releases=releases,
        ),
    )
    os.rename(draft, final)
    _flush_names(to)
    return Taken(final, digest, size, len(landing) + len(releases), new + newer)


def _newest(to: Path) -> Manifest | None:
    """The newest backup's manifest; without a readable one all files are read."""
    try:
        complete = manifest.complete_in(to)
        return manifest.read(complete[-1]) if complete else None
    except ChotsoError:
        return None


def _forget(to: Path, keep: int) -> None:
    """Delete all but the newest backups, and copies that no manifest names any more."""
    complete = manifest.complete_in(to)
    for old in complete[:-keep]:
        gone = to / f"{_DRAFT}{old.name}"  # what is left of it if we are killed goes the next time
        os.rename(old, gone)
        shutil.rmtree(gone)
    kept = map(manifest.read, complete[-keep:])
    needed = {file.sha256 for each in kept for file in (*each.landing, *each.releases)}
    for path in (to / OBJECTS).glob("*/*"):
        if path.name not in needed:
            path.unlink()


_BASE_BACKUP = (
    *("--format=plain", "--wal-method=stream", "--checkpoint=fast"),
    *("--manifest-checksums=SHA256", "--no-password", "--label=chotso"),
)


def _refuse_wrong_places(places: Places, to: Path) -> None:
    key = places.pseudonym_key_file.resolve()
    copied = [Path(places.releases_dir).resolve()]
    fs, root = fsspec.core.url_to_fs(places.landing_url)
    if isinstance(fs, LocalFileSystem):
        copied.append(Path(root).resolve())
    for folder in copied:
        if to.is_relative_to(folder):
            raise ChotsoError(
                f"{to} lies within {folder}, which is backed up.",
                next_step="name a folder on another disk.",
            )
    for folder in (*copied, to):
        if key.is_relative_to(folder):
            raise ChotsoError(
                f"The pseudonym key {key} lies within {folder}: it would stand with the backup.",
                kept="nothing was copied.",
                next_step="move the key elsewhere and name it in CHOTSO_PSEUDONYM_KEY_FILE: "
                "whoever holds both can undo the pseudonyms.",
            )


def _by_path(files: list[KeptFile]) -> dict[str, KeptFile]:
    return {file.path: file for file in files}


def _flush_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
