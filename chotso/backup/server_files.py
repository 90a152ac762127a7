"""The server's files in a backup: what PostgreSQL's own manifest proves, and the rest."""

import hashlib
import re
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from chotso.backup import programs
from chotso.backup.manifest import ServerFile
from chotso.errors import ChotsoError

_PROOF = "backup_manifest"
_PART = ".partial"  # the segment that was being written when the server was lost
_WAL = re.compile(r"[0-9A-F]{24}|[0-9A-F]{8}\.history")


def proven_by_us(database: Path) -> list[ServerFile]:
    """PostgreSQL's manifest, which has the SHA-256 of every other file, and the WAL beside it."""
    wal = (path for path in (database / "pg_wal").rglob("*") if path.is_file())
    paths = [database / _PROOF, *sorted(wal)]
    return [
        ServerFile(
            path=path.relative_to(database).as_posix(),
            bytes=path.stat().st_size,
            sha256=_sha256(path),
        )
        for path in paths
    ]


def damaged(database: Path, server_version: int, files: Iterable[ServerFile]) -> list[str]:
    """Paths that are not what was copied.

    Raises:
        ChotsoError: `pg_verifybackup` found a file that is missing, added or different.
    """
    wrong = [
        file.path
        for file in files
        if not (database / file.path).is_file() or _sha256(database / file.path) != file.sha256
    ]
    if not wrong:
        verify(database, server_version)
    return wrong


def verify(database: Path, server_version: int) -> None:
    """Compare every file with PostgreSQL's own manifest, and parse the WAL.

    Raises:
        ChotsoError: A file is missing, added or different.
    """
    # It hands the path of the WAL to a shell, where a `$` would be expanded: so the path is `.`
    how = ("--quiet", "--exit-on-error", ".")
    programs.run("pg_verifybackup", server_version, *how, cwd=database)


def replay(database: Path, wal: Path, until: datetime | None) -> None:
    """Have the server, at its next start, go on from the backup by a folder of WAL.

    What was received is copied to where the server looks for it, and where it removes it later.

    Args:
        database: The data directory.
        wal: What `pg_receivewal` or an `archive_command` has written.
        until: Transactions committed later are left out; by default none.

    Raises:
        ChotsoError: The folder has no WAL that follows the backup.
    """
    first = _first_segment(database)
    received = {path.name.removesuffix(_PART): path for path in sorted(wal.glob(f"*{_PART}"))}
    received |= {path.name: path for path in wal.iterdir() if _WAL.fullmatch(path.name)}
    needed = {n: p for n, p in received.items() if n.endswith(".history") or n[8:] >= first[8:]}
    if not needed:
        raise ChotsoError(
            f"{wal} has no WAL from {first} on, where the backup ends.",
            kept="the backup.",
            next_step="name the folder that `chotso wal` writes, or leave --wal out.",
        )
    for name, path in needed.items():
        shutil.copyfile(path, database / "pg_wal" / name)
    settings = {"restore_command": "false", "recovery_target_action": "promote"}
    if until is not None:
        settings["recovery_target_time"] = until.isoformat()
    with (database / "postgresql.auto.conf").open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    (database / "recovery.signal").touch(mode=0o600)


def _first_segment(database: Path) -> str:
    """The segment in which the backup's own recovery begins."""
    label = (database / "backup_label").read_text(encoding="utf-8")
    found = re.search(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)", label, re.MULTILINE)
    assert found is not None, "pg_basebackup writes it"
    return found[1]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
