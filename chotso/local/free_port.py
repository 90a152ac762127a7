"""A TCP port for a local server."""

import socket
from collections.abc import Iterable

from chotso.errors import ChotsoError

HOST = "127.0.0.1"


def free_port(preferred: Iterable[int], for_what: str) -> int:
    """The first of these ports that is free, otherwise any free port.

    Raises:
        ChotsoError: No port is free.
    """
    for port in (*preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ChotsoError(
        f"No TCP port is free for {for_what}.", next_step="end a server that you no longer need."
    )
