"""The Linux account of PostgreSQL, and how to run a program as that account."""

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chotso.errors import ChotsoError

SERVICE_USER = "chotso-postgres"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The caller's PG* and locale variables must not reach the server.
ENVIRONMENT = {"PATH": SYSTEM_PATH, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """A user and group id; `is_other` if only root can become it."""

    uid: int
    gid: int
    is_other: bool

    def take(self, path: Path) -> None:
        """Own a file in the data directory: the server reads all of them for a backup."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_for(home: Path, data_dir: Path) -> Account:
    """The account for a data directory: its owner, or the caller if the directory is new.

    PostgreSQL refuses to run as root. So root runs it as the owner of the home. If root itself owns
    the home, a system user is used, which is made when it is first needed.

    Raises:
        ChotsoError: The data belong to a user that the caller cannot become.
    """
    owner = _owner(data_dir)
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise ChotsoError(
                f"{data_dir} belongs to user id {owner.st_uid}, not to you ({os.geteuid()}).",
                kept="the data, untouched.",
                next_step="start it as root or as that user, or name a CHOTSO_HOME of your own.",
            )
        return Account(os.geteuid(), os.getegid(), is_other=False)
    for found in (owner, _owner(home)):
        # initdb needs its user's name; the owner of a mounted folder may have none here.
        if found is not None and found.st_uid != 0 and _has_name(found.st_uid):
            return Account(found.st_uid, found.st_gid, is_other=True)
    entry = _service_user()
    return Account(entry.pw_uid, entry.pw_gid, is_other=True)


def give_to_owner(path: Path, home: Path) -> None:
    """Give a file that root wrote in a user's home to that user."""
    if os.geteuid() == 0:
        owner = home.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def run_as(
    account: Account,
    command: list[str],
    *,
    env: dict[str, str] | None = None,
    stderr: IO[bytes] | int = subprocess.PIPE,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a program as the account, in its own session, in `/`, with a clean environment.

    Standard output is captured. The program runs in `/` because the account may not have access to
    the caller's folder.

    Raises:
        ChotsoError: The account cannot be assumed, or the program takes too long.
    """
    become = (
        {"user": account.uid, "group": account.gid, "extra_groups": []} if account.is_other else {}
    )
    try:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd="/",
            env={**ENVIRONMENT, **(env or {})},
            umask=0o077,
            start_new_session=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            **become,
        )
    except subprocess.TimeoutExpired as error:
        raise ChotsoError(
            f"{command[0]} did not end within {timeout:.0f} s.",
            next_step="look at the disk and the load of the machine, then run the command again.",
        ) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise ChotsoError(
            f"{command[0]} cannot be run as user id {account.uid}: {error}.",
            next_step="run chotso as an ordinary user; PostgreSQL does not run as root.",
        ) from error


def _owner(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _service_user() -> pwd.struct_passwd:
    deadline = time.monotonic() + 5
    tried = False
    while True:
        try:
            return pwd.getpwnam(SERVICE_USER)
        except KeyError:
            if time.monotonic() > deadline or (tried and not _other_process_adds_users()):
                # On a machine without useradd, or with a read-only /etc: a user that always exists.
                return pwd.getpwnam("nobody")
        _add_service_user()
        tried = True


def _add_service_user() -> None:
    useradd = shutil.which("useradd", path=SYSTEM_PATH)
    if useradd is None:
        return
    subprocess.run(
        [
            *(useradd, "--system", "--user-group"),
            *("--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"),
            *("--comment", "chotso embedded PostgreSQL", SERVICE_USER),
        ],
        env=ENVIRONMENT,
        capture_output=True,
        timeout=60,
        check=False,
    )


def _other_process_adds_users() -> bool:
    busy = any(Path(f"/etc/{name}.lock").exists() for name in ("passwd", "group", "shadow"))
    if busy:
        time.sleep(0.2)
    return busy
