"""The blocks of docs/rotation.md as they stand, and a server that has certificates."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from chotso.local.free_port import free_port
from chotso.sandbox.account import Account, account_for, run_as
from tests.worlds.sandbox_homes import PROJECT

PAGE = (PROJECT / "docs" / "rotation.md").read_text(encoding="utf-8")


def blocks(heading: str, kind: str) -> list[str]:
    """The fenced blocks of a kind below a heading of the page."""
    _, _, rest = PAGE.partition(f"\n## {heading}\n")
    assert rest, heading
    section = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert found, f"{heading} has no {kind}"
    return found


def run_sql(url: str, block: str, password: str = "new") -> list[tuple[object, ...]]:
    """Run a block; returns the rows of its first query."""
    rows: list[tuple[object, ...]] = []
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in filter(None, map(str.strip, block.split(";"))):
            cursor = connection.execute(statement.replace("'…'", f"'{password}'").encode())
            if cursor.description and not rows:
                rows = cursor.fetchall()
    return rows


def with_login(url: str, login: str, password: str) -> str:
    parts = urlsplit(url)
    return f"postgresql://{login}:{password}@{parts.hostname}:{parts.port}{parts.path}"


class Authority:
    """A certificate authority of its own, and certificates for a server."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate = folder / f"{name}.crt"
        self._folder, self._name = folder, name
        self._openssl(
            "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", str(folder / f"{name}.key"), "-out", str(self.certificate),
        )  # fmt: skip

    def install(self, data_dir: Path, account: Account) -> None:
        """Give the server a certificate of this authority."""
        request, key = self._folder / "server.csr", self._folder / "server.key"
        self._openssl(
            "req", "-new", "-newkey", "ed25519", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        signed = self._folder / "server.crt"
        self._openssl(
            "x509", "-req", "-in", str(request), "-days", "2", "-CAcreateserial",
            "-CA", str(self.certificate), "-CAkey", str(self._folder / f"{self._name}.key"),
            "-out", str(signed),
        )  # fmt: skip
        for path in (signed, key):
            place = data_dir / path.name
            place.write_bytes(path.read_bytes())
            place.chmod(0o600)
            account.take(place)

    def _openssl(self, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"]}
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, env=environment)


def programs_with_tls() -> Path | None:
    """Debian's PostgreSQL; the embedded one is built without TLS."""
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def server_with_tls(programs: Path, authority: Authority) -> Iterator[tuple[str, Path, Account]]:
    """A server of Debian's PostgreSQL with a certificate; its URL, its data and its account."""
    folder = Path(tempfile.mkdtemp(prefix="chotso-tls-", dir="/var/tmp"))
    account = account_for(folder, folder / "data")
    account.take(folder)
    data, port = folder / "data", free_port((), "PostgreSQL")

    def run(name: str, *arguments: str) -> None:
        done = run_as(account, [str(programs / name), "-D", str(data), *arguments])
        assert done.returncode == 0, done.stderr

    try:
        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        authority.install(data, account)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c ssl=on"
        run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", "-o", options)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres", data, account
    finally:
        run_as(account, [str(programs / "pg_ctl"), "stop", "-D", str(data), "-m", "immediate"])
        shutil.rmtree(folder, ignore_errors=True)
