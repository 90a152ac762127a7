"""A collector on this machine: an HTTP server that keeps what is posted to it."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

LINEAGE = "/api/v1/lineage"


@dataclass
class Collector:
    """`url`, and the bodies that came to each path."""

    url: str = ""
    received: dict[str, list[bytes]] = field(default_factory=dict)

    def bodies(self, path: str) -> list[bytes]:
        return self.received.get(path, [])


@contextmanager
def collector() -> Iterator[Collector]:
    found = Collector()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.received.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keep) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def traces(received: Collector) -> list[Any]:
    """OpenTelemetry's spans."""
    bodies = map(ExportTraceServiceRequest.FromString, received.bodies("/v1/traces"))
    return [
        span
        for body in bodies
        for resource in body.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def lineage(received: Collector) -> list[dict[str, Any]]:
    """OpenLineage's events, as they came."""
    return [json.loads(body) for body in received.bodies(LINEAGE)]
