"""A new feed is a contract: the shared rules judge it, and nothing else is written for it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import chotso.contracts
from chotso.ingest.night import extract_group
from chotso.ingest.rules import history_rules_of, rules_of
from chotso.migrate import migrate
from chotso.sandbox import server
from tests.worlds.quarantine_world import DAY, QuarantineWorld, quarantine_world
from tests.worlds.sandbox_homes import new_home
from tests.worlds.worked_examples import make_points, new_contract

pytestmark = pytest.mark.warehouse

ROWS = [
    ("D1", 1, "Điểm một", "07201", 10),
    ("D1", 2, "Điểm một", "07201", 20),
    ("D2", 1, "Điểm hai", "07202", 40),
    ("D2", 1, "Điểm hai", "07202", 40),
    (" ", 1, "Điểm không mã", "07201", 1),
    ("D3", 1, "", "07201", 2),
    ("D4", 1, "Điểm bốn", "07299", 3),
    ("D5", 1, "Điểm năm", "07201", 4),
    ("D5", 1, "Điểm năm", "07201", 5),
    ("D6", 1, "Điểm sáu", "07201", 10**15),
    ("D7", 1, "Điểm bảy", "07201", 10**15 + 1),
]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[QuarantineWorld]:
    """A warehouse with one feed more, whose contract is a file in a folder of its own."""
    with new_home() as home, quarantine_world(server.start(home), "point", tmp_path) as made:
        made.extract("registers")
        folder = tmp_path / "feeds"
        shutil.copytree(chotso.contracts.FEEDS_DIR, folder)
        (folder / "points.yml").write_text(new_contract(), encoding="utf-8")
        monkeypatch.setattr(chotso.contracts, "FEEDS_DIR", folder)
        make_points(made.warehouse.source_admin_url, ROWS)
        assert migrate(made.settings).tables == ["points"]
        yield made


def test_the_rules_of_every_feed_judge_a_feed_that_has_only_a_contract(
    world: QuarantineWorld,
) -> None:
    names = [
        "rows_as_landed", "whole_read_not_empty", "readable", "key_present", "required_present",
        "key_unique_or_identical", "agency_known", "amounts_in_range",
    ]  # fmt: skip
    assert [rule.name for rule in rules_of("points")] == names
    assert all(rule.shared for rule in rules_of("points"))
    owners = {rule.name: rule.owner for rule in rules_of("points")}
    assert owners["required_present"] == "Phòng Quản lý thu"
    assert owners["readable"] == "Phòng Công nghệ thông tin"
    history = ["standing_rows_near_median", "standing_money_near_median"]
    assert [rule.name for rule in history_rules_of("points")] == history

    world.extract("points")
    accepted = {(r["ma_diem"], r["so_quay"], r["so_tien"]) for r in world.in_force("points")}
    assert accepted == {("D1", 1, 10), ("D1", 2, 20), ("D2", 1, 40), ("D6", 1, 10**15)}
    aside = [(row.rule_id, int(row.money)) for row in world.aside("points")]
    assert sorted(aside) == [
        ("points.agency_known", 3),
        ("points.amounts_in_range", 10**15 + 1),
        ("points.key_present", 1),
        ("points.key_unique_or_identical", 4),
        ("points.key_unique_or_identical", 5),
        ("points.required_present", 2),
    ]
    judged = world.rows("select rule_id from ops.rule_result where rule_id like 'points.%'")
    assert sorted(r["rule_id"] for r in judged) == sorted(f"points.{n}" for n in names + history)

    world.source("delete from tst.diem_thu")
    world.tick()
    report = extract_group(world.settings, "points", DAY)
    assert "points.whole_read_not_empty" in "\n".join(report.stopped)
    assert len(world.in_force("points")) == 4
