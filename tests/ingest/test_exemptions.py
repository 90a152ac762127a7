"""Exemptions from rules against history: what a register of them may say, and when one applies."""

from datetime import date
from pathlib import Path

import pytest

from chotso.errors import ChotsoError
from chotso.ingest.exemptions import exemption_of, load_exemptions
from chotso.registers import CONFIG_DIR, load_registers, parse_registers
from chotso.release.bundle.inputs import made_by

RULE = "payments.standing_rows_near_median"
GOOD = f"""
exemptions:
  - rule: {RULE}
    reason: Công văn 123, nhập chứng từ của huyện mới sáp nhập
    approver: Nguyễn Văn A
    from: 2022-01-15
    until: 2022-01-20
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "exemptions.yml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("day", "applies"), [(14, False), (15, True), (18, True), (20, True), (21, False)]
)
def test_it_applies_from_its_first_day_to_its_last(tmp_path: Path, day: int, applies: bool) -> None:
    folder = written(tmp_path, GOOD)
    found = exemption_of(RULE, date(2022, 1, day), folder)
    assert (found is not None) == applies
    assert exemption_of("payments.standing_money_near_median", date(2022, 1, 18), folder) is None
    assert exemption_of("employers.standing_rows_near_median", date(2022, 1, 18), folder) is None


def test_it_says_who_and_until_when(tmp_path: Path) -> None:
    found = exemption_of(RULE, date(2022, 1, 15), written(tmp_path, GOOD))
    assert found is not None
    assert found.in_words.startswith("exempt until 2022-01-20, approved by Nguyễn Văn A: Công văn")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (RULE, "payments.amount_in_range", "not a rule against history"),
        (RULE, "payments.rows_as_landed", "not a rule against history"),
        (RULE, "payments.standing_rows", "no rule"),
        ("until: 2022-01-20", "until: 2022-01-14", "ends before it begins"),
        ("until: 2022-01-20", "until: 2022-02-15", "lasts 32 days"),
        ("    until: 2022-01-20\n", "", "until"),
        ("    approver: Nguyễn Văn A\n", "", "approver"),
        ("approver: Nguyễn Văn A", "approver: ''", "approver"),
        ("reason: Công", "why: Công", "reason"),
        ("from: 2022-01-15", "from: tomorrow", "from"),
        ("exemptions:", "exceptions:", "exemptions"),
    ],
)
def test_a_wrong_one_is_refused_and_the_place_is_named(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(ChotsoError, match=said) as refusal:
        load_exemptions(written(tmp_path, GOOD.replace(old, new, 1)))
    assert "exemptions.yml" in str(refusal.value)


def test_none_are_needed(tmp_path: Path) -> None:
    assert load_exemptions(tmp_path) == []
    assert exemption_of(RULE, date(2022, 1, 15), tmp_path) is None


def test_the_shipped_register_is_empty_and_its_example_holds(tmp_path: Path) -> None:
    assert load_exemptions() == []
    lines = (CONFIG_DIR / "exemptions.yml").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.endswith("exemptions:"))
    example = [line.removeprefix("#").removeprefix("   ") for line in lines[start:-1]]
    (shown,) = load_exemptions(written(tmp_path, "\n".join(example)))
    assert shown.rule == "employers.standing_rows_near_median"


def test_they_are_part_of_the_configuration_that_is_kept_and_hashed() -> None:
    registers = load_registers()
    assert registers.configuration["exemptions"] == {"exemptions": []}
    assert "config/exemptions.yml" in made_by().configuration
    before = {k: v for k, v in registers.configuration.items() if k != "exemptions"}
    # a build of before there were any can still be asked for
    assert parse_registers(before).sha256 != registers.sha256
