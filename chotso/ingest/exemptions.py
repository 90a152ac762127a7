"""Exemptions from rules against history: `config/exemptions.yml`.

Sometimes the figures really jump, for example after a reorganisation or when a register was cleaned
at the source. A person then enters an exemption: which rule, why, who approved it, and until when.
Only rules against history can be exempted.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from chotso.ingest.rules import register
from chotso.registers import CONFIG_DIR, parse_register, read_configuration
from chotso.strict_models import StrictModel

REGISTER = "exemptions"
# After a real jump, the median of 14 days reaches the new level long before this limit.
LONGEST_DAYS = 31

ExemptionText = Annotated[str, StringConstraints(min_length=10, strip_whitespace=True)]
Person = Annotated[str, StringConstraints(min_length=3, strip_whitespace=True)]


class Exemption(StrictModel):
    """An exemption from one rule, from one day to another, both included (source's clock)."""

    rule: str
    reason: ExemptionText
    approver: Person
    from_date: date = Field(alias="from")
    until: date

    @model_validator(mode="after")
    def _ends_soon(self) -> Self:
        days = (self.until - self.from_date).days + 1
        if days < 1:
            raise ValueError(f"the exemption from {self.rule} ends before it begins")
        if days > LONGEST_DAYS:
            raise ValueError(
                f"the exemption from {self.rule} lasts {days} days; {LONGEST_DAYS} are the most"
            )
        return self

    @property
    def in_words(self) -> str:
        """The exemption as one sentence for the ledger: who approved it, until when, and why."""
        return f"exempt until {self.until}, approved by {self.approver}: {self.reason}"


class ExemptionRegister(StrictModel):
    """`config/exemptions.yml`."""

    exemptions: list[Exemption]

    @model_validator(mode="after")
    def _names_rules_against_history(self) -> Self:
        level = {rule.id: rule.level for rule in register()}
        for exemption in self.exemptions:
            if exemption.rule not in level:
                raise ValueError(f"there is no rule {exemption.rule!r}")
            if level[exemption.rule] != "history":
                raise ValueError(f"{exemption.rule} is not a rule against history")
        return self


def load_exemptions(config_dir: Path | None = None) -> list[Exemption]:
    """All exemptions, expired ones included; none if there is no file.

    Raises:
        ChotsoError: Something in the file is wrong; the place is named.
    """
    config_dir = config_dir or CONFIG_DIR
    if not (config_dir / f"{REGISTER}.yml").exists():
        return []
    content = read_configuration(config_dir)
    return parse_register(ExemptionRegister, content, REGISTER).exemptions


def exemption_of(rule_id: str, day: date, config_dir: Path | None = None) -> Exemption | None:
    """The exemption from a rule on a local day, the one that lasts longest if there are several.

    Raises:
        ChotsoError: The file is wrong.
    """
    found = [
        each
        for each in load_exemptions(config_dir)
        if each.rule == rule_id and each.from_date <= day <= each.until
    ]
    return max(found, key=lambda each: each.until, default=None)
