"""Takes the pictures of docs/bi.md from the Superset that runs for `$CHOTSO_HOME` (`make bi`).

    CHOTSO_HOME=… python docs/images/superset.py

Needs Debian's chromium. Each picture is a dashboard as its user sees it, from the top.
"""

import os
from pathlib import Path

from playwright.sync_api import Browser

from chotso.local.superset_home import SupersetHome
from tests.bi.browser import (
    DESKTOP,
    DIRECTOR,
    ENGINEER,
    PHONE,
    Bi,
    logged_in,
    open_dashboard,
)
from tests.worlds.chromium import running_chromium

HERE = Path(__file__).resolve().parent
# file, user, dashboard, tab, height; a phone where the name says so
PICTURES = (
    ("bi-progress.png", DIRECTOR, "tien-do-thi-dua", 0, 2350),
    ("bi-progress-agency.png", "", "tien-do-thi-dua", 1, 1000),
    ("bi-employers.png", DIRECTOR, "tien-do-thi-dua", 2, 1300),
    ("bi-debts.png", DIRECTOR, "don-doc-no", 0, 2500),
    ("bi-quality.png", ENGINEER, "chat-luong-du-lieu", 0, 2600),
    ("bi-operations.png", ENGINEER, "van-hanh", 0, 2300),
    ("bi-phone-progress.png", DIRECTOR, "tien-do-thi-dua", 0, 844),
    ("bi-phone-debts.png", DIRECTOR, "don-doc-no", 0, 844),
)


def take(browser: Browser, bi: Bi, name: str, user: str, slug: str, tab: int, height: int) -> None:
    """One picture."""
    phone = "phone" in name
    with logged_in(browser, bi, user or bi.agency_user, PHONE if phone else DESKTOP) as page:
        open_dashboard(page, bi, slug, "?standalone=2" if phone else "")
        tabs = page.locator(".dashboard-component-tabs [role=tab]")
        if tabs.count():
            tabs.nth(tab).evaluate("each => each.click()")
        page.set_viewport_size({"width": PHONE["width"] if phone else 1360, "height": height})
        page.evaluate("document.querySelectorAll('*').forEach(each => { each.scrollTop = 0; })")
        page.wait_for_timeout(3000)
        page.screenshot(path=HERE / name)


def main() -> None:
    """Take them all."""
    chotso_home = Path(os.environ.get("CHOTSO_HOME", ".chotso")).resolve()
    port = SupersetHome.of(chotso_home).last_port()[0]
    bi = Bi(chotso_home, f"http://127.0.0.1:{port}")
    with running_chromium() as browser:
        for picture in PICTURES:
            take(browser, bi, *picture)


if __name__ == "__main__":
    main()
