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


class NextAction(StrictModel):
    """What to do when a rule finds something."""

    vi: Sentence
    en: Sentence


class NextActions(StrictModel):
    """What to do about a row, by the kind of source of its feed, where a rule says nothing else."""

    table: NextAction
    file: NextAction


class _Judgement(StrictModel):
    severity: Literal["block", "quarantine"]
    level: Literal["row", "batch", "history"]
    pattern: RuleName | None = Field(
        None, description="its SQL is patterns/<pattern>.sql; absent: a file of the rule's name"
    )
    given: dict[RuleName, Words] = Field(
        default_factory=dict, description="what stands in the pattern's placeholders"
    )
    sentence_vi: Sentence
    sentence_en: Sentence
    basis: WrittenBasis
    good_value: Words
    next_action_vi: Sentence | None = Field(None, description="absent: that of `next_actions`")
    next_action_en: Sentence | None = Field(None, description="absent: that of `next_actions`")
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

    @model_validator(mode="after")
    def _says_what_to_do(self) -> Self:
        if (self.next_action_vi is None) != (self.next_action_en is None):
            raise ValueError("next_action_vi and next_action_en: both or none")
        if self.level != "row" and self.next_action_vi is None:
            raise ValueError("a rule that judges no row needs next_action_vi and next_action_en")
        return self

    @model_validator(mode="after")
    def _has_a_pattern_for_what_is_given(self) -> Self:
        if (self.pattern is None) != (not self.given):
            raise ValueError("pattern and given: both or none")
        return self


class SharedRule(_Judgement):
    """A rule that judges every feed, or all feeds of one kind."""

    name: RuleName
    owner: Words | None = Field(None, description="who answers for it; absent: the feed's owner")
    judged_where: Literal["read_whole", "has_money", "has_amounts", "refers_to"] | None = Field(
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

    next_actions: NextActions
    every_feed: list[SharedRule] = Field(min_length=1)
    rules: list[
        Annotated[
            Annotated[OwnRule, Tag("rule")] | Annotated[Difference, Tag("difference")],
            Discriminator(_kind),
        ]
    ]
