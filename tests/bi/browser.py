"""Superset in Chromium: who logs in, what a dashboard shows, and what its charts were sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import yaml
from playwright.sync_api import Browser, Page, Response

from chotso.sandbox import server
from chotso.session import open_session
from tests.bi.datasets import BI

WAIT_MS = 90_000
DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
DIRECTOR = "giamdoc"
ENGINEER = "kysu"


@dataclass(frozen=True)
class Bi:
    """A running Superset and the home that it belongs to."""

    home: Path
    url: str

    @property
    def agency_user(self) -> str:
        """The user who reads one agency."""
        return next(name for name in self.passwords() if name.startswith("coquan_"))

    def passwords(self) -> dict[str, str]:
        """User to password."""
        lines = (self.home / "bi/passwords.txt").read_text(encoding="utf-8").splitlines()
        return {user: password for user, password in (line.split("\t") for line in lines)}

    def rows(self, user: str, statement: str) -> list[tuple[Any, ...]]:
        """What psql gives this user's own login."""
        place = urlsplit((self.home / "bi/warehouse.url").read_text(encoding="utf-8").strip())
        secret = (self.home / f"bi/warehouse/bi_{user}").read_text(encoding="utf-8").strip()
        url = f"postgresql://bi_{user}:{secret}@{place.netloc}{place.path}"
        with open_session(url) as connection:
            return connection.execute(statement).fetchall()

    def own_database(self) -> "psycopg.Connection[Any]":
        """Superset's own database, as a superuser."""
        running = server.load(self.home)
        assert running is not None
        url = running.admin_url.removesuffix("/warehouse") + "/superset"
        return psycopg.connect(url, autocommit=True)


def charts_of(slug: str) -> int:
    """How many charts a dashboard of ours has."""
    found = yaml.safe_load((BI / "dashboards" / f"{slug}.yaml").read_text(encoding="utf-8"))
    places = found["position"].values()
    return sum(isinstance(each, dict) and each["type"] == "CHART" for each in places)


@contextmanager
def logged_in(
    browser: Browser, bi: Bi, user: str, viewport: dict[str, int] = DESKTOP, scale: float = 1
) -> Iterator[Page]:
    """A page of this user's session."""
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        device_scale_factor=scale,
        locale="vi-VN",
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{bi.url}/login/", wait_until="networkidle")
    page.fill("#username", user)
    page.fill("#password", bi.passwords()[user])
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: not urlsplit(url).path.startswith("/login"))
    yield page
    context.close()


def open_dashboard(page: Page, bi: Bi, slug: str, query: str = "") -> dict[int, Any]:
    """Open every tab and every chart of a dashboard.

    Returns:
        Of each chart, by its number, what it was sent.
    """
    sent: dict[int, Any] = {}

    def keep(response: Response) -> None:
        asked = parse_qs(urlsplit(response.url).query)
        if "/api/v1/chart/data" in response.url and "form_data" in asked:
            number = json.loads(asked["form_data"][0])["slice_id"]
            sent[number] = {"status": response.status, **response.json()}

    page.on("response", keep)
    page.goto(f"{bi.url}/superset/dashboard/{slug}/{query}")
    page.wait_for_selector(".dashboard-component-chart-holder")
    tabs = page.locator(".dashboard-component-tabs [role=tab]")
    for place in range(max(1, tabs.count())):
        if tabs.count():
            tabs.nth(place).evaluate("each => each.click()")
        _look_at_every_chart(page)
    for _ in range(120):
        if len(sent) >= charts_of(slug):
            break
        page.wait_for_timeout(500)
    page.wait_for_timeout(1500)
    page.remove_listener("response", keep)
    return sent


def _look_at_every_chart(page: Page) -> None:
    # A chart asks for its data when it comes into sight.
    page.wait_for_timeout(1500)
    holders = page.locator(".dashboard-component-chart-holder:visible")
    for place in range(holders.count()):
        holders.nth(place).scroll_into_view_if_needed()
        page.wait_for_timeout(700)


def post(page: Page, bi: Bi, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Ask Superset's API with the session of the page."""
    token = page.request.get(f"{bi.url}/api/v1/security/csrf_token/").json()["result"]
    headers = {"X-CSRFToken": token, "Referer": f"{bi.url}/", "Accept": "application/json"}
    answer = page.request.post(f"{bi.url}{path}", data=body, headers=headers)
    return answer.status, answer.json()
