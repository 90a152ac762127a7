"""Real receivers of alerts: an SMTP server and an HTTP server on this machine."""

import email
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from chotso.local.free_port import free_port


@contextmanager
def mailbox() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An SMTP server: an apprise URL for it, and the mails that it took (subject, text)."""
    taken: list[dict[str, str]] = []

    class Keep:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            mail = email.message_from_bytes(envelope.content, policy=default)
            body = mail.get_body(("plain",)) or mail
            taken.append({"subject": str(mail["subject"]), "text": str(body.get_content())})
            return "250 OK"

    controller = Controller(Keep(), hostname="127.0.0.1", port=free_port((), "a mailbox"))
    controller.start()
    try:
        port = controller.port
        yield (
            f"mailto://127.0.0.1:{port}?from=chotso@example.org&to=truc@example.org&mode=insecure",
            taken,
        )
    finally:
        controller.stop()


@contextmanager
def webhook(status: int = 204) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server: its URL, and the JSON objects that were posted to it."""
    taken: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alerts", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
