"""What dbt-project-evaluator asks of a project, asked of the manifest.

Names, layers, contracts and descriptions are asked in `test_dbt_project.py`. Whatever is found
here has its reason in `EXCEPTIONS`; a reason that is no longer needed fails, too.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from chotso import PROJECT_ROOT
from tests.worlds.dbt_manifest import manifest

Manifest = dict[str, Any]
MOST_LEAVES = 2  # children that nothing else reads
MOST_PARENTS = 6
MOST_VIEWS = 4  # one upon the other
_SCHEMAS = "frozen|landing|marts|ops|public|quarantine|raw|scratch"
_HARD_CODED = re.compile(rf"\b(?:from|join)\s+\"?(?:{_SCHEMAS})\w*\"?\.", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)


class Graph:
    """Models and sources of one manifest, by short name, and what each reads."""

    def __init__(self, parsed_as: Manifest) -> None:
        self.models = {
            node["name"]: node
            for node in parsed_as["nodes"].values()
            if node["resource_type"] == "model"
        }
        self.sources = {
            f"{each['source_name']}.{each['name']}" for each in parsed_as["sources"].values()
        }
        self.parents = {name: set(self._read(node)) for name, node in self.models.items()}
        self.children: dict[str, set[str]] = {name: set() for name in {*self.models, *self.sources}}
        for child, parents in self.parents.items():
            for parent in parents:
                self.children[parent].add(child)
        self.exposures = {
            each["name"]: set(self._read(each)) for each in parsed_as["exposures"].values()
        }

    @staticmethod
    def _read(node: dict[str, Any]) -> Iterator[str]:
        for unique_id in node["depends_on"]["nodes"]:
            kind, _, name = unique_id.split(".", 2)
            yield name if kind in ("model", "source") else unique_id

    def views_above(self, name: str) -> int:
        """The longest chain of views that ends in this model."""
        if name in self.sources or self.models[name]["config"]["materialized"] != "view":
            return 0
        return 1 + max((self.views_above(parent) for parent in self.parents[name]), default=0)


def root_models(graph: Graph) -> Iterator[str]:
    """Models that read nothing."""
    yield from (name for name, parents in graph.parents.items() if not parents)


def direct_joins_to_sources(graph: Graph) -> Iterator[str]:
    """Models that read a source beside a model."""
    for name, parents in graph.parents.items():
        if parents & graph.sources and parents - graph.sources:
            yield name


def several_sources(graph: Graph) -> Iterator[str]:
    """Models that read more than one source."""
    for name, parents in graph.parents.items():
        if len(parents & graph.sources) > 1:
            yield name


def source_fanout(graph: Graph) -> Iterator[str]:
    """Sources that more than one model reads."""
    yield from (name for name in graph.sources if len(graph.children[name]) > 1)


def unused_sources(graph: Graph) -> Iterator[str]:
    """Sources that no model reads."""
    yield from (name for name in graph.sources if not graph.children[name])


def model_fanout(graph: Graph) -> Iterator[str]:
    """Models that many last models read."""
    for name in graph.models:
        leaves = [child for child in graph.children[name] if not graph.children[child]]
        if len(leaves) > MOST_LEAVES:
            yield name


def rejoined(graph: Graph) -> Iterator[str]:
    """A model that reads another and its parent, and is the only one that reads the other."""
    for child, parents in graph.parents.items():
        for between in parents - graph.sources:
            if graph.children[between] == {child} and graph.parents[between] & parents:
                yield f"{between} in {child}"


def many_joins(graph: Graph) -> Iterator[str]:
    """Models that read many."""
    yield from (n for n, parents in graph.parents.items() if len(parents) > MOST_PARENTS)


def chained_views(graph: Graph) -> Iterator[str]:
    """Views upon views upon views."""
    yield from (name for name in graph.models if graph.views_above(name) > MOST_VIEWS)


def hard_coded_references(graph: Graph) -> Iterator[str]:
    """Models that name a relation instead of a model or source."""
    for name, node in graph.models.items():
        if _HARD_CODED.search(_COMMENT.sub("", node["raw_code"])):
            yield name


def read_by_nothing(graph: Graph) -> Iterator[str]:
    """Models below the marts that no model reads."""
    for name, node in graph.models.items():
        if not graph.children[name] and "marts" not in node["fqn"]:
            yield name


def exposed_and_not_public(graph: Graph) -> Iterator[str]:
    """What an exposure reads that readers were not promised, or that is computed as one reads."""
    for read in {name for names in graph.exposures.values() for name in names}:
        config = graph.models[read]["config"]
        if config["access"] != "public" or config["materialized"] != "table":
            yield read


RULES: list[Callable[[Graph], Iterator[str]]] = [
    root_models, direct_joins_to_sources, several_sources, source_fanout, unused_sources,
    model_fanout, rejoined, many_joins, chained_views, hard_coded_references, read_by_nothing,
    exposed_and_not_public,
]  # fmt: skip
FROM_THE_REGISTERS = "its rows come from the registers, which dbt gets as variables"
IN_FORCE_AND_ALL = "one model has the rows in force, the other all versions, or sums of them"
FOREIGN_KEYS = "a foreign key names it: the facts carry it and join nothing"
SPINE = "the rows that every figure of its kind has, whether something happened or not"
KEPT = "its sums are kept from build to build (decision 47)"
STAGED = "a step that the planner must see as a table (decision 21), not a concept of its own"
TWO_SIDES = "it compares with its own fact: both stand on the same dimensions"
MANY_KINDS = "one row per metric of any kind: it joins one model of each kind"
REPORTS = "a report adds names and labels to its fact, so that no chart needs a join"
FOREIGN_KEYS_TOO = "half of them are dimensions that its foreign keys name"
EXCEPTIONS: dict[str, dict[str, str]] = {
    "root_models": dict.fromkeys(
        ("int_metrics", "int_funds", "int_metric_funds", "dim_debt_class"), FROM_THE_REGISTERS
    )
    | {"dim_reconciliation_category": "a fixed list, which decisions and docs name"},
    "several_sources": {
        "stg_known_documents": "a document is known whether it was accepted or set aside"
    },
    "source_fanout": dict.fromkeys(
        ("raw.agencies", "raw.employers", "raw.officers", "raw.c12", "raw.payments"),
        IN_FORCE_AND_ALL,
    )
    | {"raw.participations": "as it is, as the kept sums have it, and who changed (decision 47)"}
    | {"quarantine.row": "holds rows of all feeds: each has a model of its own"},
    "model_fanout": dict.fromkeys(("dim_agency", "dim_metric", "dim_month"), FOREIGN_KEYS)
    | dict.fromkeys(("int_agency_labels", "int_latest_months", "int_pace_months"), REPORTS)
    | {"int_agency_months": SPINE},
    "rejoined": {
        "fct_arrears_ratio in rpt_arrears": REPORTS,
        "fct_employer_debt in rpt_employer_debt": REPORTS,
        "fct_officer_attainment in rpt_officers": REPORTS,
        "fct_reconciliation in rpt_reconciliation": REPORTS,
        "rpt_emulation_points in rpt_emulation_ranking": TWO_SIDES,
        "int_changed_persons in int_valid_spells": STAGED,
        "int_counted_again_steps in fct_participation_reconciliation": KEPT,
        "int_officer_participation_steps in int_officer_participation_counts": KEPT,
        "int_uncounted_persons in int_uncounted_facts": KEPT,
        "int_quarantined_money in int_agency_attainment": STAGED,
        "int_receivable_to_date in int_arrears_ratios": STAGED,
        "int_reconciliation_offsets in fct_reconciliation": STAGED,
        "int_quarantined_credits in int_quarantined_to_date": STAGED,
    },
    "many_joins": dict.fromkeys(("rpt_attainment", "rpt_employer_debt", "rpt_officers"), REPORTS)
    | dict.fromkeys(
        ("int_agency_attainment", "int_officer_attainment", "int_officer_months"), MANY_KINDS
    )
    | dict.fromkeys(
        ("fct_participation_reconciliation", "fct_reconciliation", "rpt_emulation_ranking"),
        FOREIGN_KEYS_TOO,
    )
    | dict.fromkeys(
        ("int_quarantined_money", "int_quarantined_to_date", "int_uncounted_facts"),
        "sums of all feeds in one: it reads one model of each",
    )
    | {"int_agencies": "every agency that any feed names, so it reads what names one"},
    "read_by_nothing": {
        "int_active_persons": "a data test reads it: no sum over places may fall below it",
        "int_money_at_stake": "the freeze reads it: chotso/release/data/sql/money_at_stake.sql",
        "int_uncounted_facts": "the build reads it: chotso/build/uncounted.py",
    },
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_nothing_is_found_but_what_has_its_reason(rule: Callable[[Graph], Iterator[str]]) -> None:
    assert set(rule(Graph(manifest()))) == set(EXCEPTIONS.get(rule.__name__, {}))


def test_every_reason_is_that_of_a_rule() -> None:
    assert set(EXCEPTIONS) <= {rule.__name__ for rule in RULES}


# Checks of dbt-bouncer that say what a rule here says.
SAME_RULE = {
    "check_model_depends_on_multiple_sources": "several_sources",
    "check_model_does_not_rejoin_upstream_concepts": "rejoined",
    "check_model_has_no_upstream_dependencies": "root_models",
    "check_model_min_downstream_models": "read_by_nothing",
}


def keys_laid_later(parsed_as: Manifest) -> set[str]:
    """Models whose key is laid after the load, which is faster."""
    return {
        name
        for name, node in Graph(parsed_as).models.items()
        if any("add_primary_key" in hook["sql"] for hook in node["config"]["post-hook"])
    }


def bouncer_excludes(parsed_as: Manifest) -> dict[str, set[str]]:
    """The models that each check of dbt-bouncer.yml leaves out, and what matches no model."""
    paths = {node["original_file_path"]: n for n, node in Graph(parsed_as).models.items()}
    found: dict[str, set[str]] = {}
    for check in yaml.safe_load((PROJECT_ROOT / "dbt-bouncer.yml").read_text())["manifest_checks"]:
        if check["name"].startswith("check_model_") and (pattern := check.get("exclude")):
            named = re.findall(r"\w+", pattern.removeprefix(".*/").removesuffix(r"\.sql$"))
            matched = {name for path, name in paths.items() if re.match(pattern, path)}
            found[check["name"]] = matched | (set(named) - set(paths.values()))
    return found


def test_dbt_bouncer_leaves_out_what_has_its_reason_here() -> None:
    expected = {
        check: {each.split(" in ")[-1] for each in EXCEPTIONS[rule]}
        for check, rule in SAME_RULE.items()
    } | {"check_model_has_constraints": keys_laid_later(manifest())}
    assert bouncer_excludes(manifest()) == expected


# What dbt itself looks for by its name.
CALLED_BY_DBT = {
    "generate_schema_name", "materialization_table_postgres", "materialization_view_postgres",
}  # fmt: skip


def unused_macros(parsed_as: Manifest) -> set[str]:
    """Macros that no model, test or other macro calls."""
    users = [*parsed_as["nodes"].values(), *parsed_as["macros"].values()]
    used = {each for user in users for each in user["depends_on"]["macros"]}
    ours = {i: m["name"] for i, m in parsed_as["macros"].items() if m["package_name"] == "chotso"}
    return {name for unique_id, name in ours.items() if unique_id not in used}


def test_every_macro_is_used() -> None:
    assert unused_macros(manifest()) == CALLED_BY_DBT


def test_a_macro_that_nothing_calls_would_be_found() -> None:
    changed = deepcopy(manifest())
    changed["macros"]["macro.chotso.forgotten"] = {
        "name": "forgotten", "package_name": "chotso", "depends_on": {"macros": []},
    }  # fmt: skip
    assert unused_macros(changed) == CALLED_BY_DBT | {"forgotten"}


def _reads(reader: str, *read: str, also: tuple[str, ...] = ()) -> Manifest:
    changed = deepcopy(manifest())
    for name in (reader, *also):
        changed["nodes"][f"model.chotso.{name}"]["depends_on"]["nodes"].extend(read)
    return changed


def _without(reader: str) -> Manifest:
    changed = deepcopy(manifest())
    changed["nodes"][f"model.chotso.{reader}"]["depends_on"]["nodes"] = []
    return changed


def _with(name: str, **fields: Any) -> Manifest:
    changed = deepcopy(manifest())
    changed["nodes"][f"model.chotso.{name}"].update(fields)
    return changed


def _all_views() -> Manifest:
    changed = deepcopy(manifest())
    for node in changed["nodes"].values():
        node["config"]["materialized"] = "view"
    return changed


@pytest.mark.parametrize(
    ("rule", "changed", "found"),
    [
        (root_models, lambda: _without("int_months"), "int_months"),
        (
            direct_joins_to_sources,
            lambda: _reads("int_months", "source.chotso.raw.c12"),
            "int_months",
        ),
        (several_sources, lambda: _reads("stg_plans", "source.chotso.raw.c12"), "stg_plans"),
        (source_fanout, lambda: _reads("stg_plans", "source.chotso.ops.batch"), "ops.batch"),
        (unused_sources, lambda: _without("stg_plans"), "raw.plans"),
        (
            model_fanout,
            lambda: _reads(
                "rpt_reconciliation", "model.chotso.int_batches", also=("rpt_participation",)
            ),
            "int_batches",
        ),
        (
            rejoined,
            lambda: _reads("dim_batch", "model.chotso.stg_batches"),
            "int_batches in dim_batch",
        ),
        (
            many_joins,
            lambda: _reads("dim_fund", *list(manifest()["nodes"])[:10]),
            "dim_fund",
        ),
        (chained_views, _all_views, "fct_nightly_attainment"),
        (
            hard_coded_references,
            lambda: _with("int_months", raw_code="select 1 from raw.payments"),
            "int_months",
        ),
        (read_by_nothing, lambda: _without("dim_batch"), "int_batches"),
        (exposed_and_not_public, _all_views, "fct_arrears_ratio"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)  # fmt: skip
def test_it_would_be_found(
    rule: Callable[[Graph], Iterator[str]], changed: Callable[[], Manifest], found: str
) -> None:
    """The twins that must fail: the same manifest with one thing changed."""
    assert found in set(rule(Graph(changed()))) - set(EXCEPTIONS.get(rule.__name__, {}))
