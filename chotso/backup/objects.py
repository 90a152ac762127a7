"""Files that were copied once, by content: `<objects>/<2 hex digits>/<sha256>`.

The landing archive and the releases are write-once, so a backup copies what is new. A file that was
changed all the same becomes another object: earlier backups keep the former one.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from chotso.backup.manifest import KeptFile
from chotso.errors import ChotsoError
from chotso.landing import place_whole

_CHUNK = 1 << 20


def keep(url: str, objects: Path, before: Mapping[str, KeptFile]) -> tuple[list[KeptFile], int]:
    """Copy the files of a folder that are not kept yet.

    Args:
        url: The folder, a path or an fsspec URL; it need not exist.
        objects: Where copies are kept.
        before: The same folder's files in the backup before, by path. A file that has not been
            touched since is not read again.

    Returns:
        All files of the folder, and how many bytes were read.
    """
    fs, root = fsspec.core.url_to_fs(url)
    start = len(root.rstrip("/")) + 1
    kept, read = [], 0
    for full in sorted(map(str, fs.find(root))) if fs.exists(root) else []:
        path = full[start:]
        if _is_draft(path):
            continue
        seen = str(fs.ukey(full))
        found = before.get(path)
        if found is None or found.seen != seen or not _stands(objects, found):
            found = _copied(fs, full, path, seen, objects)
            read += found.bytes
        kept.append(found)
    return kept, read


def damaged(files: Iterable[KeptFile], objects: Path) -> list[str]:
    """Paths whose copy is missing or is not what was copied; every copy is read."""
    sound: set[str] = set()
    wrong = []
    for file in files:
        if file.sha256 not in sound and _digest(objects / _name(file.sha256)) != file.sha256:
            wrong.append(file.path)
            continue
        sound.add(file.sha256)
    return wrong


def put_back(files: Iterable[KeptFile], objects: Path, url: str) -> int:
    """Write files where they are missing; returns how many.

    Raises:
        ChotsoError: Another file stands in the place of one; then nothing is written.
    """
    fs, root = fsspec.core.url_to_fs(url)
    wanted = [(file, f"{root.rstrip('/')}/{file.path}") for file in files]
    there = {full: fs.exists(full) for _, full in wanted}
    _refuse_others(fs.open, [(file, full) for file, full in wanted if there[full]])
    missing = [(file, full) for file, full in wanted if not there[full]]
    for file, full in missing:
        fs.makedirs(full.rsplit("/", 1)[0], exist_ok=True)
        copy = objects / _name(file.sha256)
        if isinstance(fs, LocalFileSystem):
            place_whole(copy, Path(full))
        else:
            fs.put_file(str(copy), full)
    return len(missing)


def _refuse_others(
    opened: Callable[[str, str], object], present: list[tuple[KeptFile, str]]
) -> None:
    others = [full for file, full in present if _digest_of(opened(full, "rb")) != file.sha256]
    if others:
        raise ChotsoError(
            f"{len(others)} files stand where the backup has others, the first at {others[0]}.",
            kept="both, as they are.",
            next_step="name an empty place in CHOTSO_LANDING_URL and CHOTSO_RELEASES_DIR.",
        )


def _is_draft(path: str) -> bool:
    """Whether it is a file in work, which counts for nothing before it has its name."""
    return path.endswith(".part") or any(p.startswith(".staging-") for p in path.split("/"))


def _stands(objects: Path, file: KeptFile) -> bool:
    try:
        return (objects / _name(file.sha256)).stat().st_size == file.bytes
    except FileNotFoundError:
        return False


def _copied(
    fs: fsspec.AbstractFileSystem, full: str, path: str, seen: str, objects: Path
) -> KeptFile:
    draft = objects / f".draft-{os.getpid()}"
    digest, size = hashlib.sha256(), 0
    with fs.open(full, "rb") as source, draft.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            size += len(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    target = objects / _name(digest.hexdigest())
    target.parent.mkdir(mode=0o700, exist_ok=True)
    os.replace(draft, target)
    return KeptFile(path=path, bytes=size, sha256=digest.hexdigest(), seen=seen)


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _digest(path: Path) -> str | None:
    try:
        return _digest_of(path.open("rb"))
    except FileNotFoundError:
        return None


def _digest_of(opened: object) -> str:
    with opened as stream:  # type: ignore[attr-defined]
        return hashlib.file_digest(stream, "sha256").hexdigest()
