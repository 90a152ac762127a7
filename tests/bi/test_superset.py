"""Superset in Chromium: the Director, an agency's reader and a data engineer look at it.

All of it is real: PostgreSQL, Superset as `bi/requirements.lock` pins it, Debian's Chromium.
`make bi-test` runs this.
"""

import itertools
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from chotso import PROJECT_ROOT
from chotso.local import superset
from tests.bi.browser import (
    DIRECTOR,
    ENGINEER,
    PHONE,
    Bi,
    charts_of,
    logged_in,
    open_dashboard,
    post,
)
from tests.worlds.chromium import CHROMIUM

AXE = PROJECT_ROOT / ".cache/axe/node_modules/axe-core/axe.min.js"
EVERYBODYS = ("tien-do-thi-dua", "don-doc-no")
ENGINEERS = ("chat-luong-du-lieu", "van-hanh")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not superset.PYTHON.exists(), reason="needs the environment of `make bi`"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


def written(value: Decimal | int | None, places: int = 0) -> str:
    """A number as it is written in Vietnamese; this shares nothing with the charts' SQL."""
    if value is None:
        return "–"
    exact = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{exact:,}".translate(str.maketrans(",.", ".,"))


def user_of(kind: str, bi: Bi) -> str:
    return bi.agency_user if kind == "agency" else kind


def show_first_tab(page: Page) -> None:
    tabs = page.locator(".dashboard-component-tabs [role=tab]")
    if tabs.count():
        tabs.first.click()
    page.locator(".chotso:visible").first.wait_for()


def grid(page: Page, title: str) -> dict[tuple[str, str], str]:
    """The strong figures of a table of ours: (row, column) to text."""
    table = page.locator(
        f".dashboard-component-chart-holder:has-text('{title}') table.chotso"
    ).first
    heads = table.locator("thead th").all_inner_texts()
    found = {}
    for row in table.locator("tbody tr").all():
        name = row.locator("th").inner_text()
        for head, cell in zip(heads[1:], row.locator("td b").all_inner_texts(), strict=True):
            found[name, head] = cell
    return found


@pytest.mark.parametrize(
    ("kind", "slugs"),
    [(DIRECTOR, EVERYBODYS), ("agency", EVERYBODYS), (ENGINEER, (*EVERYBODYS, *ENGINEERS))],
)
def test_every_chart_has_data_and_no_error(
    bi: Bi, chromium: Browser, kind: str, slugs: tuple[str, ...]
) -> None:
    with logged_in(chromium, bi, user_of(kind, bi)) as page:
        listed = page.request.get(f"{bi.url}/api/v1/dashboard/").json()["result"]
        assert {each["slug"] for each in listed} == set(slugs)
        for slug in slugs:
            sent = open_dashboard(page, bi, slug)
            assert len(sent) == charts_of(slug)
            for number, answer in sent.items():
                assert answer["status"] == 200, (slug, number, answer)
                assert answer["result"][0]["error"] is None, (slug, number)
                assert answer["result"][0]["data"], (slug, number, answer["result"][0]["query"])
            assert page.locator(".ant-alert-error").count() == 0
            assert "violates the following" not in page.inner_text("body")


def test_what_the_director_reads_is_what_the_marts_say(bi: Bi, chromium: Browser) -> None:
    with logged_in(chromium, bi, DIRECTOR) as page:
        open_dashboard(page, bi, "tien-do-thi-dua")
        show_first_tab(page)
        lights, arrears = grid(page, "Đèn tín hiệu"), grid(page, "Tỷ lệ nợ so với mức")
        cards = page.locator("dl.chotso dd").all_inner_texts()
    expected = {
        (agency, metric): f"{written(100 * actual, 3)} %"
        if unit == "fraction" and actual is not None
        else ("–" if ratio is None else f"{written(100 * ratio, 1)} %")
        for agency, metric, unit, actual, ratio in bi.rows(
            DIRECTOR,
            "select agency_short_name, metric_short_name_vi, unit_code, actual_to_date,"
            " attainment_ratio from marts.rpt_attainment where is_latest_month",
        )
    }
    assert lights == expected
    owed = bi.rows(
        DIRECTOR,
        "select agency_short_name, group_vi, arrears_ratio from marts.rpt_arrears"
        " where is_latest_month",
    )
    assert arrears == {
        (agency, group): "–" if ratio is None else f"{written(100 * ratio, 3)} %"
        for agency, group, ratio in owed
    }
    [(actual, missing, needed)] = bi.rows(
        DIRECTOR,
        "select actual_to_date, missing_to_plan, ceil(needed_per_day) from marts.rpt_pace"
        " where is_latest_night and is_province and metric_code = 'collection_total'",
    )
    assert {written(actual), written(missing), written(needed)} <= set(cards)
    assert len(lights) + len(arrears) + 3 >= 40


def test_what_is_charged_is_what_the_marts_say(bi: Bi, chromium: Browser) -> None:
    statement = (
        "select employer_code, arrears_vnd, months_owed_count, paid_last_7_days_vnd"
        " from marts.rpt_employer_debt where is_latest_month and arrears_vnd > 0"
    )
    for user in (DIRECTOR, bi.agency_user):
        with logged_in(chromium, bi, user) as page:
            sent = open_dashboard(page, bi, "don-doc-no")
        [shown] = [
            answer["result"][0]["data"]
            for answer in sent.values()
            if "owing_since_month" in answer["result"][0]["colnames"]
        ]
        names = ("employer_code", "arrears_vnd", "months_owed_count", "paid_last_7_days_vnd")
        read = [(row[names[0]], *(Decimal(str(row[name])) for name in names[1:])) for row in shown]
        assert sorted(read) == sorted(bi.rows(user, statement))


def test_an_agency_sees_no_foreign_figure(bi: Bi, chromium: Browser) -> None:
    """After the Director has looked at the same charts, so that a cache would have his."""
    all_names = {name for (name,) in bi.rows(DIRECTOR, OWN_NAME)}
    own = {name for (name,) in bi.rows(bi.agency_user, OWN_NAME)}
    assert len(own) == 1 < len(all_names)
    for user, expected in ((DIRECTOR, all_names), (bi.agency_user, own), (DIRECTOR, all_names)):
        with logged_in(chromium, bi, user) as page:
            sent = [open_dashboard(page, bi, slug) for slug in EVERYBODYS]
            cells = set(page.locator("td, th").all_inner_texts())
            asked = [ask_freely(page, bi, number) for number in datasets_with_agencies(page, bi)]
        seen = set(itertools.chain.from_iterable(agencies_in(each) for each in sent)) | set(
            itertools.chain.from_iterable(asked)
        )
        assert seen == expected
        if user == bi.agency_user:
            assert own & cells
            assert not (all_names - own) & cells


OWN_NAME = "select distinct agency_short_name from marts.rpt_attainment"


def agencies_in(sent: dict[int, Any]) -> set[str]:
    rows = [row for answer in sent.values() for row in answer["result"][0]["data"]]
    return {row["agency_short_name"] for row in rows if row.get("agency_short_name")}


def datasets_with_agencies(page: Page, bi: Bi) -> list[int]:
    query = "(page_size:100,columns:!(id,table_name))"
    listed = page.request.get(f"{bi.url}/api/v1/dataset/?q={query}").json()["result"]
    wanted = {"rpt_attainment", "rpt_arrears", "rpt_employer_debt", "rpt_pace", "chung_tu"}
    return [each["id"] for each in listed if each["table_name"] in wanted]


def ask_freely(page: Page, bi: Bi, dataset: int) -> set[str]:
    """The agencies that a query of one's own gets out of a dataset."""
    query = {"columns": ["agency_short_name"], "metrics": [], "filters": [], "row_limit": 10000}
    body = {"datasource": {"id": dataset, "type": "table"}, "queries": [query], "force": False}
    status, answer = post(page, bi, "/api/v1/chart/data", body)
    assert status == 200, answer
    assert answer["result"][0]["is_cached"] in (None, False)
    return {row["agency_short_name"] for row in answer["result"][0]["data"]}


def test_sql_is_the_engineers_alone_and_only_reads(bi: Bi, chromium: Browser) -> None:
    count = {"database_id": 1, "sql": "select count(*) as n from marts.rpt_attainment"}
    write = {"database_id": 1, "sql": "update marts.rpt_attainment set is_met = true"}
    for user in (DIRECTOR, bi.agency_user):
        with logged_in(chromium, bi, user) as page:
            assert post(page, bi, "/api/v1/sqllab/execute/", count)[0] in (401, 403)
            assert page.get_by_text("SQL", exact=True).count() == 0
    with logged_in(chromium, bi, ENGINEER) as page:
        status, answer = post(page, bi, "/api/v1/sqllab/execute/", count)
        assert status == 200, answer
        assert answer["data"] == [{"n": bi.rows(ENGINEER, count["sql"])[0][0]}]  # type: ignore[arg-type]
        assert post(page, bi, "/api/v1/sqllab/execute/", write)[0] >= 400


def test_who_has_no_login_of_the_warehouse_reads_nothing(bi: Bi, chromium: Browser) -> None:
    with logged_in(chromium, bi, "admin") as page:
        query = {"columns": ["agency_code"], "metrics": [], "row_limit": 10}
        for dataset in datasets_with_agencies(page, bi):
            body = {"datasource": {"id": dataset, "type": "table"}, "queries": [query]}
            status, answer = post(page, bi, "/api/v1/chart/data", body)
            assert status >= 400, answer
            assert "không có tài khoản" in str(answer)


def test_a_phone_shows_one_column(bi: Bi, chromium: Browser) -> None:
    for slug in EVERYBODYS:
        with logged_in(chromium, bi, DIRECTOR, PHONE) as page:
            open_dashboard(page, bi, slug, "?standalone=2")
            boxes = [
                holder.bounding_box()
                for holder in page.locator(".dashboard-component-chart-holder:visible").all()
            ]
            assert len({round(box["x"]) for box in boxes if box}) == 1
            assert all(box and box["x"] >= 0 and box["width"] >= 300 for box in boxes)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core, which `make bi-test` gets")
def test_axe_finds_no_serious_fault_in_what_is_ours(bi: Bi, chromium: Browser) -> None:
    for slug in EVERYBODYS:
        with logged_in(chromium, bi, DIRECTOR) as page:
            open_dashboard(page, bi, slug)
            show_first_tab(page)
            page.evaluate(Path(AXE).read_text(encoding="utf-8"))
            found: Any = page.evaluate("() => axe.run({include: [['.chotso']]})")
            serious = [
                (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert serious == []
            assert len(found["passes"]) >= 5


def test_made_again_it_takes_back_what_is_ours_and_leaves_what_people_made(
    bi: Bi, chromium: Browser
) -> None:
    with logged_in(chromium, bi, ENGINEER) as page:
        dataset = datasets_with_agencies(page, bi)[0]
        for name in ("của người dùng", "không còn trong bi"):
            body = {"slice_name": name, "viz_type": "table", "datasource_type": "table"}
            status, answer = post(page, bi, "/api/v1/chart/", {**body, "datasource_id": dataset})
            assert status == 201, answer
    with bi.own_database() as database:
        database.execute(
            "update slices set is_managed_externally = true where slice_name = 'không còn trong bi'"
        )
        database.execute("update dashboards set dashboard_title = 'x' where slug = 'don-doc-no'")
        passwords = bi.passwords()
        url = superset.start(bi.home)
        assert bi.passwords() == passwords
        titles = dict(database.execute("select slug, dashboard_title from dashboards").fetchall())
        left = {name for (name,) in database.execute("select slice_name from slices").fetchall()}
    assert titles["don-doc-no"] == "Đôn đốc nợ"
    assert "của người dùng" in left
    assert "không còn trong bi" not in left
    with logged_in(chromium, Bi(bi.home, url), DIRECTOR) as page:
        assert page.request.get(f"{url}/api/v1/dashboard/").json()["count"] == len(EVERYBODYS)
