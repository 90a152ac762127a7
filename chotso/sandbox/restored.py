"""Makes the embedded server of a home from files that another one left: a backup."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from chotso.errors import ChotsoError
from chotso.sandbox import place, server, state
from chotso.sandbox.account import Account, account_for, give_to_owner, run_as
from chotso.sandbox.port import choose_port
from chotso.sandbox.provision import provision
from chotso.sandbox.state import SandboxServer

_RECOVERY_TIMEOUT_S = 6 * 3600


def adopt(home: Path, fill: Callable[[Path], None]) -> SandboxServer:
    """Start the embedded server of a home that has none, on files that `fill` writes.

    Its logins get new passwords: those of the former server stood in its `sandbox.json`.

    Args:
        home: `$CHOTSO_HOME`; made if missing.
        fill: Writes a data directory into the folder that it is given.

    Raises:
        ChotsoError: The home has a server, or PostgreSQL does not recover these files.
    """
    home = home.expanduser().resolve()
    with server.exclusively(home):
        _refuse_existing(home)
        folder = home / "postgres"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)  # the server's account needs access, whatever the caller's umask
        give_to_owner(folder, home)
        account = account_for(home, folder / "data")
        data_dir = place.new_data(home, account)
        draft = data_dir.with_name(f"{data_dir.name}.draft-{secrets.token_hex(4)}")
        made = SandboxServer.new(
            port=choose_port(home), data_dir=data_dir, log_file=folder / "server.log"
        )
        try:
            fill(draft)
            (draft / place.MARKER).touch(mode=0o600)
            _hand_over(draft, account)
            _recover(home, account, draft, made)
            os.rename(draft, data_dir)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        state.write(home, made)
    running = server.start(home)
    provision(running)
    return running


def _refuse_existing(home: Path) -> None:
    elsewhere = place.relocation_of(home) / "data"
    if state.read(home) is not None or place.existing_data(home, elsewhere) is not None:
        raise ChotsoError(
            f"{home} has an embedded server already.",
            kept="it, untouched.",
            next_step="name an empty home in CHOTSO_HOME.",
        )


def _hand_over(data_dir: Path, account: Account) -> None:
    for path in (data_dir, *data_dir.rglob("*")):
        account.take(path)


def _recover(home: Path, account: Account, data_dir: Path, made: SandboxServer) -> None:
    """Recover the files without a network, and set the superuser's new password."""
    password = urlsplit(made.admin_url).password
    statement = data_dir / f".password-{secrets.token_hex(4)}"
    descriptor = os.open(statement, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"alter role postgres password '{password}'\n")
    account.take(statement)
    postgres = place.programs(home, account) / "postgres"
    # A server of one user cannot be a standby meanwhile, as one that replays WAL is by default.
    script = '"$1" --single -c hot_standby=off -D "$2" postgres <"$3"'
    done = run_as(
        account,
        ["/bin/sh", "-c", script, "sh", str(postgres), str(data_dir), str(statement)],
        timeout=_RECOVERY_TIMEOUT_S,
    )
    statement.unlink()
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise ChotsoError(
            f"PostgreSQL does not recover the files of the backup:\n{_last(done.stderr)}",
            kept="the backup, untouched.",
            next_step="mend what it names (an instant that the WAL does not reach, disk space), "
            "then run the same command again.",
        )


def _last(said: str, lines: int = 5) -> str:
    return "\n".join(said.strip().splitlines()[-lines:])
