"""What the papers say of a figure: its unit, and the month that it is of."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from chotso.reports.data import Release
from chotso.reports.overview import Overview
from chotso.reports.summary import table_of_the_whole
from chotso.reports.words import figure, number
from tests.worlds import report_worlds as worlds


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        (1_234, "person", "1.234\u00a0người"),
        (1_234, "vnd", "1.234\u00a0đồng"),
        (Decimal("0.0125"), "fraction", "1,25\u00a0%"),
        (None, "vnd", "–"),
    ],
)
def test_a_figure_has_the_unit_of_its_metric(
    amount: int | Decimal | None, unit: str, said: str
) -> None:
    assert figure(amount, unit) == said


def test_the_month_judged_is_the_release_s_own_though_later_ones_stand_beside_it(
    tmp_path: Path,
) -> None:
    november = replace(worlds.FACTS, business_date=date(2021, 11, 30))
    folder = worlds.province(tmp_path / "bundle")
    view = Overview(Release(folder, november))
    assert view.month == date(2021, 11, 1)
    actual = {
        row["metric_code"]: row["actual_to_date"]
        for row in worlds.raw(folder, "attainment")
        if (row["agency_code"], row["month"]) == ("072", "2021-11-01")
    }
    said = dict(zip(view.metrics, table_of_the_whole(view), strict=True))
    assert said["collection_total"][2] == f"{number(int(actual['collection_total']))}\u00a0đồng"
    people = next(code for code, metric in view.metrics.items() if metric.unit == "person")
    assert said[people][2] == f"{number(int(actual[people]))}\u00a0người"
