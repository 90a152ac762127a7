"""Folders of this machine: one command at a time, files that nobody else reads, and their disk."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; whoever comes meanwhile waits."""
    # The kernel releases the lock when its holder ends, for whatever reason.
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 600 at once: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def nearest(folder: Path, is_there: Callable[[Path], bool] = os.path.exists) -> Path:
    """The folder, or its nearest parent that exists."""
    while not is_there(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def local_folder(url: str) -> Path | None:
    """The folder of a path or a `file://` URL; None for another place."""
    path = url.removeprefix("file://")
    return None if "://" in path else Path(path)
