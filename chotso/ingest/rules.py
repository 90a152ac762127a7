"""The rule register: which rules judge a feed, what they say, and their SQL.

`expectations/register.yml` lists the rules. Their order decides which rule is given as a row's
reason. `expectations/<feed>/<name>.sql` is one rule of that feed,
`expectations/every_feed/<name>.sql` one rule of all feeds, and `expectations/patterns/<name>.sql`
the SQL of several rules (see `chotso.ingest.every_feed`). Rules only read.

Most rules judge a batch before it is published. Rules of level `history` judge all rows in force of
the feed, inside the publishing transaction (see `chotso.ingest.history`).

`python -m chotso.ingest.rules` writes docs/rules.md.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chotso import PROJECT_ROOT, contracts
from chotso.errors import ChotsoError
from chotso.ingest import every_feed
from chotso.ingest.rule_entries import read_entries

EXPECTATIONS_DIR = PROJECT_ROOT / "expectations"
RULES_PAGE = PROJECT_ROOT / "docs" / "rules.md"
HISTORY_DAYS = 14
HISTORY_DATES_NEEDED = 10
_BRACES = re.compile(r"\{(known_at|business_date|month|rows|batch)\}|[{}]")
_NAMED = re.compile(r"\{([a-z_]+)\}")
_HEADER = re.compile(r"\A(?:--[^\n]*\n|\s*\n)*")


@dataclass(frozen=True)
class RuleFacts:
    """What a rule may use besides the batch's rows.

    Attributes:
        known_at: The source's clock when the batch was read, aware.
        business_date: The date the batch was read for.
        month: The month that a file reports, first day; None where it reports none.
        rows: Rows of the landing manifest.
    """

    known_at: datetime
    business_date: date
    month: date | None
    rows: int

    def literals(self) -> dict[str, str]:
        """The facts as typed SQL literals, by placeholder."""
        known_at = self.known_at.astimezone(UTC).isoformat(sep=" ")
        return {
            "known_at": f"timestamptz '{known_at}'",
            "business_date": f"date '{self.business_date}'",
            "month": f"date '{self.month}'" if self.month else "null::date",
            "rows": f"bigint '{self.rows}'",
        }


@dataclass(frozen=True)
class StandingFacts:
    """What a rule of level `history` may use.

    Attributes:
        standing: Rows, or đồng, in force of the feed after the batch.
        history: The same after each published business date of the days before.
    """

    standing: int | Decimal
    history: list[int | Decimal]


class Tolerance(BaseModel):
    """How far a standing total may lie from the median of its history, below and above.

    The total may lie from `median - below * |median| - slack_below` to `median + above * |median| +
    slack_above`, both included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    below: Decimal = Field(ge=0)
    above: Decimal = Field(ge=0)
    slack_below: int = Field(0, ge=0)
    slack_above: int = Field(0, ge=0)

    def literals(self) -> dict[str, str]:
        """The tolerance as typed SQL literals, by placeholder."""
        return {name: f"numeric '{value}'" for name, value in self.model_dump().items()}

    @property
    def in_words(self) -> str:
        """For the page and the operator."""
        return (
            f"median - {self.below} × |median| - {self.slack_below:,} … "
            f"median + {self.above} × |median| + {self.slack_above:,}"
        )


class RuleBasis(BaseModel):
    """The reason for a rule: a law, or how the business is run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["legal", "business"]
    source: str


class Rule(BaseModel):
    """One rule of one feed.

    Attributes:
        shared: The rule is written once for every feed.
        pattern: The name of the SQL file that it shares with other rules, or None.
        given: What stands in the pattern's placeholders.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    feed: str
    severity: Literal["block", "quarantine"]
    level: Literal["row", "batch", "history"]
    sentence_vi: str
    sentence_en: str
    basis: RuleBasis
    good_value: str
    next_action_vi: str
    next_action_en: str
    owner: str
    refers_to: str | None = None
    about_key: bool = False
    tolerance: Tolerance | None = None
    shared: bool = False
    pattern: str | None = None
    given: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The id without the feed."""
        return self.id.partition(".")[2]

    @property
    def path(self) -> Path:
        """Where the rule's SQL stands."""
        return EXPECTATIONS_DIR / self.file

    @property
    def file(self) -> str:
        """The rule's SQL file, in `expectations/`."""
        if self.pattern:
            return f"{every_feed.PATTERNS}/{self.pattern}.sql"
        return f"{every_feed.FOLDER if self.shared else self.feed}/{self.name}.sql"

    @property
    def sql(self) -> str:
        """The rule's select without its header; facts and `{batch}` are still to be filled in."""
        text = _HEADER.sub("", self.path.read_text(encoding="utf-8"), count=1).strip()
        if not self.shared and not self.pattern:
            return text
        contract = contracts.contract_of(self.feed)
        return every_feed.filled(text, contract, self.refers_to, self.given)

    @property
    def next_action(self) -> str:
        """What to do when the rule finds something, for the operator."""
        return self.next_action_en

    def query(self, facts: RuleFacts) -> str:
        """The rule's query over `{batch}`: row_no (bigint) and detail (text), one row per finding.

        `{batch}` is filled by `str.format`, which Great Expectations calls with the name of the
        batch's table. All other braces are doubled because of that.
        """
        literals = facts.literals()

        def rendered(match: re.Match[str]) -> str:
            name = match[1]
            if name is None:
                return match[0] * 2
            return literals.get(name, "{batch}")

        # Great Expectations gives {batch} an alias of its own unless it sees a join in the query:
        # then `from {batch} as delivered` would have two. A join with one row changes nothing.
        return (
            f"select judged.row_no, judged.detail\nfrom (\n{_BRACES.sub(rendered, self.sql)}\n"
            ") as judged\ncross join (values (1)) as once (only_row)"
        )

    def history_query(self, facts: StandingFacts) -> str:
        """The whole query of a rule of level `history`; one row if the total is out of range.

        It does not run through Great Expectations, so no brace is doubled.
        """
        assert self.tolerance is not None
        history = ", ".join(str(total) for total in facts.history)
        literals = self.tolerance.literals() | {
            "standing": f"numeric '{facts.standing}'",
            "history": f"array[{history}]::numeric[]",
            "dates_needed": f"bigint '{HISTORY_DATES_NEEDED}'",
        }
        return _NAMED.sub(lambda match: literals[match[1]], self.sql)


def rules_of(feed: str) -> list[Rule]:
    """The rules that judge a feed's batches before publishing, in register order.

    Raises:
        ChotsoError: The register is malformed, a rule lacks its file or a file its rule, or the
            feed has no rules: an empty suite would pass everything.
    """
    rules = [rule for rule in register() if rule.feed == feed and rule.level != "history"]
    if not rules:
        raise ChotsoError(
            f"The feed {feed!r} has no rules: nothing would judge its rows.",
            kept="nothing of it was published.",
            next_step=f"add its rules to {EXPECTATIONS_DIR / 'register.yml'}.",
        )
    return rules


def history_rules_of(feed: str) -> list[Rule]:
    """The rules that judge a feed's rows in force after a batch, in register order."""
    return [rule for rule in register() if rule.feed == feed and rule.level == "history"]


def register() -> tuple[Rule, ...]:
    """All rules, in register order; raises what `rules_of` raises."""
    return read_register(EXPECTATIONS_DIR, contracts.FEEDS_DIR)


@cache
def read_register(folder: Path, feeds_dir: Path) -> tuple[Rule, ...]:
    """The register in `folder` for the contracts in `feeds_dir`, checked against the SQL files.

    Raises:
        ChotsoError: It does not hold together; every fault is named.
    """
    feeds = contracts.read_contracts(feeds_dir).values()
    return tuple(Rule.model_validate(entry) for entry in read_entries(folder, feeds))


def page() -> str:
    """The text of docs/rules.md: what each rule says, and what to do if it finds something."""
    lines = [
        "# Quy tắc kiểm tra dữ liệu · Data rules",
        "",
        "Made from `expectations/register.yml` by `python -m chotso.ingest.rules`; do not edit.",
        "",
        "`block`: the batch stops and yesterday's figures stay. `quarantine`: the row is set aside"
        " whole, with its money, and the batch goes on. A row's reason is the first rule in this"
        " order that it breaks; all are kept.",
        "",
        "A rule of level `history` judges what the feed holds in all, after the batch, against the"
        f" median of the published dates of the last {HISTORY_DAYS} days, and only where there are"
        f" at least {HISTORY_DATES_NEEDED} of them. An exemption in `config/exemptions.yml` lets a"
        " batch past it, and no other rule, until a day.",
        "",
    ]
    for feed in dict.fromkeys(rule.feed for rule in register()):
        rules = [rule for rule in register() if rule.feed == feed]
        lines += [f"## {feed}", ""]
        lines += [f"- [`{rule.id}`](#{_anchor(rule.id)})" for rule in rules] + [""]
        for rule in rules:
            lines += _section(rule)
    return "\n".join(lines).rstrip() + "\n"


def _section(rule: Rule) -> list[str]:
    again = f" · judged again when {rule.refers_to} publish" if rule.refers_to else ""
    judges = "what stands in force" if rule.level == "history" else f"each {rule.level}"
    allowed = [f"- Giới hạn · allowed: {rule.tolerance.in_words}"] if rule.tolerance else []
    return [
        f"### {rule.id}",
        "",
        rule.sentence_vi,
        "",
        rule.sentence_en,
        "",
        f"- `{rule.severity}`, judges {judges}{again} · [SQL](../expectations/{rule.file})",
        f"- Căn cứ · basis: {rule.basis.kind}, {rule.basis.source}",
        f"- Giá trị đúng · good value: {rule.good_value}",
        *allowed,
        f"- Cần làm: {rule.next_action_vi}",
        f"- Next: {rule.next_action_en}",
        f"- Phụ trách · owner: {rule.owner}",
        "",
    ]


def _anchor(rule_id: str) -> str:
    return rule_id.replace(".", "")


if __name__ == "__main__":
    RULES_PAGE.write_text(page(), encoding="utf-8")
    print(f"{RULES_PAGE}: {len(register())} rules")
