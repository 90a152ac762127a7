"""PostgreSQL's own programs `pg_basebackup` and `pg_verifybackup`, of the server's version."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from chotso.errors import ChotsoError
from chotso.masking import masked
from chotso.sandbox.place import packaged_programs
from chotso.urls import libpq_variables, parameters


def run(
    name: str, server_version: int, *arguments: str, url: str | None = None, cwd: Path | None = None
) -> None:
    """Run a program of PostgreSQL and wait for its end.

    Args:
        name: `pg_basebackup` or another.
        server_version: The server's, as `180006`; the program must be of the same major version.
        arguments: Its arguments; secrets do not belong there, every user can see them.
        url: Where it connects; handed over in its environment.
        cwd: Where it runs.

    Raises:
        ChotsoError: It is not installed, or failed.
    """
    found = program(name, server_version // 10000)
    done = subprocess.run(
        [str(found), *arguments],
        env={**os.environ, "LC_ALL": "C", **(libpq_variables(parameters(url)) if url else {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = masked(done.stderr.strip().splitlines()[-1]) if done.stderr.strip() else "no words"
        raise ChotsoError(
            f"{name} failed: {said}",
            kept="the backups that are complete, and the server.",
            next_step="mend what it names, then run the same command again.",
        )


def become(name: str, server_version: int, *arguments: str, url: str) -> NoReturn:
    """Replace this process by a program of PostgreSQL, so that signals reach it.

    Raises:
        ChotsoError: It is not installed.
    """
    found = str(program(name, server_version // 10000))
    os.execve(found, [found, *arguments], {**os.environ, **libpq_variables(parameters(url))})


def program(name: str, major: int) -> Path:
    """The program of this major version.

    Raises:
        ChotsoError: None is installed.
    """
    seen = []
    for path in _places(name, major):
        if not path.is_file():
            continue
        if _major(path) == major:
            return path
        seen.append(str(path))
    others = f" ({', '.join(seen)} are of another version)" if seen else ""
    raise ChotsoError(
        f"{name} of PostgreSQL {major} is not installed{others}.",
        next_step=f"install the server's package of PostgreSQL {major} on this machine.",
    )


def _places(name: str, major: int) -> Iterator[Path]:
    if (packaged := packaged_programs()) is not None:
        yield packaged / name
    yield Path(f"/usr/lib/postgresql/{major}/bin") / name
    yield Path(f"/usr/pgsql-{major}/bin") / name
    if (found := shutil.which(name)) is not None:
        yield Path(found)


def _major(path: Path) -> int | None:
    said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return int(match[1]) if match else None
