"""The TCP port of the embedded server: chosen once, kept in `sandbox.json`."""

import hashlib
import os
import socket
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.sandbox.state import HOST

VARIABLE = "CHOTSO_PG_PORT"
# Below the range of outgoing connections, because one of these could take the recorded port.
FIRST_PORT, PORT_COUNT = 20_000, 10_000


def fixed_port() -> int | None:
    """The port that the operator configured, if any.

    Raises:
        ChotsoError: `CHOTSO_PG_PORT` is no port that an ordinary user can use.
    """
    demanded = os.environ.get(VARIABLE)
    if not demanded:
        return None
    if not demanded.isascii() or not demanded.isdigit() or not 1024 <= int(demanded) <= 65535:
        raise ChotsoError(
            f"{VARIABLE} is {demanded!r}, not a port number.",
            next_step=f"set {VARIABLE} to a number from 1024 to 65535, or unset it.",
        )
    return int(demanded)


def choose_port(home: Path) -> int:
    """The configured port, otherwise a free one; two homes seldom try the same port first.

    Raises:
        ChotsoError: No port is free.
    """
    demanded = fixed_port()
    if demanded is not None:
        return demanded
    first = int.from_bytes(hashlib.sha256(os.fsencode(home)).digest()[:4]) % PORT_COUNT
    for step in range(PORT_COUNT):
        port = FIRST_PORT + (first + step) % PORT_COUNT
        if is_free(port):
            return port
    raise ChotsoError(
        f"No port from {FIRST_PORT} to {FIRST_PORT + PORT_COUNT - 1} is free.",
        next_step=f"set {VARIABLE} to a free port.",
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
