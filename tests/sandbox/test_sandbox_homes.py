"""Where the embedded PostgreSQL keeps its files, and under whom it runs."""

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from chotso.errors import ChotsoError
from chotso.sandbox import place, server
from tests.worlds.sandbox_homes import (
    START,
    keep_row,
    kept_row,
    kill_9,
    postmaster,
    python,
    query,
)

ORDINARY_UID = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
pytestmark = [pytest.mark.long, pytest.mark.warehouse]


def test_a_copied_home_gets_a_server_of_its_own(home: Path) -> None:
    first = server.start(home)
    keep_row(first)
    server.stop(home)
    copy = home.with_name("copy")
    subprocess.run(["cp", "-a", str(home), str(copy)], check=True)
    first = server.start(home)
    try:
        second = server.start(copy)
        assert second.port != first.port
        query(second.admin_url, "update kept set answer = 7")
        assert kept_row(first) == 42
    finally:
        server.stop(copy)


def test_lost_or_damaged_state_is_refused_and_the_data_kept(home: Path) -> None:
    running = server.start(home)
    server.stop(home)
    content = (home / "sandbox.json").read_bytes()
    (home / "sandbox.json").write_bytes(content[:100])
    with pytest.raises(ChotsoError, match="damaged"):
        server.start(home)
    (home / "sandbox.json").unlink()
    with pytest.raises(ChotsoError, match="passwords") as refused:
        server.start(home)
    assert refused.value.next_step
    (home / "sandbox.json").write_bytes(content)
    assert server.start(home) == running


def test_a_start_that_fails_names_the_log(home: Path) -> None:
    running = server.start(home)
    server.stop(home)
    with (running.data_dir / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(ChotsoError, match="no_such_setting") as failed:
        server.start(home)
    assert str(running.log_file) in failed.value.next_step


def test_a_home_deleted_while_its_server_runs_begins_anew(home: Path) -> None:
    keep_row(server.start(home))
    shutil.rmtree(home)
    began = time.monotonic()
    assert query(server.start(home).admin_url, "select to_regclass('kept')") == [(None,)]
    assert time.monotonic() - began < 30  # PostgreSQL itself notices after a minute


@only_root
def test_a_home_that_the_server_may_not_enter(home: Path) -> None:
    home.mkdir(mode=0o700)
    first = server.start(home)
    assert first.data_dir.parent == place.relocation_of(home)
    assert first.data_dir.stat().st_uid not in (0, ORDINARY_UID)
    assert stat.S_IMODE(first.data_dir.stat().st_mode) == 0o700
    assert str(first.data_dir) in (home / "README.txt").read_text(encoding="utf-8")
    assert first.log_file.parent.parent == home
    keep_row(first)
    kill_9(first)
    assert server.start(home) == first
    assert kept_row(first) == 42
    # Deleting the home means beginning anew, though its data lie outside and its server still runs.
    shutil.rmtree(home)
    home.mkdir(mode=0o700)
    assert query(server.start(home).admin_url, "select to_regclass('kept')") == [(None,)]


@only_root
def test_programs_that_the_server_may_not_enter_are_copied(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = place._package()
    tmp_path.chmod(0o700)
    closed = tmp_path / wheel.name
    shutil.copytree(wheel, closed)
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), tmp_path / f"{wheel.name}.libs")
    monkeypatch.setattr(place, "_package", lambda: closed)
    running = server.start(home)
    program = Path(f"/proc/{postmaster(running)}/cmdline").read_text().split("\0")[0]
    assert Path(program).is_relative_to(place.relocation_of(home))
    assert running.data_dir.is_relative_to(home)
    assert server.stop(home)


@only_root
def test_a_foreign_folder_in_place_of_ours_is_refused(home: Path) -> None:
    home.mkdir(mode=0o700)
    trap = place.relocation_of(home)
    trap.mkdir()
    os.chown(trap, ORDINARY_UID, ORDINARY_UID)
    with pytest.raises(ChotsoError, match="only root can write"):
        server.start(home)


@only_root
def test_an_ordinary_user_and_root_after_him(home: Path) -> None:
    os.chown(home.parent, ORDINARY_UID, ORDINARY_UID)
    become = (
        "setpriv",
        f"--reuid={ORDINARY_UID}",
        f"--regid={ORDINARY_UID}",
        "--clear-groups",
    )
    probe = python("import chotso.sandbox.server", home, *become)
    if probe.wait(timeout=60):
        pytest.skip("an ordinary user cannot enter this checkout or its virtual environment")

    def as_user(code: str) -> str:
        process = python(START + code, home, *become)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out.strip()

    closed = python(START + "server.start(pathlib.Path('/root/chotso'))", home, *become)
    assert "ChotsoError: You may not write" in closed.communicate(timeout=60)[1]
    assert as_user("print(server.start(home).data_dir)") == str(home / "postgres" / "data")
    running = server.load(home)
    assert running is not None
    assert Path(f"/proc/{postmaster(running)}").stat().st_uid == ORDINARY_UID
    keep_row(running)
    kill_9(running)
    as_user("server.start(home)")
    assert kept_row(running) == 42
    assert as_user("print(server.stop(home))") == "True"

    # Root in a user's home leaves it to that user as it was.
    running.log_file.unlink()
    assert server.start(home) == running
    assert Path(f"/proc/{postmaster(running)}").stat().st_uid == ORDINARY_UID
    assert {path.stat().st_uid for path in home.rglob("*")} == {ORDINARY_UID}
    assert as_user("server.start(home); print(server.status(home)['state'])") == "running"
    assert as_user("print(server.stop(home))") == "True"
