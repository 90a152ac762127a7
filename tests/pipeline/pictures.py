"""A walk through Airflow's web interface: the list of DAGs, a night by its form, an asset, a log.

Every page is waited for until it says what a person looks for there, and a picture is taken of it.
"""

from collections.abc import Callable
from datetime import date
from urllib.parse import quote

from playwright.sync_api import Page

from chotso.calendar import night_of
from chotso.local.airflow_home import AirflowHome
from chotso.local.client import DagRun
from chotso.local.drive import BUILD, EXTRACTS, run_night
from tests.pipeline.running import TIMEOUT_S, Pipeline, wait_until
from tests.pipeline.screen import has_opened_the_form, logged_in
from tests.worlds.freeze_world import past_the_guards

BY_FORM = "extract_contributions"
FIRST, SECOND, THIRD = (date(2021, 12, day) for day in (28, 29, 30))


Keep = Callable[[str, bytes], None]  # a picture: its name, and the PNG


class Pictures:
    """Pages of one Airflow, as its administrator sees them."""

    def __init__(self, pipeline: Pipeline, page: Page, keep: Keep) -> None:
        self.pipeline, self.page, self.keep = pipeline, page, keep
        self.url = AirflowHome(pipeline.home).url()

    def take(self, name: str, height: int) -> None:
        """What the window shows."""
        self.page.set_viewport_size({"width": 1360, "height": height})
        self.page.wait_for_timeout(2500)
        self.keep(name, self.page.screenshot())

    def open(self, path: str, *words: str) -> None:
        """Go to a page, and wait until it says something."""
        self.page.goto(f"{self.url}/{path}")
        for each in words:
            self.page.get_by_text(each).first.wait_for()

    def night_by_form(self, day: date) -> None:
        """Fill the form of one extract in, and start the other ones."""
        api = self.pipeline.api
        for dag_id in EXTRACTS:
            if dag_id != BY_FORM:
                api.create_run(dag_id, day)
        known = {run.run_id for run in api.runs(BY_FORM)}
        self.open(f"dags/{BY_FORM}/details", BY_FORM)
        wait_until(lambda: has_opened_the_form(self.page))
        self.page.locator("input[type=date]").fill(day.isoformat())
        self.take("airflow-form", 900)
        self.page.get_by_test_id("trigger-dag-submit").click()
        wait_until(lambda: [run for run in api.runs(BY_FORM) if run.run_id not in known], 60)

    def asset(self, name: str) -> None:
        """An asset's page: what it holds, who makes it, who waits for it, its events."""
        found = self.page.request.get(f"{self.url}/api/v2/assets?name_pattern={name}").json()
        self.open(f"assets/{found['assets'][0]['id']}", name, BY_FORM, BUILD)
        self.take("airflow-asset", 900)

    def log(self, run: DagRun, task_id: str, *words: str) -> None:
        """The log of a task, its errors alone: in the whole log a person scrolls to them."""
        path = f"dags/{run.dag_id}/runs/{quote(run.run_id)}/tasks/{task_id}"
        self.open(f"{path}?log_level=error", *words)
        self.page.get_by_text("ChotsoError").first.click()  # folds the traceback in
        self.page.evaluate("document.activeElement.blur()")
        self.page.keyboard.press("w")  # wraps long lines
        self.take("airflow-log", 720)


def _spoil(pipeline: Pipeline) -> None:
    """Three accounts stand twice: a superuser's change past every rule."""
    with past_the_guards(pipeline.settings) as session:
        session.execute(
            "create temporary table twice as select * from raw.c12 where known_to is null "
            "order by thang desc, madvi limit 3"
        )
        session.execute("update twice set known_to = 'infinity'")
        session.execute("insert into raw.c12 select * from twice")


def _nights(pipeline: Pipeline, keep: Keep) -> None:
    """Three nights, the second by the form."""
    pipeline.advance(night_of(FIRST))
    assert run_night(pipeline.api, FIRST).is_green
    pipeline.advance(night_of(SECOND))
    with logged_in(AirflowHome(pipeline.home)) as page:
        Pictures(pipeline, page, keep).night_by_form(SECOND)
    assert pipeline.api.wait_for_run(BUILD, SECOND, timeout_s=TIMEOUT_S).state == "success"
    pipeline.advance(night_of(THIRD))
    assert run_night(pipeline.api, THIRD).is_green


def _when_well(pipeline: Pipeline, keep: Keep) -> None:
    """The list of DAGs, a grid, and an asset's page."""
    with logged_in(AirflowHome(pipeline.home)) as page:
        pictures = Pictures(pipeline, page, keep)
        pictures.open("dags?limit=25", *EXTRACTS, BUILD, "freeze_results", "watch_nights")
        pictures.take("airflow", 1660)
        pictures.open(f"dags/{BY_FORM}", "wait_for_registers")
        pictures.take("airflow-grid", 900)
        pictures.asset("contributions")


def _when_stopped(pipeline: Pipeline, keep: Keep) -> None:
    """The log of a build that a data test stopped."""
    _spoil(pipeline)
    api = pipeline.api
    failed = api.wait([api.create_run(BUILD, THIRD)], timeout_s=TIMEOUT_S)[0]
    assert failed.state == "failed"
    with logged_in(AirflowHome(pipeline.home)) as page:
        Pictures(pipeline, page, keep).log(
            failed, "build", "int_account_statements", "failing rows", "to see them"
        )


def walk(pipeline: Pipeline, keep: Keep) -> None:
    """Run three nights and a build that a data test stops; keep every picture."""
    _nights(pipeline, keep)
    _when_well(pipeline, keep)
    _when_stopped(pipeline, keep)
