"""What a backup holds: `<to>/<instant>/manifest.json`, written last. Without it nothing counts.

`<to>/<instant>/database` is the server's data directory as pg_basebackup wrote it;
`<to>/objects/<2 hex digits>/<sha256>` are files of the landing archive and the releases, each once.
"""

import hashlib
import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Literal

from chotso.errors import ChotsoError
from chotso.strict_models import StrictModel, faults_of

MANIFEST = "manifest.json"
OBJECTS = "objects"
DATABASE = "database"
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class KeptFile(StrictModel):
    """A file of the landing archive or of the releases; `seen` is its state when it was read."""

    path: str
    bytes: int
    sha256: str
    seen: str


class ServerFile(StrictModel):
    """A file of the base backup that PostgreSQL's own `backup_manifest` does not prove."""

    path: str
    bytes: int
    sha256: str


class Manifest(StrictModel):
    """A complete backup.

    Attributes:
        server_version: As `180006`.
        server: `backup_manifest`, which has the SHA-256 of every data file, and the WAL.
    """

    format: Literal[1] = 1
    taken_at: datetime
    code_version: str
    server_version: int
    server: list[ServerFile]
    landing: list[KeptFile]
    releases: list[KeptFile]


def write(folder: Path, manifest: Manifest) -> str:
    """Write the manifest and wait until it is on disk; returns its SHA-256."""
    content = (manifest.model_dump_json(indent=1) + "\n").encode()
    with (folder / MANIFEST).open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return hashlib.sha256(content).hexdigest()


def read(backup: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        ChotsoError: There is none, or it cannot be read.
    """
    path = backup / MANIFEST
    try:
        return Manifest.of_content(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise ChotsoError(
            f"{backup} is no complete backup: it has no {MANIFEST}.",
            next_step="name a folder such as 20220101T020000Z that `chotso backup` has made.",
        ) from error
    except ValueError as error:
        raise ChotsoError(
            f"{path} is damaged: {faults_of(error)[0]}",
            next_step="name another backup.",
        ) from error


def complete_in(folder: Path) -> list[Path]:
    """The complete backups in a folder, oldest first."""
    found = (path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return sorted(path for path in found if (path / MANIFEST).is_file())
