"""`make demo` on a bad day: it goes on, says what runs, and names at the end what went wrong."""

import io
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chotso.demo import play as demo
from chotso.demo import progress
from chotso.demo import report as demo_report
from chotso.errors import ChotsoError
from chotso.local.client import AirflowClient, DagRun
from chotso.local.drive import EXTRACTS, Night

DAY = date(2021, 12, 29)
ANYTHING: Any = None


def night(*failed: str, build: str | None = None) -> Night:
    def run(dag_id: str) -> DagRun:
        return DagRun(dag_id, "r", "failed" if dag_id in failed else "success", None, "manual")

    built = DagRun("build_warehouse", "b", build, None, "asset_triggered") if build else None
    return Night(DAY, [run(dag_id) for dag_id in EXTRACTS], built)


@pytest.fixture
def on_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> demo.Demo:
    console = Console(file=io.StringIO(), width=110)
    made = demo.Demo(tmp_path, demo.Size(), console, time.monotonic())
    monkeypatch.setattr(demo.Demo, "advance", lambda *_: False)
    return made


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_hiccup_is_mended_and_the_night_goes_on(
    on_stage: demo.Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "run_night", lambda *_: night("extract_arrears"))
    monkeypatch.setattr(demo, "run_again", lambda *_: night(build="success"))
    on_stage.night(ANYTHING, ANYTHING, ANYTHING, DAY)
    assert on_stage.trouble == ["the night of 29.12.2021: extract_arrears failed; once more"]


def test_a_night_that_fails_twice_does_not_end_the_demonstration(
    on_stage: demo.Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "run_night", lambda *_: night("extract_plans"))
    monkeypatch.setattr(demo, "run_again", lambda *_: night(build="failed"))
    on_stage.night(ANYTHING, ANYTHING, ANYTHING, DAY)
    assert on_stage.trouble[-1] == "the night of 29.12.2021: build_warehouse failed again"


def test_what_went_wrong_is_named_with_the_place_to_look() -> None:
    console = Console(file=io.StringIO(), width=110)
    demo_report.show_trouble(console, ["a [task] failed"], "http://x", Path("/h/alerts.jsonl"))
    assert "a [task] failed" in printed(console)
    assert "/h/alerts.jsonl" in printed(console)
    console = Console(file=io.StringIO(), width=110)
    demo_report.show_trouble(console, [], "http://x", Path("/h/alerts.jsonl"))
    assert printed(console).strip() == "No task failed on the way."


def test_whoever_waits_is_told_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(progress, "running", lambda _: [("model fct_contribution", 12.4)])
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    watcher = progress.Watcher(ANYTHING, lambda text, is_line: told.append((text, is_line)))
    watcher.look()
    watcher.look()  # a moment later: not again
    assert told == [("model fct_contribution (12 s)", True)]


def test_a_warehouse_that_is_away_does_not_end_the_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(_: object) -> list[tuple[str, float]]:
        raise ChotsoError("away", next_step="wait.")

    monkeypatch.setattr(progress, "running", away)
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        progress.Watcher(ANYTHING, lambda *_: None).look()

    api = AirflowClient("http://127.0.0.1:1", "u", "p", while_waiting=look)
    assert api._wait(lambda: looks > 1, 5, pause_s=0.01)
