"""Every number of a fact or report says over what it may be added, to tools and to people."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.worlds.dbt_manifest import models

NUMBERS = ("numeric", "bigint", "integer", "smallint")
ADDITIVITY = {
    "additive", "not_over_months", "not_over_agencies", "by_metric", "by_metric_not_over_months",
    "none", "label",
}  # fmt: skip
WITHOUT_WORDS = {"additive", "label"}
VIETNAMESE = re.compile("không cộng|chỉ cộng")
ENGLISH = re.compile(r"never add|\badd\b.* only")


def numbers(of: Iterator[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Mart, column and what is said of it, for each number of a fact or report."""
    for node in of:
        if node["name"].startswith(("fct_", "rpt_")):
            for name, column in node["columns"].items():
                if column["data_type"].partition("(")[0] in NUMBERS:
                    yield node["name"], name, column


def silent(of: Iterator[dict[str, Any]]) -> list[str]:
    """What does not say it, or says it to tools alone."""
    found = []
    for mart, name, column in numbers(of):
        said = column["config"]["meta"].get("additivity")
        vietnamese, _, english = column["description"].partition(" — ")
        has_words = VIETNAMESE.search(vietnamese) and ENGLISH.search(english)
        if said not in ADDITIVITY or (said not in WITHOUT_WORDS and not has_words):
            found.append(f"{mart}.{name}: {said}")
    return found


def test_every_number_says_over_what_it_adds_up() -> None:
    assert silent(models()) == []


@pytest.mark.parametrize(
    ("said", "description"),
    [
        (None, "Số người; không cộng — persons; never add up"),
        ("perhaps", "Số người; không cộng — persons; never add up"),
        ("none", "Số người — persons; never add up"),
        ("none", "Số người; không cộng — persons"),
    ],
)
def test_a_number_that_does_not_would_be_found(said: str | None, description: str) -> None:
    column = {"data_type": "numeric(24,0)", "description": description,
              "config": {"meta": {"additivity": said}}}  # fmt: skip
    node = {"name": "rpt_new", "columns": {"persons": column}}
    assert silent(iter([node])) == [f"rpt_new.persons: {said}"]


def test_what_no_reader_may_add_is_not_called_additive() -> None:
    """The rules of the specification, said a second time."""
    for mart, name, column in numbers(models()):
        said = column["config"]["meta"]["additivity"]
        if re.search(r"ratio$|^ratio|participant_count|employee_count|plan|quarantined", name):
            assert said in {"none", "label"}, f"{mart}.{name}"
        if re.search(r"closing|opening|arrears|surplus|to_date", name):
            assert said != "additive", f"{mart}.{name}"
