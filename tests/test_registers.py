"""The registers as they ship, and what a wrong one is told."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from chotso.errors import ChotsoError
from chotso.registers import (
    CONFIG_DIR,
    configuration_sha256,
    load_registers,
    parse_registers,
    read_configuration,
)

FIRST_METRICS = """
participants_si_compulsory participants_si_voluntary participants_ui participants_hi
collection_si_compulsory collection_si_voluntary collection_ui collection_hi collection_total
arrears_ratio_si arrears_ratio_ui arrears_ratio_hi arrears_ratio_total
""".split()


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the shipped registers with one change."""
    for path in CONFIG_DIR.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_thirteen_metrics_ship_in_their_order() -> None:
    """Further ones come after them: releases and reports show them in this order."""
    codes = [metric.code for metric in load_registers().metrics.metrics]
    assert codes[: len(FIRST_METRICS)] == FIRST_METRICS


def test_both_periods_end_before_five_in_the_afternoon_of_the_last_day() -> None:
    registers = load_registers()
    for period_id in ("sprint-2021-q4", "plan-2021-m09-12"):
        cutoff = registers.period(period_id).cutoff_at
        assert cutoff == datetime(2021, 12, 31, 10, tzinfo=UTC)
    with pytest.raises(ChotsoError, match="sprint-2022"):
        registers.period("sprint-2022")


def test_a_stored_configuration_is_the_same_as_the_file_it_came_from() -> None:
    registers = load_registers()
    stored = json.loads(json.dumps(registers.configuration))
    assert parse_registers(stored).sha256 == registers.sha256
    assert parse_registers(stored).periods == registers.periods


def test_the_hash_sees_every_change_and_no_order_of_keys() -> None:
    assert configuration_sha256({"a": 1, "b": [1, 2]}) == configuration_sha256(
        {"b": [1, 2], "a": 1}
    )
    assert configuration_sha256({"a": "Đ"}) != configuration_sha256({"a": "D"})


def test_decimals_are_read_as_written(tmp_path: Path) -> None:
    folder = changed(
        tmp_path, "measures.yml", "si_percent_per_month: null", "si_percent_per_month: 0.10"
    )
    assert read_configuration(folder)["measures"]["interest_rates"][0]["si_percent_per_month"] == (
        "0.10"
    )
    rate = load_registers(folder).measures.interest_rates[0].si_percent_per_month
    assert str(rate) == "0.10"
    assert isinstance(rate, Decimal)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("metrics.yml", "    kind: stock", "    kind: shares", "kind"),
        ("metrics.yml", "    unit: person\n", "    unit: person\n    weight: 1\n", "weight"),
        ("metrics.yml", "collection_ui", "collection_hi", "stands twice: collection_hi"),
        ("metrics.yml", "funds: [BHXHTN]", "funds: [BHXX]", "BHXX"),
        ("metrics.yml", "    group: si\n    denominator", "    denominator", "lacks group"),
        ("measures.yml", "value: total_receivable", "value: total", "official_arrears_variant"),
        ("measures.yml", "from: 2021-01\n    value: false", "from: 2021-02\n    value: false",
         "nothing is said from 2021-01"),
        ("measures.yml", "value: false", "value: nein", "is_interest_collected"),
        ("measures.yml", "first_year: 2021", "first_year: 2021\nfirst_year: 2020", "twice"),
        ("periods.yml", "17:00:00+07:00", "17:00:00", "cutoff_at"),
        ("periods.yml", "17:00:00+07:00", "17:00:00+00:00", "offset"),
        ("periods.yml", "plan-2021-m09-12", "sprint-2021-q4", "stands twice"),
        ("periods.yml", "sprint-2021-q4", "sprint-2021-c1", "corrigendum"),
        ("periods.yml", "time_zone: Asia/Ho_Chi_Minh", "time_zone: UTC+7", "no time zone"),
        ("periods.yml", "gates: [arrears_ratio_total]", "gates: [arrears]", "unknown metrics"),
    ],
)  # fmt: skip
def test_a_wrong_register_is_refused_and_the_place_is_named(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(ChotsoError, match=said) as refusal:
        load_registers(changed(tmp_path, file, old, new))
    assert file in str(refusal.value)


def test_a_missing_register_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChotsoError, match=r"periods\.yml is missing"):
        load_registers(tmp_path)
