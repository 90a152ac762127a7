"""File systems that are really full: a small tmpfs where the machine allows mounting one."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BLOCK = 4096


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[bool]:
    """Mount a tmpfs there until the block ends; False where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(folder: Path, leaving: int) -> Iterator[None]:
    """Fill the disk that a folder is on but for so many bytes; the room is back at the end."""
    filler = folder / "filler"
    state = os.statvfs(folder)
    room = state.f_bavail * state.f_frsize
    with filler.open("wb") as handle:
        for _ in range(max(0, room - leaving) // _BLOCK):
            handle.write(bytes(_BLOCK))
    try:
        yield
    finally:
        filler.unlink()


def limit_files(largest: int) -> None:
    """Let no file of this process grow beyond so many bytes: writes fail as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
