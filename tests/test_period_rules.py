"""The ranking's part of `config/periods.yml`: what is refused, and what older files leave out."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from chotso.errors import ChotsoError
from chotso.registers import (
    CONFIG_DIR,
    OBSTACLES,
    load_registers,
    parse_registers,
    read_configuration,
)

NEW = ("officer_weights", "points", "decimals", "ties", "not_considered_when")


def test_a_configuration_of_before_the_ranking_is_still_whole() -> None:
    stored = read_configuration()
    for period in stored["periods"]["periods"]:
        for name in NEW:
            del period[name]
    for found in parse_registers(stored).periods:
        assert found.officer_weights is None
        assert found.points.share_at_target == Decimal("0.5")
        assert found.points.excess == "share_of_target"
        assert (found.decimals, found.ties) == (4, [])
        assert tuple(found.not_considered_when) == OBSTACLES


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('share_at_target: "0.5"', 'share_at_target: "1.5"', "share_at_target"),
        ("excess: share_of_target", "excess: percent", "excess"),
        ("excess: share_of_target", "excess: share_of_target, bonus: 1", "bonus"),
        ("decimals: 4", "decimals: 10", "decimals"),
        ("decimals: 4", "decimals: four", "decimals"),
        ('collection_total: "40"', 'collection_total: "-40"', "officer_weights"),
        ('collection_total: "40"', 'collection: "40"', "unknown metrics"),
        ("ties: [collection_total, arrears", "ties: [collection_total, arrear", "unknown metrics"),
        ("ties: [collection_total,", "ties: [arrears_ratio_total,", "stands twice"),
        ("[gate_failed, no_plan,", "[gate_failed, no_plans,", "not_considered_when"),
        ("[gate_failed, no_plan,", "[no_plan, no_plan,", "stands twice"),
    ],
)
def test_wrong_rules_are_refused_and_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG_DIR, folder)
    text = (folder / "periods.yml").read_text(encoding="utf-8")
    assert old in text
    (folder / "periods.yml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ChotsoError, match=said) as refusal:
        load_registers(folder)
    assert "periods.yml" in str(refusal.value)
