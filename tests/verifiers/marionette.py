"""Drives Debian's Firefox by its own protocol: lengths and JSON over a socket, no other program."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FIREFOX = Path("/usr/bin/firefox-esr")
# The last one lets a test name a folder as a person's choice would.
PREFERENCES: dict[str, bool | int] = {
    "marionette.port": 0,
    "network.dns.disabled": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "dom.filesystem.pathcheck.disabled": True,
}
SECONDS = 60


class Firefox:
    """One tab, offline."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._rest, self._count = connection, b"", 0
        self._receive()  # it says who it is
        self.command("WebDriver:NewSession", capabilities={})

    def _receive(self) -> Any:
        while b":" not in self._rest:
            self._rest += self._connection.recv(1 << 16)
        length, _, rest = self._rest.partition(b":")
        while len(rest) < int(length):
            rest += self._connection.recv(1 << 16)
        self._rest = rest[int(length) :]
        return json.loads(rest[: int(length)])

    def command(self, name: str, **parameters: Any) -> Any:
        """What it answers.

        Raises:
            RuntimeError: It could not.
        """
        self._count += 1
        raw = json.dumps([0, self._count, name, parameters]).encode()
        self._connection.sendall(str(len(raw)).encode() + b":" + raw)
        _, _, error, answer = self._receive()
        if error:
            raise RuntimeError(error)
        return answer

    def open(self, path: Path) -> None:
        self.command("WebDriver:Navigate", url=path.as_uri())

    def run(self, script: str, *arguments: Any, sandbox: str | None = None) -> Any:
        """What a script in the page returns."""
        return self.command(
            "WebDriver:ExecuteScript", script=script, args=list(arguments), sandbox=sandbox
        )["value"]

    def wait(self, script: str) -> Any:
        """What a script returns once it is true.

        Raises:
            AssertionError: It never is.
        """
        return until(lambda: self.run(script), script)


def until(look: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never true: {what}")


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A headless Firefox with a new profile and without network."""
    lines = [f'user_pref("{key}", {json.dumps(value)});' for key, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [str(FIREFOX), "--headless", "--marionette", "--no-remote", "--offline",
               "--profile", str(profile)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            told = profile / "MarionetteActivePort"
            port = until(lambda: told.is_file() and told.read_text(), "a port")
            with socket.create_connection(("127.0.0.1", int(port))) as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
