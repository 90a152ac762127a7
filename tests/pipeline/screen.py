"""Airflow's web interface in Chromium, as somebody in Vietnam sees it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Page, TimeoutError

from chotso.calendar import LOCAL_ZONE_NAME
from chotso.local import airflow_home
from chotso.local.airflow_home import AirflowHome
from tests.worlds.chromium import running_chromium

_WAIT_MS = 60_000


@contextmanager
def logged_in(home: AirflowHome) -> Iterator[Page]:
    """A page of the administrator's session, at the start page."""
    with running_chromium() as browser:
        context = browser.new_context(
            viewport={"width": 1360, "height": 900}, locale="en-GB", timezone_id=LOCAL_ZONE_NAME
        )
        page = context.new_page()
        page.set_default_timeout(_WAIT_MS)
        page.goto(f"{home.url()}/auth/login")
        page.fill("input[name=username]", airflow_home.ADMIN)
        page.fill("input[name=password]", home.password())
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/auth/login" not in url)
        yield page


def has_opened_the_form(page: Page) -> bool:
    """Whether the form of a run is open now; a click on a page that is still loading gets lost."""
    with suppress(TimeoutError):
        page.get_by_role("button", name="Trigger").first.click(timeout=5_000)
    with suppress(TimeoutError):
        page.locator("input[type=date]").wait_for(timeout=5_000)
    return page.locator("input[type=date]").is_visible()
