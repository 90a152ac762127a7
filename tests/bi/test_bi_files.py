"""What `bi/` says fits together, and fits the views that it reads."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bi import datasets
from tests.bi.datasets import BI

WORDS_OF_SQL = set(
    "case when then else end and or not is null filter where distinct as text false true".split()
)


@cache
def read(folder: str) -> dict[str, dict[str, Any]]:
    """The files of a folder, by their name."""
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((BI / folder).glob("*.yaml"))
    }


def by_uuid() -> dict[str, dict[str, Any]]:
    return {found["uuid"]: found for found in read("datasets").values()}


def columns_of(dataset: dict[str, Any]) -> set[str]:
    return {column["column_name"] for column in dataset["columns"]}


def words(expression: str) -> set[str]:
    """The names of columns in an expression."""
    bare = re.sub(r"'(?:[^']|'')*'", "", expression)
    return set(re.findall(r"(?<!::)\b[a-z]\w*\b(?!\s*\()", bare)) - WORDS_OF_SQL


def read_by(params: dict[str, Any]) -> set[str]:
    """The columns that a chart reads."""
    found = {*params.get("groupby", []), *params.get("all_columns", [])}
    found |= {params["x_axis"]} if "x_axis" in params else set()
    for metric in (*params.get("metrics", []), params.get("timeseries_limit_metric")):
        found |= words(metric["sqlExpression"]) if metric else set()
    for condition in params["adhoc_filters"]:
        found |= words(condition["sqlExpression"])
    found |= {yaml.safe_load(order)[0] for order in params.get("order_by_cols", [])}
    return found | set(params.get("column_config", {}))


def charts_of(dashboard: dict[str, Any]) -> list[str]:
    return [
        each["meta"]["uuid"]
        for each in dashboard["position"].values()
        if isinstance(each, dict) and each["type"] == "CHART"
    ]


def test_datasets_are_what_the_views_say() -> None:
    """`python -m tests.bi.datasets` writes them."""
    expected = datasets.files()
    assert {path.stem for path in expected} == set(read("datasets"))
    for path, content in expected.items():
        assert read("datasets")[path.stem] == content, path.name


@pytest.mark.parametrize("name", sorted(read("charts")))
def test_a_chart_reads_columns_of_a_dataset_of_ours(name: str) -> None:
    chart = read("charts")[name]
    missing = read_by(chart["params"]) - columns_of(by_uuid()[chart["dataset_uuid"]])
    assert missing == set()


def test_that_a_wrong_column_would_be_seen() -> None:
    params = {"adhoc_filters": [{"sqlExpression": "wrong > 0 and is_latest_month"}]}
    assert read_by(params) == {"wrong", "is_latest_month"}


@pytest.mark.parametrize("slug", sorted(read("dashboards")))
def test_a_dashboard_shows_charts_of_ours_one_below_the_other(slug: str) -> None:
    dashboard = read("dashboards")[slug]
    position = dashboard["position"]
    titles = {chart["uuid"]: chart["slice_name"] for chart in read("charts").values()}
    assert dashboard["slug"] == slug
    for each in position.values():
        if isinstance(each, dict) and each["type"] == "CHART":
            assert each["meta"]["sliceName"] == titles[each["meta"]["uuid"]]
            assert each["meta"]["width"] == 12
        if isinstance(each, dict) and each["type"] == "ROW":
            assert len(each["children"]) == 1
    for chosen in dashboard["metadata"]["native_filter_configuration"]:
        for target in chosen["targets"]:
            column = target["column"]["name"]
            assert column in columns_of(by_uuid()[target["datasetUuid"]]), chosen["name"]


def test_every_chart_is_on_one_dashboard_and_every_identity_is_its_own() -> None:
    shown = [uuid for each in read("dashboards").values() for uuid in charts_of(each)]
    assert sorted(shown) == sorted(chart["uuid"] for chart in read("charts").values())
    folders = ("datasets", "charts", "dashboards")
    everything = [each for folder in folders for each in read(folder).values()]
    assert len({each["uuid"] for each in everything}) == len(everything)
    assert all(each["is_managed_externally"] for each in everything)


def test_what_is_read_is_vietnamese() -> None:
    """A label without a letter that only Vietnamese has is a code or an English word."""
    said = [each["slice_name"] for each in read("charts").values()]
    for dashboard in read("dashboards").values():
        said.append(dashboard["dashboard_title"])
        said += [each["name"] for each in dashboard["metadata"]["native_filter_configuration"]]
    for chart in read("charts").values():
        for column in chart["params"].get("all_columns", []):
            said += [datasets.labels().get(column, column)]
    assert [each for each in said if each.isascii()] == []


def test_every_label_is_of_a_column() -> None:
    known = {name for dataset in read("datasets").values() for name in columns_of(dataset)}
    assert set(datasets.labels()) <= known


def test_all_dashboards_have_one_style_sheet() -> None:
    assert len({dashboard["css"] for dashboard in read("dashboards").values()}) == 1


def test_no_login_and_no_secret_stands_in_the_files() -> None:
    address = read("databases")["kho_so_lieu"]["sqlalchemy_uri"]
    assert re.fullmatch(r"postgresql\+psycopg2://127\.0\.0\.1:5432/warehouse", address)
    users = yaml.safe_load((BI / "users.yml").read_text(encoding="utf-8"))
    assert [each["user"] for each in users if "warehouse_login" not in each] == ["admin"]
    assert not any("password" in each for each in users)


def test_roles_name_dashboards_and_schemas_that_are_there() -> None:
    roles = yaml.safe_load((BI / "roles.yml").read_text(encoding="utf-8"))
    names = {role["name"] for role in roles["roles"]}
    schemas = {dataset["schema"] for dataset in read("datasets").values()}
    assert {each for role in roles["roles"] for each in role["schemas"]} == schemas
    assert set(roles["dashboards"]) <= set(read("dashboards"))
    assert {each for chosen in roles["dashboards"].values() for each in chosen} <= names


def test_the_environment_is_pinned() -> None:
    lock = Path(BI / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(r"^apache-superset==6\.1\.", lock, re.MULTILINE)
    assert re.search(r"^flask-caching==2\.[0-3]\.", lock, re.MULTILINE)
    assert "//" not in lock
    assert lock.count("--hash=sha256:") >= len(re.findall(r"^\S+==", lock, re.MULTILINE))
