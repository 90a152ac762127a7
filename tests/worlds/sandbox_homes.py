"""Homes for tests of the embedded server, and helpers of these tests."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from chotso.sandbox import place, processes, server
from chotso.sandbox.server import SandboxServer

PROJECT = Path(__file__).resolve().parents[2]
START = "import sys, pathlib; from chotso.sandbox import server; home = pathlib.Path(sys.argv[1]); "


# Not pytest's tmp_path, which other users cannot enter; that is a case of its own.
_ON_DISK, _IN_MEMORY = Path("/var/tmp"), Path("/dev/shm")
_ENOUGH_MEMORY = 8 << 30  # free; a whole run of the tests takes a fraction


@contextmanager
def new_home(*, in_memory: bool = False) -> Iterator[Path]:
    """A home that does not exist yet; at the end its server is stopped and it is deleted.

    Args:
        in_memory: Keep it in memory where there is room: a build makes and deletes 600 files.
    """
    is_roomy = in_memory and shutil.disk_usage(_IN_MEMORY).free > _ENOUGH_MEMORY
    place_of_homes = _IN_MEMORY if is_roomy else _ON_DISK
    folder = Path(tempfile.mkdtemp(prefix="chotso-test-", dir=place_of_homes))
    folder.chmod(0o755)
    home = folder / "Trạng thái [$HOME] #1 %20"  # blanks, diacritics, characters of shells and URLs
    try:
        yield home
    finally:
        server.stop(home)
        shutil.rmtree(place.relocation_of(home.resolve()), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def keep_row(running: SandboxServer) -> None:
    query(running.admin_url, "create table kept as select 42 as answer")


def kept_row(running: SandboxServer) -> object:
    return query(running.admin_url, "select answer from kept")[0][0]


def postmaster(running: SandboxServer) -> int:
    pid = processes.find_postmaster(running.data_dir)
    assert pid is not None
    return pid


def kill_9(running: SandboxServer) -> None:
    pid = postmaster(running)
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.is_alive(pid), 10)


def python(code: str, home: Path, *prefix: str) -> "subprocess.Popen[str]":
    """Another Python in its own process group, with the home as its first argument."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", code, str(home)],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
