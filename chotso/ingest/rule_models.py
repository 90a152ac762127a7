"""The models of the entries of `expectations/register.yml`.

`chotso.ingest.rule_entries` makes a rule per feed of each entry; `chotso.ingest.rules` has the
rule.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from chotso.strict_models import StrictModel

Fraction = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Sentence = Annotated[str, StringConstraints(min_length=10, pattern=r"^\S[^\n]*\.$")]
Feed = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$")]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*\.[a-z][a-z0-9_]*$")]
Words = Annotated[str, StringConstraints(min_length=3)]
Reason = Annotated[str, StringConstraints(min_length=10)]


class WrittenBasis(StrictModel):
    """The reason for a rule: a law, or how the business is run."""

    kind: Literal["legal", "business"]
    source: Annotated[str, StringConstraints(min_length=5)]


class WrittenTolerance(StrictModel):
    """How far a standing total may lie from the median, below and above."""

    below: Fraction
    above: Fraction
    slack_below: int = Field(ge=0)
    slack_above: int = Field(ge=0)


class _Judgement(StrictModel):
    severity: Literal["block", "quarantine"]
    level: Literal["row", "batch", "history"]
    sentence_vi: Sentence
    sentence_en: Sentence
    basis: WrittenBasis
    good_value: Words
    next_action_vi: Sentence
    next_action_en: Sentence
    refers_to: Feed | None = Field(
        None, description="feed whose publishing has this rule's set-aside rows judged again"
    )
    about_key: bool = Field(
        False, description="a row that breaks it may be any row: its statement proves no absence"
    )
    tolerance: WrittenTolerance | None = Field(None, description="of level history, and only of it")

    @model_validator(mode="after")
    def _has_a_tolerance_against_history(self) -> Self:
        if (self.level == "history") != (self.tolerance is not None):
            raise ValueError("a rule of level history has a tolerance, and no other rule has one")
        if self.level == "history" and self.severity != "block":
            raise ValueError("a rule of level history judges no row, so it can only block")
        return self


class SharedRule(_Judgement):
    """A rule that judges every feed, or all feeds of one kind."""

    name: RuleName
    owner: Words | None = Field(None, description="who answers for it; absent: the feed's owner")
    judged_where: Literal["read_whole", "has_money", "refers_to"] | None = Field(
        None, description="which feeds it judges, by their contract; absent: all"
    )

    @model_validator(mode="after")
    def _refers_to_a_feed(self) -> Self:
        if self.judged_where == "refers_to" and self.refers_to is None:
            raise ValueError("judged_where: refers_to needs refers_to, the feed")
        return self


class OwnRule(_Judgement):
    """A rule of one feed."""

    id: RuleId
    feed: Feed
    owner: Words


class Difference(StrictModel):
    """How a feed differs from a shared rule; the rule then has this place in the order."""

    feed: Feed
    shared: RuleName
    left_out: Reason | None = Field(None, description="why the feed goes without this rule")
    sentence_vi: Sentence | None = None
    sentence_en: Sentence | None = None
    basis: WrittenBasis | None = None
    good_value: Words | None = None
    owner: Words | None = None
    tolerance: WrittenTolerance | None = None


def _kind(entry: Any) -> str:
    is_difference = "shared" in entry if isinstance(entry, dict) else isinstance(entry, Difference)
    return "difference" if is_difference else "rule"


class RuleRegister(StrictModel):
    """`expectations/register.yml`."""

    every_feed: list[SharedRule] = Field(min_length=1)
    rules: list[
        Annotated[
            Annotated[OwnRule, Tag("rule")] | Annotated[Difference, Tag("difference")],
            Discriminator(_kind),
        ]
    ]
