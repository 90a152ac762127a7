"""What a view cannot say is told by dbt: keys as entities, what adds up, and who reads what."""

import json
import re
from typing import Any

from chotso.registers import load_registers
from tests.worlds.dbt_manifest import manifest, models, parsed

_HOOK = re.compile(r"add_foreign_key\('(\w+)', '(\w+)', '\w+'\)")
_REF = re.compile(r"ref\('(\w+)'\)")
# where a province's row stands beside its agencies'
WITH_PROVINCE = {
    "fct_arrears_ratio",
    "fct_intraday_attainment",
    "fct_monthly_attainment",
    "fct_nightly_attainment",
}


def semantic_models() -> dict[str, dict[str, Any]]:
    """By the name of the mart."""
    found = {}
    for each in manifest()["semantic_models"].values():
        match = _REF.fullmatch(each["model"])
        assert match, each["name"]
        found[match[1]] = each
    return found


def marts() -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in models() if "marts" in node["fqn"]}


def keys_to_dimensions(node: dict[str, Any]) -> dict[str, str]:
    """Column → dimension, as the foreign keys of a mart's tables say."""
    found = {
        each["columns"][0]: match[1]
        for each in node["constraints"]
        if each["type"] == "foreign_key" and (match := _REF.fullmatch(each["to"] or ""))
    }
    for hook in node["config"]["post-hook"]:
        found |= {column: dimension for column, dimension in _HOOK.findall(hook["sql"])}
    return {column: name for column, name in found.items() if name.startswith("dim_")}


def test_every_fact_tells_its_keys_as_entities() -> None:
    known = semantic_models()
    of_dimension = {
        mart: each["entities"][0]["name"] for mart, each in known.items() if mart[:4] == "dim_"
    }
    facts = {name: node for name, node in marts().items() if name.startswith("fct_")}
    assert facts.keys() <= known.keys()
    for name, node in facts.items():
        told = {entity["expr"]: entity["name"] for entity in known[name]["entities"]}
        wanted = {
            column: of_dimension[dimension]
            for column, dimension in keys_to_dimensions(node).items()
            if dimension != "dim_month"  # a time dimension
        }
        assert wanted.items() <= told.items(), name
        others = set(told.items()) - set(wanted.items())
        assert {entity for _, entity in others} <= {"batch"}, name
        assert known[name]["primary_entity"], name


def test_entities_of_dimensions_are_their_primary_keys() -> None:
    for name, each in semantic_models().items():
        if name.startswith("dim_"):
            (entity,) = each["entities"]
            keys = {
                tuple(constraint["columns"])
                for constraint in marts()[name]["constraints"]
                if constraint["type"] == "primary_key"
            }
            assert (entity["type"], keys) == ("primary", {(entity["expr"],)}), name


def test_columns_that_are_named_exist() -> None:
    for mart, each in semantic_models().items():
        columns = marts()[mart]["columns"].keys()
        for part in (*each["entities"], *each["dimensions"], *each["measures"]):
            expr = part["expr"] or part["name"]
            assert expr in columns or expr == "1" or expr.startswith("case "), (mart, expr)


def test_only_what_adds_up_is_a_sum() -> None:
    """A measure is a sum where its column says so; balances are those of the newest month."""
    for mart, each in semantic_models().items():
        for measure in each["measures"]:
            column = marts()[mart]["columns"].get(measure["expr"] or measure["name"])
            if column is None:
                continue  # a count of lines, or a case of one metric
            said = column["config"]["meta"]["additivity"]
            may_be_sum = said in {"additive", "not_over_months"} and mart not in WITH_PROVINCE
            assert (measure["agg"] == "sum") == may_be_sum, (mart, measure["name"])
            is_over_months = measure["non_additive_dimension"] is None
            assert is_over_months == (said == "additive"), (mart, measure["name"])


def test_every_metric_of_the_register_is_a_metric_for_tools() -> None:
    told = {each["name"]: each for each in manifest()["metrics"].values()}
    for metric in load_registers().metrics.metrics:
        each = told[metric.code]
        assert each["type"] == ("ratio" if metric.kind == "ratio" else "simple")
        assert each["label"] == f"{metric.name_vi} — {metric.name_en}"
    for each in told.values():
        assert " — " in each["label"], each["name"]
        assert " — " in each["description"], each["name"]


def test_tools_find_the_semantic_manifest_with_a_day_s_spine() -> None:
    written = json.loads((parsed() / "semantic_manifest.json").read_text("utf-8"))
    assert len(written["semantic_models"]) == len(semantic_models())
    (spine,) = written["project_configuration"]["time_spines"]
    assert spine["primary_column"] == {"name": "day_date", "time_granularity": "day"}
    assert spine["node_relation"]["alias"] == "dim_date"


def test_every_mart_is_read_somewhere_that_has_an_address() -> None:
    exposures = manifest()["exposures"].values()
    addresses = {each["url"] for each in exposures if each["url"]}
    place = "http://127.0.0.1:8088/superset/dashboard/"
    assert addresses == {
        f"{place}{slug}/"
        for slug in ("tien-do-thi-dua", "don-doc-no", "chat-luong-du-lieu", "van-hanh")
    }
    read = {node for each in exposures if each["url"] for node in each["depends_on"]["nodes"]}
    assert [name for name, node in marts().items() if node["unique_id"] not in read] == []
