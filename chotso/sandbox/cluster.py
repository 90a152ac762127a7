"""Makes the data directory: `initdb` writes a draft, which is renamed only when complete."""

import hashlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from chotso.errors import ChotsoError
from chotso.sandbox.account import Account, run_as
from chotso.sandbox.place import MARKER
from chotso.sandbox.processes import wait_until
from chotso.sandbox.state import HOST, SandboxServer

PASSWORD_PREFIX = ".password-"
SHARED_MEMORY = Path("/dev/shm")
ENOUGH_SHARED_MEMORY_BYTES = 512 * 1024 * 1024
_LAST_WRITES_S = 20.0

# For 2 cores and a machine of 4 GB or more; fsync and synchronous_commit stay on.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "reserved_connections": "40",  # for the warehouse's login and Airflow, if others use the rest
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "max_parallel_maintenance_workers": "1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}


def cluster_name_of(data_dir: Path) -> str:
    """The name in the titles of the server's processes."""
    return f"chotso-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:8]}"


def make_cluster(programs: Path, account: Account, server: SandboxServer) -> None:
    """Make an empty cluster with the superuser password of `server`.

    It has UTF-8, the builtin C.UTF-8 locale (code point order, case by Unicode, the same on every
    machine), data checksums, and passwords (SCRAM) for every connection. Files of an interrupted
    attempt are deleted.

    Raises:
        ChotsoError: `initdb` failed; the text has its last output.
    """
    data_dir = server.data_dir
    for left in data_dir.parent.glob(f"{data_dir.name}.draft-*"):
        _delete(left)
    for left in data_dir.parent.glob(f"{PASSWORD_PREFIX}*"):
        left.unlink(missing_ok=True)
    draft = data_dir.with_name(f"{data_dir.name}.draft-{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    if account.is_other:
        os.chown(draft, account.uid, account.gid)
    done = _initdb(programs, account, draft, _password(server))
    if done:
        _delete(draft)
        raise ChotsoError(
            f"initdb could not make {data_dir}:\n{done}",
            next_step="free disk space or mend what it names, and run `chotso sandbox start`.",
        )
    descriptor = os.open(draft / MARKER, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.fsync(descriptor)
    os.close(descriptor)
    account.take(draft / MARKER)
    _sync(draft)
    os.rename(draft, data_dir)
    _sync(data_dir.parent)


def _delete(draft: Path) -> None:
    """Delete a draft; an initdb whose starter was killed may go on writing for a while."""

    def is_gone() -> bool:
        shutil.rmtree(draft, ignore_errors=True)
        return not draft.exists()

    wait_until(is_gone, _LAST_WRITES_S)


def _initdb(programs: Path, account: Account, draft: Path, password: str) -> str:
    """Run initdb; returns its error output, or an empty text."""
    settings = dict(SETTINGS)
    if _shared_memory_is_short():
        settings["dynamic_shared_memory_type"] = "sysv"
    # initdb reads the password only from a file, and needs an empty data directory.
    descriptor, name = tempfile.mkstemp(prefix=PASSWORD_PREFIX, dir=draft.parent)
    try:
        os.write(descriptor, password.encode())
        os.close(descriptor)
        if account.is_other:
            os.chown(name, account.uid, account.gid)
        command = [
            str(programs / "initdb"),
            *("--pgdata", str(draft), "--username", "postgres", "--pwfile", name),
            *("--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--data-checksums", "--auth", "scram-sha-256", "--no-instructions"),
        ]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        done = run_as(account, command)
    finally:
        os.unlink(name)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"status {done.returncode}")


def _password(server: SandboxServer) -> str:
    password = urlsplit(server.admin_url).password
    assert password is not None, "an admin URL without a password was never written"
    return password


def _shared_memory_is_short() -> bool:
    # A container often has only 64 MB there, which is too little for a parallel hash join.
    try:
        found = os.statvfs(SHARED_MEMORY)
    except OSError:
        return True
    return found.f_frsize * found.f_blocks < ENOUGH_SHARED_MEMORY_BYTES


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
