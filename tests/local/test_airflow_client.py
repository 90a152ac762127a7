"""The client of Airflow's REST API against a server that refuses, fails and hangs up."""

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from chotso.errors import ChotsoError
from chotso.local import client
from chotso.local.client import AirflowClient

RUN = {
    "dag_id": "d",
    "dag_run_id": "manual__2021-12-29T00:00:00+00:00",
    "state": "queued",
    "partition_key": "2021-12-29",
    "run_type": "manual",
}


class Handler(BaseHTTPRequestHandler):
    """Gives tokens t1, t2, …; answers as `answers` says, in their order."""

    seen: list[str]
    answers: list[Any]
    tokens: int

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        if self.path == "/auth/token":
            type(self).tokens += 1
            self.say(201, {"access_token": f"t{self.tokens}"})
            return
        self.seen.append(f"{self.command} {self.path} {self.headers['Authorization']}")
        answer = self.answers.pop(0)
        if answer == "hang up":
            self.connection.close()
        elif isinstance(answer, int):
            self.say(answer, {"detail": "no"})
        else:
            self.say(200, answer)

    do_POST = do_PATCH = do_GET

    def say(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def handler() -> type[Handler]:
    return type("OneServer", (Handler,), {"seen": [], "answers": [], "tokens": 0})


@pytest.fixture
def api(handler: type[Handler], monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowClient]:
    monkeypatch.setattr(client, "wait_incrementing", lambda *_: lambda _: 0)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # is not asked
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield AirflowClient(f"http://127.0.0.1:{server.server_port}", "user", "word")
    server.shutdown()
    server.server_close()


def test_an_expired_token_is_renewed_once(api: AirflowClient, handler: type[Handler]) -> None:
    handler.answers += [RUN, 401, RUN]
    run = api.create_run("d", date(2021, 12, 29))
    assert api.run(run).partition_key == "2021-12-29"
    assert [line.rpartition(" ")[2] for line in handler.seen] == ["t1", "t1", "t2"]


def test_a_refusal_is_told_with_what_was_answered(
    api: AirflowClient, handler: type[Handler]
) -> None:
    handler.answers += [401, 401]
    with pytest.raises(ChotsoError, match=r"answered 401 to GET /api/v2/dags: .*no"):
        api.dag_ids()
    assert handler.tokens == 2


def test_what_changes_nothing_is_asked_again_and_a_run_is_created_once(
    api: AirflowClient, handler: type[Handler]
) -> None:
    handler.answers += ["hang up", "hang up", {"dags": [{"dag_id": "d"}], "total_entries": 1}]
    assert api.dag_ids() == ["d"]
    handler.answers += ["hang up", RUN]
    with pytest.raises(ChotsoError, match="does not answer"):
        api.create_run("d")
    assert handler.answers == [RUN]


def test_the_ids_of_runs_arrive_as_they_are(api: AirflowClient, handler: type[Handler]) -> None:
    handler.answers += [RUN, RUN]
    api.run(api.create_run("d"))
    assert "/dagRuns/manual__2021-12-29T00%3A00%3A00%2B00%3A00 " in handler.seen[1]


def test_health_is_asked_once_and_without_a_login(
    api: AirflowClient, handler: type[Handler]
) -> None:
    handler.answers += ["hang up", 401]
    assert not api.is_healthy()
    assert handler.answers == [401]
    assert handler.tokens == 0
