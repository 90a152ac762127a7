"""The dbt project as readers rely on it: described, owned, contracted, and true to its promises."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from chotso.contracts import contracts as contracts_of_feeds
from chotso.registers import load_registers
from tests.oracle.facts import COLLECTIONS, SCHEMES
from tests.oracle.recompute import COLLECTION_OF_GROUP, PLAN_MEASURES
from tests.worlds.dbt_manifest import PROJECT, manifest, models, parsed

ROOT = Path(__file__).resolve().parents[2]
PROMISES = PROJECT / "interface.json"
LAYERS = {"staging": ("stg_",), "intermediate": ("int_",), "marts": ("dim_", "fct_", "rpt_")}
SUBJECTS = {
    "arrears", "collection", "dimensions", "emulation", "officers", "participation", "plans",
    "reconciliation",
}  # fmt: skip
MAY_READ = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"intermediate", "marts"},
}
BILINGUAL = re.compile(r"\S — \S")


def marts() -> Iterator[dict[str, Any]]:
    yield from (node for node in models() if "marts" in node["fqn"])


def contracts() -> dict[str, dict[str, str]]:
    """Column types by mart, as its contract says."""
    return {
        node["name"]: {name: column["data_type"] for name, column in node["columns"].items()}
        for node in marts()
    }


@pytest.mark.lengthy
def test_dbt_score_finds_nothing() -> None:
    """The exceptions stand, with their reasons, in pyproject.toml."""
    done = subprocess.run(
        [
            sys.executable, "-c", "from dbt_score.cli import cli; cli()", "lint",
            "--manifest", parsed() / "manifest.json",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_dbt_score_would_find_a_model_without_description(tmp_path: Path) -> None:
    """The twin that must fail: the same manifest with one description gone."""
    broken = json.loads((parsed() / "manifest.json").read_text("utf-8"))
    broken["nodes"]["model.chotso.fct_contribution"]["description"] = ""
    (tmp_path / "manifest.json").write_text(json.dumps(broken), "utf-8")
    done = subprocess.run(
        [
            sys.executable, "-c", "from dbt_score.cli import cli; cli()", "lint",
            "--manifest", tmp_path / "manifest.json",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "fct_contribution" in done.stdout


def test_every_model_lies_in_its_layer_and_subject_with_its_own_words_beside_it() -> None:
    for node in models():
        name = node["name"]
        folder, layer, subject, file = Path(node["original_file_path"]).parts
        assert (folder, file) == ("models", f"{name}.sql")
        assert name.startswith(LAYERS[layer]), name
        assert subject in SUBJECTS, name
        beside = (PROJECT / node["original_file_path"]).with_suffix(".yml")
        said = yaml.safe_load(beside.read_text("utf-8"))
        assert said.keys() <= {"version", "models", "unit_tests"}, name
        assert [model["name"] for model in said["models"]] == [name]
        assert {test["model"] for test in said.get("unit_tests", [])} <= {name}


def crossings(parsed_as: dict[str, Any]) -> list[str]:
    """Who reads a layer that theirs may not read, what hooks and constraints name included."""
    layer_of = dict.fromkeys(parsed_as["sources"], "source") | {
        node["unique_id"]: Path(node["original_file_path"]).parts[1]
        for node in parsed_as["nodes"].values()
        if node["resource_type"] == "model"
    }
    return [
        f"{reader} reads {read}"
        for reader, node in parsed_as["nodes"].items()
        if node["resource_type"] == "model"
        for read in node["depends_on"]["nodes"]
        if layer_of[read] not in MAY_READ[layer_of[reader]]
    ]


def test_staging_reads_sources_and_each_layer_its_own_or_the_one_below() -> None:
    assert crossings(manifest()) == []


@pytest.mark.parametrize(
    ("reader", "read"),
    [
        ("stg_payments", "model.chotso.stg_batches"),
        ("int_months", "model.chotso.dim_month"),
        ("int_months", "source.chotso.raw.agencies"),
        ("dim_month", "model.chotso.stg_batches"),
        ("dim_month", "source.chotso.ops.batch"),
    ],
)
def test_a_model_that_reads_across_its_layer_would_be_found(reader: str, read: str) -> None:
    """The twin that must fail: the same manifest with one more dependency."""
    crossed = deepcopy(manifest())
    crossed["nodes"][f"model.chotso.{reader}"]["depends_on"]["nodes"].append(read)
    assert crossings(crossed) == [f"model.chotso.{reader} reads {read}"]


def test_every_feed_is_a_source_and_every_source_says_what_it_is_and_how_fresh() -> None:
    sources = list(manifest()["sources"].values())
    assert {s["name"] for s in sources if s["source_name"] == "raw"} == set(contracts_of_feeds())
    for source in sources:
        name = source["name"]
        assert source["description"], name
        assert source["source_description"], name
        if source["source_name"] == "raw":
            assert BILINGUAL.search(source["description"]), name
        timed = source["freshness"] and source["freshness"]["warn_after"]["count"]
        assert bool(timed) != bool(source["config"]["meta"].get("no_freshness")), name
        assert not timed or source["loaded_at_query"], name


def test_every_model_says_its_grain_first_and_has_an_owner() -> None:
    for node in models():
        grain = node["description"].split(" — ")[-1] if node in marts() else node["description"]
        assert grain.startswith("One row per "), node["name"]
        assert node["config"]["meta"]["owner"], node["name"]
        assert node["config"]["group"], node["name"]


def test_every_mart_is_public_bilingual_and_under_an_enforced_contract_with_keys() -> None:
    for node in marts():
        name = node["name"]
        assert node["config"]["access"] == "public", name
        assert node["config"]["contract"]["enforced"], name
        assert node["description"].startswith("Mỗi dòng "), name
        hooks = " ".join(hook["sql"] for hook in node["config"]["post-hook"])
        kinds = {constraint["type"] for constraint in node["constraints"]}
        assert "primary_key" in kinds or "add_primary_key" in hooks, name
        if name.startswith(("fct_", "rpt_")):
            assert "foreign_key" in kinds or "add_foreign_key" in hooks, name
        for column in node["columns"].values():
            assert BILINGUAL.search(column["description"]), f"{name}.{column['name']}"


def referenced(node: dict[str, Any]) -> list[str]:
    """The relations that a mart's foreign keys refer to, in the order in which they are locked."""
    constraints = [item["to"] for item in node["constraints"] if item["type"] == "foreign_key"]
    hooks = [hook["sql"] for hook in node["config"]["post-hook"]]
    names = [re.search(r"'(\w+)'", to) for to in constraints]
    names += [re.search(r"add_foreign_key\('\w+', '(\w+)'", hook) for hook in hooks]
    return [name[1] for name in names if name]


def circles(nodes: Iterable[dict[str, Any]]) -> list[str]:
    """Pairs of relations that two marts lock in opposite order."""
    after: dict[str, set[str]] = {}
    for node in nodes:
        locked = referenced(node)
        for place, name in enumerate(locked):
            after.setdefault(name, set()).update(locked[place + 1 :])
    return sorted(
        f"{first} and {second}"
        for first, seconds in after.items()
        for second in seconds
        if first <= second and first in after.get(second, set())
    )


def test_marts_lock_their_dimensions_in_one_order() -> None:
    """A foreign key locks what it refers to: in opposite orders, two builds at once deadlock."""
    assert circles(marts()) == []


def test_two_orders_would_be_found() -> None:
    def mart(*dimensions: str) -> dict[str, Any]:
        keys = [{"type": "foreign_key", "to": f"ref('{name}')"} for name in dimensions]
        return {"constraints": keys, "config": {"post-hook": []}}

    nodes = [mart("dim_month", "dim_metric"), mart("dim_metric", "dim_month")]
    assert circles(nodes) == ["dim_metric and dim_month"]


def test_every_mart_is_tested() -> None:
    tested = {
        unique_id
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "test"
        for unique_id in node["depends_on"]["nodes"]
    } | {
        unique_id
        for node in manifest()["unit_tests"].values()
        for unique_id in node["depends_on"]["nodes"]
    }
    untested = [node["name"] for node in marts() if node["unique_id"] not in tested]
    assert untested == []


def test_what_readers_were_promised_is_still_there() -> None:
    """A column that is gone or has another type breaks readers: docs/interface.md says how."""
    promised = json.loads(PROMISES.read_text("utf-8"))["marts"]
    kept = contracts()
    broken = [
        f"{mart}.{column} {kind}"
        for mart, columns in promised.items()
        for column, kind in columns.items()
        if kept.get(mart, {}).get(column) != kind
    ]
    assert broken == []


def test_what_the_contracts_say_is_promised() -> None:
    promised = json.loads(PROMISES.read_text("utf-8"))["marts"]
    assert contracts() == promised, "run `python -m tests.build.test_dbt_project`, and commit it"


def test_the_dashboards_and_the_snapshot_say_what_they_read() -> None:
    exposures = manifest()["exposures"].values()
    assert {exposure["name"] for exposure in exposures} == {
        "tien_do_thi_dua", "don_doc_no", "chat_luong_du_lieu", "van_hanh", "year_end_snapshot",
    }  # fmt: skip
    for exposure in exposures:
        assert exposure["depends_on"]["nodes"], exposure["name"]


def test_the_metric_register_says_what_the_specification_says() -> None:
    """The oracle holds the specification in its own words; the register must agree with it."""
    register = load_registers().metrics
    assert {metric.code: metric.plan_code for metric in register.metrics} == PLAN_MEASURES
    flows = {metric.code: set(metric.funds) for metric in register.metrics if metric.kind == "flow"}
    assert flows == {metric: set(funds) for metric, funds in COLLECTIONS.items()}
    schemes = {m.code for m in register.metrics if m.kind == "stock"}
    assert schemes == set(SCHEMES.values())
    denominators = {m.group: m.denominator for m in register.metrics if m.kind == "ratio"}
    assert denominators == COLLECTION_OF_GROUP
    for metric in register.metrics:
        adds_up = metric.kind == "flow"
        assert (metric.additivity == "agencies_and_months") == adds_up, metric.code


@pytest.mark.parametrize("page", ["docs/marts.md"])
def test_the_docs_name_every_metric_and_mart(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    names = [metric.code for metric in load_registers().metrics.metrics]
    names += [node["name"] for node in marts()]
    assert [name for name in names if f"`{name}`" not in text] == []


if __name__ == "__main__":
    PROMISES.write_text(
        json.dumps({"version": 1, "marts": contracts()}, indent=1, sort_keys=True) + "\n", "utf-8"
    )
    print(PROMISES)
