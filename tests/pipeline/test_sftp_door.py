"""The door to the drop folder, by Compose's own word: who has a key delivers files, and no more."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.composed import Composed, what_is_missing
from tests.pipeline.container import USER, private_network

MISSING = what_is_missing("sshd", "sftp", "ssh-keygen")
pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    folder = tmp_path_factory.mktemp("door")
    made = Composed(folder / "compose", {"COMPOSE_PROFILES": "sftp"})
    for name in ("known", "unknown"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    made.secret("sftp_keys").write_bytes((folder / "known.pub").read_bytes())
    made.draw_secrets("postgresql://nobody@127.0.0.1:1/tst")
    with private_network():
        try:
            made.up("sftp")
            yield made
        finally:
            made.down()


def deliver(services: Composed, commands: str, key: str = "known") -> tuple[int, str]:
    done = subprocess.run(
        [
            *("sftp", "-P", "2222", "-i", services.folder.parent / key, "-b", "-"),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "IdentitiesOnly=yes", "delivery@127.0.0.1"),
        ],
        input=commands,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_delivered_file_lies_in_the_drop_folder(services: Composed, tmp_path: Path) -> None:
    given = tmp_path / "c12.xlsx"
    given.write_bytes(b"a workbook")
    status, told = deliver(services, f"put {given}\nls /\n")
    assert status == 0, told
    taken = services.volume("drop") / given.name
    assert taken.read_bytes() == b"a workbook"
    assert (taken.stat().st_uid, taken.stat().st_mode & 0o777) == (USER, 0o640), "a worker reads it"
    assert [word for word in told.split() if word.startswith("/d")] == ["/drop"], told


@pytest.mark.parametrize("commands", ["get /etc/passwd", "put /etc/hostname /other", "rmdir /drop"])
def test_nothing_else_is_to_be_had(services: Composed, commands: str, tmp_path: Path) -> None:
    status, told = deliver(services, f"lcd {tmp_path}\n{commands}\n")
    assert status != 0, told
    assert list(tmp_path.iterdir()) == []


def test_another_key_opens_nothing(services: Composed) -> None:
    status, told = deliver(services, "ls /\n", key="unknown")
    assert status != 0
    assert "Permission denied" in told
