"""What a route's failure says, and what it must not say: its URL, which holds a secret."""

import io
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chotso.errors import ChotsoError
from chotso.watch import routes
from chotso.watch.away import Told
from chotso.watch.fault import Fault
from tests.worlds.receivers import webhook

SECRET = "S3CR3T"
INCIDENT = Told(
    Fault("night_not_begun", "night", date(2021, 12, 30), "It has not begun.", next_step="look"),
    datetime(2021, 12, 30, 18, 5, tzinfo=UTC),
).as_incident()


def failure(url: str) -> OSError:
    with pytest.raises(OSError, match="the webhook") as failed:
        routes._post(url, INCIDENT, "opened")
    return failed.value


@pytest.mark.parametrize("status", [301, 404, 500])
def test_what_a_webhook_answers_is_told_without_its_url(status: int) -> None:
    """httpx writes an URL in a form of its own, in lower case and without the usual port."""
    with webhook(status) as (url, posts):
        told = failure(f"{url.replace('127.0.0.1', 'LOCALHOST')}/{SECRET}?sig=%7e{SECRET}")
    assert posts
    assert f"answered {status}" in str(told)
    assert SECRET not in str(told)


@pytest.mark.parametrize("url", [f"http://LOCALHOST:1/{SECRET}", f"http://x:{SECRET}:y/"])
def test_a_webhook_that_is_away_is_told_without_its_url(url: str) -> None:
    told = failure(url)
    assert "did not answer" in str(told)
    assert SECRET not in str(told)
    assert told.__suppress_context__, "the log of a traceback quotes it neither"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a process writes to its log; pytest's own takes what a logger keeps to itself, too."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("line", [f"mailtos//u:{SECRET}@mail.example.org", f"msteam://x/{SECRET}"])
def test_a_mistyped_route_is_in_no_log(tmp_path: Path, log: io.StringIO, line: str) -> None:
    path = tmp_path / "routes"
    path.write_text(f"truc {line}\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ChotsoError, match="line 1") as refused:
        routes._of_file(path)
    assert SECRET not in log.getvalue() + str(refused.value)


def test_the_log_of_this_test_would_show_it(log: io.StringIO) -> None:
    logging.getLogger("another.library").error("Unsupported URL: %s", SECRET)
    assert SECRET in log.getvalue()
