"""PgBouncer between us and the warehouse: its mode is recognised, and it is refused."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace, TracebackType
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.warehouse import pooler
from chotso.warehouse.connect import connect
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse

pytestmark = pytest.mark.warehouse

PGBOUNCER = shutil.which("pgbouncer")


@dataclass
class Session:
    """A connection through a pooler: each transaction is given the next session of `given`."""

    given: Iterator[int]
    lock_timeout: str = "10min"
    info: Any = field(default_factory=lambda: SimpleNamespace(backend_pid=4711))
    _pid: int | None = None

    def execute(self, query: str) -> Any:
        self._pid = next(self.given) if self._pid is None else self._pid
        answer = (self._pid, self.lock_timeout) if "lock_timeout" in query else (self._pid,)
        return SimpleNamespace(fetchone=lambda: answer)

    def commit(self) -> None:
        self._pid = None

    rollback = commit

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.commit()


def refused(session: Session, other: Session) -> str | None:
    try:
        pooler.refuse(session, lambda: other)  # type: ignore[arg-type, return-value]
    except ChotsoError as error:
        return error.what
    return None


def test_a_server_itself_is_asked_once_and_no_second_connection_is_made() -> None:
    session = Session(cycle([4711]))
    pooler.refuse(session, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param([1], [1], id="one session for both"),
        pytest.param([1, 2, 3, 4], [5], id="one after the other"),
        pytest.param([1, 1, 1, 2], [3], id="another one at last"),
    ],
)
def test_shared_sessions_are_recognised(ours: list[int], theirs: list[int]) -> None:
    what = refused(Session(cycle(ours)), Session(cycle(theirs)))
    assert what is not None
    assert "transaction mode" in what


def test_a_pooler_that_keeps_sessions_and_settings_is_let_through() -> None:
    assert refused(Session(cycle([1])), Session(cycle([2]))) is None


def test_settings_that_do_not_arrive_are_a_reason() -> None:
    what = refused(Session(cycle([1]), lock_timeout="0"), Session(cycle([2])))
    assert what is not None
    assert "does not reach the server" in what


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


@contextmanager
def pgbouncer(url: str, mode: str, extra: str) -> Iterator[str]:
    """A real PgBouncer before a database; gives the URL through it.

    It runs as another user where we are root, so its folder is not below pytest's closed ones.
    """
    with TemporaryDirectory(prefix="chotso-pooler-") as folder:
        yield from _pgbouncer(url, Path(folder), mode, extra)


def _pgbouncer(url: str, folder: Path, mode: str, extra: str) -> Iterator[str]:
    assert PGBOUNCER is not None
    to = urlsplit(url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users.txt").write_text(f'"{to.username}" "{to.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{to.path[1:]} = host=127.0.0.1 port={to.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\npool_mode = {mode}\n{extra}\n"
    )
    as_other: dict[str, Any] = {"user": "nobody"} if os.geteuid() == 0 else {}
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    process = subprocess.Popen(
        [PGBOUNCER, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL, **as_other
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield to._replace(netloc=f"{to.username}:{to.password}@127.0.0.1:{port}").geturl()
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(PGBOUNCER is None, reason="needs Debian's pgbouncer")
@pytest.mark.parametrize(
    ("mode", "extra", "reason"),
    [
        ("transaction", "", "transaction mode"),
        ("transaction", "ignore_startup_parameters = options", "transaction mode"),
        ("transaction", "default_pool_size = 1", "transaction mode"),
        ("statement", "", "statement mode"),
        ("statement", "ignore_startup_parameters = options", "statement mode"),
        ("session", "", "does not reach the server"),
        ("session", "ignore_startup_parameters = options", "does not reach the server"),
    ],
)
def test_a_real_pgbouncer_is_refused_with_its_reason(
    warehouse: Warehouse, mode: str, extra: str, reason: str
) -> None:
    with pgbouncer(warehouse.settings.warehouse_url, mode, extra) as url:
        settings = warehouse.settings.model_copy(update={"warehouse_url": url})
        with pytest.raises(ChotsoError, match=reason) as error, connect(settings):
            pass
        assert "CHOTSO_WAREHOUSE_URL" in error.value.next_step


@pytest.mark.skipif(PGBOUNCER is None, reason="needs Debian's pgbouncer")
def test_the_naive_twin_takes_a_lock_that_it_does_not_hold(servers: Servers) -> None:
    """Without the check: a session's lock is another's as well, and both write at once."""
    with (
        pgbouncer(servers.login_url, "transaction", "default_pool_size = 1") as url,
        psycopg.connect(url, autocommit=True) as first,
        psycopg.connect(url, autocommit=True) as second,
    ):
        taken = [
            conn.execute("select pg_try_advisory_lock(1)").fetchone() for conn in (first, second)
        ]
    assert taken == [(True,), (True,)]
