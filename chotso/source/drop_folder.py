"""Deliveries in the drop folder, and the manifest files beside them."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from chotso.calendar import LOCAL_ZONE
from chotso.characters import is_known
from chotso.errors import ChotsoError
from chotso.source.drop_entries import Entry, EntryKind, shown

_COUNT = re.compile(r"[0-9]{1,12}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_FIRST_YEAR = 1995


class RefusedDeliveryError(ChotsoError):
    """A delivered file is refused whole. It is kept, and tried again if its bytes change."""


@dataclass(frozen=True)
class Delivery:
    """One delivered file, copied to this machine.

    `identity` covers the file and its manifest files. If any of them changes, the file is tried
    again.
    """

    name: str
    local: Path
    sha256: str
    identity: str
    claimed_sha256: str | None
    claimed_count: str | None
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def stated_at(self) -> datetime | None:
        """The local instant of the export, from the file's name."""
        text = self.parts.get("stated_at")
        if text is None:
            return None
        return _from_name(self, text, "%Y%m%dT%H%M%S").replace(tzinfo=LOCAL_ZONE)

    @property
    def month(self) -> date | None:
        """The first day of the month in the file's name."""
        text = self.parts.get("month")
        return None if text is None else _from_name(self, text, "%Y%m").date()

    def check_bytes(self) -> None:
        """Compare the file with its `.sha256`.

        Raises:
            RefusedDeliveryError: They differ, or the manifest file is malformed.
        """
        if not is_known(self.name):
            raise refused(self.name, "its name holds a character that Unicode 14.0 does not know")
        if self.claimed_sha256 is None:
            return
        if not _SHA256.fullmatch(self.claimed_sha256):
            what = _in_brackets(self.claimed_sha256)
            raise refused(self.name, f"{self.name}.sha256 does not hold 64 hex digits{what}")
        if self.claimed_sha256.lower() != self.sha256:
            raise refused(
                self.name,
                f"its sha256 is {self.sha256[:12]}…, its manifest says "
                f"{self.claimed_sha256[:12].lower()}…: it is truncated or was changed",
            )

    def check_count(self, rows: int) -> None:
        """Compare the number of data rows with `.count`.

        Raises:
            RefusedDeliveryError: They differ, or there are no rows and no `.count` of 0.
        """
        claimed = self.claimed_count
        if claimed is not None and not _COUNT.fullmatch(claimed):
            what = _in_brackets(claimed)
            raise refused(self.name, f"{self.name}.count does not hold a number{what}")
        if claimed is not None and int(claimed) != rows:
            raise refused(self.name, f"it has {rows} data rows, its manifest says {int(claimed)}")
        if claimed is None and rows == 0:
            raise refused(self.name, "it has no data rows, and no .count of 0 says so")


class NotTakenError(ChotsoError):
    """An entry of the folder cannot be read now; `kind` and `reason` go into `ops.drop_entry`."""

    def __init__(self, name: str, root: str, kind: EntryKind, reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(
            f"{shown(name)} in the drop folder {root} cannot be read: {reason}.",
            kept="everything published before stands; the rest of the folder is read.",
            next_step="mend it or wait until it is whole, then run the same command again.",
        )


class DropFolder:
    """A folder at a path or fsspec URL. Only its top level is read, and links are not followed."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url)
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self._listed: dict[str, Entry] = {}

    def entries(self) -> list[Entry]:
        """All entries of the folder.

        Raises:
            ChotsoError: The folder cannot be listed.
        """
        try:
            found = list(self._local() if self._is_local else self._remote())
        except OSError as error:
            raise ChotsoError(
                f"The drop folder {self._root} cannot be listed: {error}.",
                kept="everything published before stands.",
                next_step="check CHOTSO_DROP_URL, then run the same command again.",
            ) from error
        self._listed = {entry.name: entry for entry in found}
        return found

    def names(self, pattern: re.Pattern[str]) -> list[str]:
        """Names of files that match, in code point order; raises what `entries` raises."""
        files = {entry.name for entry in self.entries() if entry.what == "file"}
        return sorted(name for name in files if pattern.fullmatch(name))

    def size(self, name: str) -> int:
        """A file's bytes as it was listed last; 0 if the folder does not tell."""
        entry = self._listed.get(name)
        return (entry.size if entry else None) or 0

    def fetch(self, name: str, pattern: re.Pattern[str], scratch: Path) -> Delivery:
        """Copy a delivery, so that the copy that is checked is the one that is read.

        Raises:
            NotTakenError: It is no file, cannot be read, is being written, or was taken away.
            OSError: The copy cannot be written.
        """
        local = scratch / name
        before = self._listed.get(name) or self._entry(name)
        size = 0
        with local.open("wb") as copy, self._reading(name) as source:
            while block := self._block(name, source):
                size += copy.write(block)
        now = self._entry(name)
        if (now.size, now.changed) != (before.size, before.changed) or now.size not in (None, size):
            local.unlink()
            raise self._not_taken(name, "in_progress", "it is being written just now")
        with local.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        claims = [self._beside(name, suffix) for suffix in ("sha256", "count")]
        identity = hashlib.sha256(repr((sha256, *claims)).encode()).hexdigest()
        match = pattern.fullmatch(name)
        parts = {k: v for k, v in match.groupdict().items() if v} if match else {}
        return Delivery(name, local, sha256, identity, claims[0], claims[1], parts)

    def _local(self) -> Iterator[Entry]:
        with os.scandir(self._root) as found:
            for each in found:
                with suppress(FileNotFoundError):  # it was removed a moment ago
                    yield _of_stat(each.name, each.stat(follow_symlinks=False))

    def _remote(self) -> Iterator[Entry]:
        self._fs.invalidate_cache()
        for info in self._fs.ls(self._root, detail=True):
            name = str(info["name"]).rstrip("/").rsplit("/", 1)[-1]
            if name:
                yield _of_info(name, info)

    def _entry(self, name: str) -> Entry:
        try:
            if self._is_local:
                return _of_stat(name, os.lstat(self._path(name)))
            self._fs.invalidate_cache()
            return _of_info(name, self._fs.info(self._path(name)))
        except FileNotFoundError as error:
            raise self._not_taken(name, "gone", "it has been taken away") from error
        except OSError as error:
            raise self._not_taken(name, "unreadable", str(error)) from error

    @contextmanager
    def _reading(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading; links are not followed, and a pipe does not block."""
        try:
            opened = open_file(self._path(name)) if self._is_local else self._remote_file(name)
        except FileNotFoundError as error:
            raise self._not_taken(name, "gone", "it has been taken away") from error
        except OSError as error:
            raise self._not_taken(name, "unreadable", error.strerror or str(error)) from error
        with opened as source:
            yield source

    def _remote_file(self, name: str) -> IO[bytes]:
        opened: IO[bytes] = self._fs.open(self._path(name), "rb")
        return opened

    def _block(self, name: str, source: IO[bytes]) -> bytes:
        try:
            return source.read(1 << 20)
        except OSError as error:
            raise self._not_taken(name, "unreadable", error.strerror or str(error)) from error

    def _beside(self, name: str, suffix: str) -> str | None:
        """The content of a manifest file; if it cannot be read, the reason in brackets."""
        beside = f"{name}.{suffix}"
        try:
            entry = self._entry(beside)
            if entry.what != "file":
                return f"({entry.what})"
            with self._reading(beside) as source:
                content = source.read(_MANIFEST_BYTES + 1)
        except NotTakenError as error:
            return None if error.kind == "gone" else f"({error.reason})"
        except OSError as error:
            return f"({error.strerror or error})"
        if len(content) > _MANIFEST_BYTES:
            return "(too long)"
        return content.decode("ascii", "replace").strip()

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _not_taken(self, name: str, kind: EntryKind, reason: str) -> NotTakenError:
        return NotTakenError(name, self._root, kind, reason)


def open_file(path: str) -> IO[bytes]:
    """Open a regular file for reading; refuse it if it has become a link or a pipe.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    opened = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise OSError(errno.EINVAL, "it is no regular file")
    return opened


def _of_stat(name: str, found: os.stat_result) -> Entry:
    if stat.S_ISREG(found.st_mode):
        return Entry(name, "file", found.st_size, found.st_mtime_ns)
    what = next((w for test, w in _WHAT if test(found.st_mode)), "no regular file")
    return Entry(name, what)


def _of_info(name: str, info: dict[str, Any]) -> Entry:
    if info.get("islink") or info["type"] == "link":
        return Entry(name, "a symbolic link")
    if info["type"] != "file":
        return Entry(name, "a folder" if info["type"] == "directory" else "no regular file")
    changed = next((info[key] for key in _CHANGED if info.get(key) is not None), None)
    return Entry(name, "file", info.get("size"), changed)


_WHAT = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)
_CHANGED = ("mtime", "LastModified", "last_modified", "updated", "modified", "ETag")
_MANIFEST_BYTES = 1000


def refused(name: str, reason: str) -> RefusedDeliveryError:
    """The error for a refused file, in words for the operator."""
    return RefusedDeliveryError(
        f"{name} is refused: {reason}.",
        kept="the file as it came, in the landing archive; what was published before stands.",
        next_step="have the sender deliver it again; it is read again when its bytes change.",
    )


def _from_name(delivery: Delivery, text: str, form: str) -> datetime:
    try:
        found = datetime.strptime(text, form)
    except ValueError as error:
        raise refused(delivery.name, f"{text} in its name is no instant or month") from error
    if found.year < _FIRST_YEAR:
        raise refused(delivery.name, f"{text} in its name is no instant or month: too long ago")
    return found


def _in_brackets(claim: str) -> str:
    """The reason that `_beside` gave, if the manifest file could not be read."""
    return f" {claim}" if claim.startswith("(") else ""
