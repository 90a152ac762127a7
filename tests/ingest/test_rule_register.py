"""The rule register holds together, its SQL says what the contracts say, its page is up to date."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from chotso.contracts import FEEDS_DIR, contract_of, contracts
from chotso.errors import ChotsoError
from chotso.ingest import rules
from chotso.ingest.rule_models import Difference, OwnRule
from chotso.ingest.rules import (
    EXPECTATIONS_DIR,
    Rule,
    RuleFacts,
    StandingFacts,
    history_rules_of,
    read_register,
    register,
    rules_of,
)

FACTS = RuleFacts(
    known_at=datetime(2022, 1, 1, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=7))),
    business_date=date(2021, 12, 31),
    month=date(2021, 12, 1),
    rows=7,
)
EVERY_FEED = {
    "rows_as_landed", "readable", "key_present", "required_present", "key_unique_or_identical",
}  # fmt: skip
by_id = pytest.mark.parametrize("rule", register(), ids=lambda rule: rule.id)


def _words(text: str) -> str:
    return " ".join(text.split())


def _body(rule: Rule) -> str:
    """The SQL of the rule's feed without any comment."""
    return re.sub(r"--[^\n]*", "", rule.sql)


# ── the register ─────────────────────────────────────────────────────────────────────────────────


def test_every_feed_has_the_rules_that_every_feed_has() -> None:
    for feed in contracts():
        assert {rule.name for rule in rules_of(feed)} >= EVERY_FEED


def test_rules_come_in_register_order() -> None:
    listed = yaml.safe_load((EXPECTATIONS_DIR / "register.yml").read_text(encoding="utf-8"))
    ids = [rule.id for rule in register()]
    own = [entry["id"] for entry in listed["rules"] if "id" in entry]
    assert [rule.id for rule in register() if not rule.shared] == own
    shared = [entry["name"] for entry in listed["every_feed"]]
    for feed in contracts():
        names = [r.name for r in register() if r.feed == feed and r.shared]
        assert names == [name for name in shared if name in names]
    judged = [r.id for feed in contracts() for r in [*rules_of(feed), *history_rules_of(feed)]]
    assert judged == ids, "a batch first, then what stands after it"


def test_what_stops_a_batch_is_judged_before_what_sets_rows_aside() -> None:
    for feed in contracts():
        names = [rule.name for rule in rules_of(feed)]
        assert names[0] == "rows_as_landed"
        assert names.index("readable") < names.index("key_present")


def test_a_reference_is_judged_again_when_what_it_refers_to_publishes() -> None:
    for rule in register():
        others = set(re.findall(r"\braw\.(\w+)", _body(rule))) - {rule.feed}
        if rule.name != "lines_within_document":
            assert others == ({rule.refers_to} if rule.refers_to else set()), rule.id


def test_what_an_entry_may_say_is_what_a_rule_has() -> None:
    assert {*OwnRule.model_fields, "shared"} == set(Rule.model_fields)
    assert set(Difference.model_fields) - {"left_out"} <= set(Rule.model_fields)


def test_a_feed_without_rules_is_refused() -> None:
    with pytest.raises(ChotsoError, match="no rules"):
        rules_of("no_such_feed")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ("severity: block", "severity: warn"),
            "Input should be 'block' or 'quarantine'",
        ),
        (("level: batch", "level: row\n    mostly: 0.99"), "mostly"),
        (("id: payments.form_known", "id: payments.status_known"), "registered twice"),
        (("id: payments.form_known", "id: payments.form_unknown"), "has no SQL file"),
        (("id: payments.form_known", "id: payments.form_unknown"), "is not registered"),
        (("feed: payments\n    severity", "feed: plans\n    severity"), "begin with its feed"),
        (("severity: block", "severity: quarantine"), "can only block"),
        (('above: "2", ', ""), "tolerance.above: Field required"),
        (('below: "0.2"', "below: 1"), "below: Input should be a valid string"),
        (
            ("slack_below: 0", "slack_below: -1"),
            "slack_below: Input should be greater than",
        ),
        (("tolerance:", "tolerated:"), "tolerated"),
        (("level: history", "level: batch"), "no other rule has one"),
        (("level: batch", "level: batch\n    tolerance: {}"), "tolerance.below: Field required"),
        (("good_value: rows loaded", "good: rows loaded"), "good_value"),
        (("owner: Phòng Tổ chức", "keeper: Phòng Tổ chức"), "owner"),
        (("next_action_vi: Chạy", "next_action: Chạy"), "next_action: Extra inputs"),
        (("basis: {kind: business,", "basis: {kind: habit,"), "basis.kind: Input should be"),
        (("rules:", "rules: ["), "does not hold together"),
        (("- name: readable", "- name: rows_as_landed"), "registered twice for every feed"),
        (("- name: readable", "- name: legible"), r"every_feed\.legible has no SQL file"),
        (("- name: readable", "- name: legible"), r"every_feed\.readable .* not registered"),
        (("judged_where: has_money", "judged_where: rich"), "judged_where: Input should be"),
        (("    refers_to: agencies\n", ""), "needs refers_to"),
        (("feed: employers, shared", "feed: shops, shared"), "shops has rules and no contract"),
        (("feed: employers, shared", "feed: agencies, shared"), "does not hold for it"),
        (("feed: employers, shared: agency", "feed: employers, shared: all"), "does not hold for"),
        (("shared: agency_known}", "shared: agency_known, severity: block}"), "severity"),
        (("left_out: ", "left_out: short # "), "left_out: String should have at least"),
        (("id: plans.measure_known", "id: plans.readable"), r"plans\.readable is registered twice"),
        (("sentence_vi: Mọi", "sentence_vi: ''\n    x: Mọi"), "sentence_vi"),
        (
            ("pattern: closing_identity", "pattern: opening_identity"),
            r"opening_identity has no SQL",
        ),
        (("    given: {counted: rows}\n", ""), "pattern and given: both or none"),
        (("    next_action_en: Have the agency's", "    # "), "next_action_en: both or none"),
        (("    next_action_vi: Chạy", "    # "), "next_action_en: both or none"),
        (("  file:\n    vi:", "  folder:\n    vi:"), "next_actions.file: Field required"),
    ],
)
def test_a_register_that_does_not_hold_together_is_refused(
    tmp_path: Path, change: tuple[str, str], fault: str
) -> None:
    shutil.copytree(EXPECTATIONS_DIR, tmp_path / "expectations")
    path = tmp_path / "expectations" / "register.yml"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ChotsoError, match=fault):
        read_register(path.parent, FEEDS_DIR)


@pytest.mark.parametrize("missing", ["payments/form_known.sql", "register.yml"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    shutil.copytree(EXPECTATIONS_DIR, tmp_path / "expectations")
    (tmp_path / "expectations" / missing).unlink()
    with pytest.raises(ChotsoError, match=r"form_known has no SQL|No such file .*register\.yml"):
        read_register(tmp_path / "expectations", FEEDS_DIR)


# ── the SQL ──────────────────────────────────────────────────────────────────────────────────────


def _as_written(rule: Rule) -> dict[str, Any]:
    """The register's own entry of a rule, which is that of every feed where the rule is shared."""
    listed = yaml.safe_load((EXPECTATIONS_DIR / "register.yml").read_text(encoding="utf-8"))
    entries = listed["every_feed"] if rule.shared else listed["rules"]
    key, name = ("name", rule.name) if rule.shared else ("id", rule.id)
    (entry,) = [entry for entry in entries if entry.get(key) == name]
    return dict(entry)


@by_id
def test_the_file_is_headed_by_the_sentence_in_both_languages(rule: Rule) -> None:
    header: list[str] = []
    for line in rule.path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            break
        header.append(line.removeprefix("--"))
    text = _words(" ".join(header))
    written = _as_written(rule)
    if rule.pattern:
        assert header, "a pattern says what its rules have in common"
        assert not text.startswith("vi:")
    else:
        assert text.startswith(f"vi: {written['sentence_vi']} en: {written['sentence_en']}")


@by_id
def test_only_what_is_known_of_the_batch_is_still_to_be_filled_in(rule: Rule) -> None:
    known = {"batch", "known_at", "business_date", "month", "rows"}
    if rule.tolerance is not None:
        known = {"history", "standing", "dates_needed"} | set(rule.tolerance.literals())
    assert set(re.findall(r"\{([a-z_]+)\}", rule.sql)) <= known


def test_a_pattern_is_the_sql_of_several_rules_and_uses_all_that_is_given() -> None:
    for path in (EXPECTATIONS_DIR / "patterns").glob("*.sql"):
        rules_ = [rule for rule in register() if rule.pattern == path.stem]
        assert len({str(rule.given) for rule in rules_}) > 1, path.stem
        for rule in rules_:
            named = set(re.findall(r"\{([a-z_]+)\}", path.read_text(encoding="utf-8")))
            assert set(rule.given) <= named, rule.id


@by_id
def test_the_sql_only_judges(rule: Rule) -> None:
    words = set(re.findall(r"[a-z_]+", _body(rule)))
    assert not words & {"insert", "update", "delete", "create", "now", "current_date", "float"}
    judged = "from unnest({history})" if rule.level == "history" else "from {batch} as delivered"
    assert judged in _body(rule)
    assert not re.search(r"select\s+(\w+\.)?\*", _body(rule))


@by_id
def test_every_pattern_is_anchored_at_both_ends(rule: Rule) -> None:
    for pattern in re.findall(r"!?~\*?\s*'([^']*)'", _body(rule)):
        assert re.fullmatch(r"\^[^^$|]*\$", pattern), pattern


@by_id
def test_a_rule_that_judges_a_batch_names_no_row(rule: Rule) -> None:
    assert ("null::bigint as row_no" in _body(rule)) == (rule.level != "row")


@by_id
def test_a_rule_judges_every_row_and_a_range_has_two_ends(rule: Rule) -> None:
    assert "mostly" not in rule.path.read_text(encoding="utf-8")
    assert "limit" not in re.findall(r"\w+", _body(rule))
    if rule.name.endswith(("_in_range", "_near_median")):
        has_ends = re.search(r"\bnot between\b", _body(rule))
        assert has_ends or {"<", ">"} <= set(re.findall(r"(?<=\s)[<>](?=\s)", _body(rule)))


@pytest.mark.parametrize("feed", contracts())
def test_every_feed_has_rules_against_history(feed: str) -> None:
    contract = contract_of(feed)
    # Plans jump with each decision: a total of plans near its median would say nothing.
    has_money = contract.money != "0" and feed != "plans"
    expected = ["standing_rows_near_median", *["standing_money_near_median"] * has_money]
    assert [rule.name for rule in history_rules_of(feed)] == expected


def test_rules_against_history_judge_alike() -> None:
    rules_ = [rule for rule in register() if rule.level == "history"]
    assert len({_body(rule).replace("đồng in force", "rows in force") for rule in rules_}) == 1
    for rule in rules_:
        assert rule.tolerance is not None
        assert rule.tolerance.above > 0
        # c12's closings cross zero; what nothing takes away may not sink by more than a fifth
        most = 2 if rule.id == "c12.standing_money_near_median" else Decimal("0.2")
        assert rule.tolerance.below <= most
        assert "config/exemptions.yml" in rule.next_action_vi
        assert "config/exemptions.yml" in rule.next_action_en


def test_a_rule_against_history_is_rendered_whole() -> None:
    rule = history_rules_of("payments")[1]
    query = rule.history_query(StandingFacts(Decimal(-5), [Decimal(7), 8]))
    assert "numeric '-5'" in query
    assert "array[7, 8]::numeric[]" in query
    assert "bigint '10'" in query
    assert not re.search(r"[{}]", query)
    assert "array[]::numeric[]" in rule.history_query(StandingFacts(0, []))


@pytest.mark.parametrize("feed", contracts())
def test_the_shared_rules_name_the_columns_of_the_contract(feed: str) -> None:
    contract = contract_of(feed)
    required = [n for n, c in contract.landed.items() if c.required and n not in contract.key]
    expected = {
        "key_present": contract.key,
        "required_present": required,
        "key_unique_or_identical": [*contract.key, *contract.tracked],
    }
    for rule in rules_of(feed):
        if rule.name in expected:
            found = set(re.findall(r"[a-z0-9_]+", _body(rule))) & set(contract.landed)
            assert found == set(expected[rule.name]), rule.id


@pytest.mark.parametrize("feed", contracts())
def test_every_amount_in_whole_đồng_has_a_range(feed: str) -> None:
    contract = contract_of(feed)
    ranges = " ".join(_body(r) for r in rules_of(feed) if r.name.endswith("_in_range"))
    assert {*contract.money_columns, *contract.amounts} <= set(re.findall(r"\w+", ranges))


def test_an_amount_is_a_whole_number_of_đồng_and_nothing_else() -> None:
    for contract in contracts().values():
        described = {
            name
            for name, column in contract.landed.items()
            if "đồng" in column.description and column.type == "bigint"
        }
        assert set(contract.amounts) == described, contract.feed


# ── the rendering ────────────────────────────────────────────────────────────────────────────────


A_RULE = rules_of("payments")[0].model_copy(update={"id": "payments.tried", "shared": False})


def _rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, facts: RuleFacts) -> str:
    monkeypatch.setattr(rules, "EXPECTATIONS_DIR", tmp_path)
    A_RULE.path.parent.mkdir(exist_ok=True)
    A_RULE.path.write_text(text, encoding="utf-8")
    return A_RULE.query(facts).format(batch="landing.here")


def test_facts_become_typed_literals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "select {known_at}, {business_date}, {month}, {rows} from {batch} as delivered\n"
    query = _rendered(tmp_path, monkeypatch, text, FACTS)
    assert (
        "select timestamptz '2021-12-31 18:00:00.000005+00:00', date '2021-12-31', "
        "date '2021-12-01', bigint '7' from landing.here as delivered"
    ) in query
    no_month = RuleFacts(datetime(2022, 1, 1, tzinfo=UTC), date(2021, 12, 31), None, 0)
    query = _rendered(tmp_path, monkeypatch, text, no_month)
    assert "date '2021-12-31', null::date, bigint '0'" in query


def test_other_braces_stay_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "select 1 where a ~ '^[0-9]{7}$' and b ~ '^x{1,2}$' and c = '{other}{{}' and {batch}\n"
    query = _rendered(tmp_path, monkeypatch, text, FACTS)
    assert text.strip().replace("{batch}", "landing.here") in query


def test_the_header_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "-- vi: 'một\n-- en: one {batch} :two\n-- why\nselect 1 -- inside\nfrom {batch}\n"
    query = _rendered(tmp_path, monkeypatch, text, FACTS)
    assert "vi:" not in query
    assert "select 1 -- inside\nfrom landing.here" in query


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def test_the_page_is_up_to_date() -> None:
    message = "run `python -m chotso.ingest.rules`"
    assert rules.RULES_PAGE.read_text(encoding="utf-8") == rules.page(), message
