"""Cases of the rules: those of one feed's own from `cases/<feed>.yml`, the shared ones from the
feed's contract, so that a new column or key is judged without a new case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chotso.contracts import Contract, TableSource, contracts
from chotso.ingest.rules import Rule, history_rules_of, rules_of

CASES_DIR = Path(__file__).parent / "cases"
KINDS = ("passing", "failing", "null", "edge")
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Rows as changes to the feed's good row, and the numbers (from 1) of those that break it.

    `stops` is for rules that judge the batch; `landed` is the manifest's count where it is not
    the number of rows; `raw` replaces the feed's usual content of the warehouse by table. Of a rule
    against history, `standing` is the total after the batch and `history` the published dates'.
    """

    rule_id: str
    kind: str
    name: str
    rows: list[Row]
    broken: list[int] = field(default_factory=list)
    stops: bool = False
    landed: int | None = None
    month: date | None = None
    raw: dict[str, list[Row]] | None = None
    standing: int | Decimal = 0
    history: Sequence[int | Decimal | None] = ()

    @property
    def id(self) -> str:
        """What pytest shows."""
        return f"{self.rule_id}: {self.kind}, {self.name}"


@dataclass(frozen=True)
class BadRow:
    """A change of the good row that, in a batch beside it, breaks one rule and no other."""

    breaks: str
    row: Row


@dataclass(frozen=True)
class Casebook:
    """One feed's good and bad row, the warehouse they meet, and its cases."""

    feed: str
    row: Row
    bad: BadRow
    month: date | None
    raw: dict[str, list[Row]]
    cases: list[Case]


@cache
def casebooks() -> dict[str, Casebook]:
    """The casebooks of all feeds that have rules or a contract."""
    return {contract.feed: _casebook(contract) for contract in contracts().values()}


def all_cases() -> list[Case]:
    """Every case of every feed."""
    return [case for book in casebooks().values() for case in book.cases]


def _casebook(contract: Contract) -> Casebook:
    loaded = yaml.safe_load((CASES_DIR / f"{contract.feed}.yml").read_text(encoding="utf-8"))
    row: Row = loaded["row"]
    own = [
        Case(f"{contract.feed}.{name}", **case) for name, cases in loaded.get("rules", {}).items()
        for case in cases
    ]  # fmt: skip
    return Casebook(
        contract.feed,
        row,
        BadRow(**loaded["bad"]),
        loaded.get("month"),
        loaded.get("raw", {}),
        [*_shared(contract, row), *own],
    )


def _shared(contract: Contract, row: Row) -> list[Case]:
    cases = [*_readable(contract), *_landed(contract), *_unique(contract, row)]
    required = [n for n, c in contract.landed.items() if c.required and n not in contract.key]
    for rule, columns in (("key_present", contract.key), ("required_present", required)):
        cases += _present(contract, f"{contract.feed}.{rule}", columns)
    if isinstance(contract.source, TableSource) and contract.source.read == "whole":
        cases += _not_empty(contract, row)
    if any(rule.shared and rule.name == "agency_known" for rule in rules_of(contract.feed)):
        cases += _agency_known(contract)
    if any(rule.shared and rule.name == "amounts_in_range" for rule in rules_of(contract.feed)):
        cases += _amounts_in_range(contract)
    for history_rule in history_rules_of(contract.feed):
        cases += _near_median(history_rule)
    return cases


def _readable(contract: Contract) -> list[Case]:
    rule = f"{contract.feed}.readable"
    columns = list(contract.landed)
    one = f'{{"{columns[0]}": "a NUL character: \'\\\\x00\'"}}'
    two = f'{{"{columns[0]}": "ü", "{columns[1]}": "not: \\"a\\" {{9}}"}}'
    return [
        Case(rule, "passing", "nothing to say", [{}, {}]),
        Case(rule, "failing", "one cell", [{}, {"unreadable": one}], [2]),
        Case(rule, "failing", "two cells", [{"unreadable": two}], [1]),
        Case(rule, "edge", "the row as a whole", [{"unreadable": '{"(row)": "9 fields"}'}], [1]),
        Case(rule, "edge", "says nothing of what", [{"unreadable": "{}"}], [1]),
        Case(rule, "null", "null is readable", [{"unreadable": None}]),
    ]


def _landed(contract: Contract) -> list[Case]:
    rule = f"{contract.feed}.rows_as_landed"
    return [
        Case(rule, "passing", "as many", [{}, {}]),
        Case(rule, "failing", "one too few", [{}, {}], stops=True, landed=3),
        Case(rule, "failing", "one too many", [{}, {}], stops=True, landed=1),
        Case(rule, "edge", "none of none", []),
        Case(rule, "edge", "none of one", [], stops=True, landed=1),
        Case(rule, "null", "a row of nulls is a row", [dict.fromkeys(contract.landed)]),
        Case(rule, "null", "and not two", [dict.fromkeys(contract.landed)], stops=True, landed=2),
    ]


def _present(contract: Contract, rule: str, columns: list[str]) -> list[Case]:
    texts = [name for name in columns if contract.landed[name].type == "text"]
    optional = [n for n, c in contract.landed.items() if not c.required and n not in columns]
    return [
        Case(rule, "passing", "all there", [{}]),
        *(Case(rule, "failing", f"no {name}", [{}, {name: None}], [2]) for name in columns),
        *(
            Case(rule, "edge", f"blank {name}", [{name: ""}, {name: "  "}], [1, 2])
            for name in texts
        ),
        *(
            Case(rule, "edge", f"the least {name}", [{name: least}])
            for name in columns
            if (least := _least(contract, name)) is not None
        ),
        Case(rule, "null", "none there", [dict.fromkeys(columns)], [1]),
        Case(rule, "null", "what may be empty is", [dict.fromkeys(optional)]),
    ]


def _least(contract: Contract, name: str) -> Any:
    """A value that is almost none."""
    kind = contract.landed[name].type
    if kind == "date":
        return "0001-01-01"
    return 0 if kind in ("smallint", "integer", "bigint", "numeric") else None


def _unique(contract: Contract, row: Row) -> list[Case]:
    rule = f"{contract.feed}.key_unique_or_identical"
    tracked = contract.tracked
    untracked = [n for n in contract.landed if n not in tracked and n not in contract.key]
    other = {name: _another(contract, name, row.get(name)) for name in contract.landed}
    first, last = {tracked[0]: other[tracked[0]]}, {tracked[-1]: other[tracked[-1]]}
    elsewhere = {contract.key[0]: other[contract.key[0]]}
    no_key = dict.fromkeys(contract.key)
    return [
        Case(rule, "passing", "identical repetitions", [{}, {}, {}]),
        Case(rule, "passing", "different keys", [{}, elsewhere | first]),
        *(Case(rule, "failing", f"{n} differs", [{}, {n: other[n]}], [1, 2]) for n in tracked),
        Case(rule, "edge", "every one of three", [{}, {}, first, elsewhere], [1, 2, 3]),
        Case(rule, "edge", "three versions", [{}, first, last], [1, 2, 3]),
        Case(rule, "edge", "only untracked differ", [{}, {n: other[n] for n in untracked}]),
        Case(rule, "null", "a value and none", [first, {tracked[0]: None}], [1, 2]),
        Case(rule, "null", "none and none", [dict.fromkeys(tracked)] * 2),
        Case(rule, "null", "no key, so no repetition", [no_key, no_key | first]),
    ]


def _not_empty(contract: Contract, row: Row) -> list[Case]:
    rule = f"{contract.feed}.whole_read_not_empty"
    held, closed = (
        {contract.feed: [row]},
        {contract.feed: [row | {"known_to": "2021-12-30 00:00:00+07"}]},
    )
    return [
        Case(rule, "passing", "rows came", [{}], raw=held),
        Case(rule, "failing", "none came, one is in force", [], stops=True, raw=held),
        Case(rule, "edge", "none came, none was", [], raw={contract.feed: []}),
        Case(rule, "edge", "none came, none is in force any more", [], raw=closed),
        Case(rule, "null", "a row of nulls came", [dict.fromkeys(contract.landed)], raw=held),
    ]


def _agency_known(contract: Contract) -> list[Case]:
    """Every casebook's warehouse has 07201 in force, and 07299 no longer."""
    rule = f"{contract.feed}.agency_known"
    (agency,) = contract.referring_to("agencies")
    employer = [{name: "ZZ9999Z"} for name in contract.referring_to("employers")]
    almost = [{agency: "7201"}, {agency: "07201 "}]
    return [
        Case(rule, "passing", "in the register", [{agency: "07201"}]),
        Case(rule, "failing", "not in the register", [{}, {agency: "99999"}], [2]),
        Case(rule, "edge", "no longer in force in the warehouse", [{agency: "07299"}], [1]),
        Case(rule, "edge", "almost the code", almost, [1, 2]),
        Case(rule, "edge", "an empty register", [{}], [1], raw={"agencies": []}),
        Case(rule, "edge", "a missing employer is no fault", employer),
        Case(rule, "null", "missing is another rule's", [{agency: None}]),
    ]


def _amounts_in_range(contract: Contract) -> list[Case]:
    rule = f"{contract.feed}.amounts_in_range"
    amounts, most = contract.amounts, 1_000_000_000_000_000
    last = amounts[-1]
    beyond = [{name: end} for name in amounts for end in (most + 1, -most - 1)]
    own_ends = [{amounts[0]: 2**63 - 1}, {last: -(2**63)}]
    return [
        Case(rule, "passing", "any sign", [{}, {amounts[0]: -3600}, {last: 0}]),
        Case(rule, "failing", "beyond an end", beyond, list(range(1, len(beyond) + 1))),
        Case(rule, "edge", "the ends", [dict.fromkeys(amounts, end) for end in (most, -most)]),
        Case(rule, "edge", "the type's own ends", own_ends, [1, 2]),
        Case(rule, "null", "missing is another rule's", [dict.fromkeys(amounts)]),
        Case(rule, "null", "all missing but one", [dict.fromkeys(amounts) | {last: most + 1}], [1]),
    ]


def _near_median(rule: Rule) -> list[Case]:
    """Cases around the ends that the register's tolerance gives, worked out apart from the SQL."""
    tolerance = rule.tolerance
    assert tolerance is not None
    # 10^9 and more: the shares of it are whole, and the slacks small beside it.
    middle = 40_000_000_000
    lowest = middle - int(tolerance.below * middle) - tolerance.slack_below
    highest = middle + int(tolerance.above * middle) + tolerance.slack_above
    ten = [middle] * 10
    spread = [1, *[middle] * 9, *[9 * middle] * 4, 2]
    # Of an even number of dates the median is the half sum of the middle two, to the half.
    even = [0] * 4 + [middle, middle + 1] + [9 * middle] * 4
    half = middle + Decimal("0.5")
    at_half = half + tolerance.above * half + tolerance.slack_above
    below_zero = [-middle] * 10

    def at(
        kind: str,
        name: str,
        total: int | Decimal,
        history: Sequence[int | None],
        stops: bool = False,
    ) -> Case:
        return Case(rule.id, kind, name, [{}], stops=stops, standing=total, history=history)

    return [
        at("passing", "as ever", middle, ten),
        at("passing", "one wild date moves no median", middle, spread),
        at("failing", "far above", 1000 * middle, ten, stops=True),
        at("failing", "far below", -1000 * middle, ten, stops=True),
        at("edge", "the lowest", lowest, ten),
        at("edge", "below the lowest", lowest - 1, ten, stops=True),
        at("edge", "the highest", highest, ten),
        at("edge", "above the highest", highest + 1, ten, stops=True),
        at("edge", "at the half", at_half, even),
        at("edge", "a trifle above the half", at_half + Decimal("0.1"), even, stops=True),
        at("edge", "nine dates are too few", 1000 * middle, ten[:9]),
        at("edge", "mirrored below zero, the lowest", -middle - (middle - lowest), below_zero),
        at(
            "edge", "mirrored below zero, above", -middle + (highest - middle) + 1, below_zero, True
        ),
        at("edge", "from nothing, the slack", tolerance.slack_above, [0] * 10),
        at("edge", "from nothing, above it", tolerance.slack_above + 1, [0] * 10, stops=True),
        at("null", "no history", 1000 * middle, []),
        at("null", "a date without a total is no date", 1000 * middle, [*ten[:9], None, None]),
        at("null", "nor moves it the median", highest + 1, [*ten, None, None, None], stops=True),
    ]


def _another(contract: Contract, name: str, value: Any) -> Any:
    kind = contract.landed[name].type
    if kind == "text":
        return f"{value or ''}x"
    if kind == "boolean":
        return not value
    if kind == "date":
        return (value or date(2021, 1, 1)) + timedelta(days=1)
    if kind == "timestamptz":
        return "2021-12-05 08:00:00.000001+07"
    if kind == "jsonb":
        return '{"ghichu": "khác"}'
    return (value or 0) + 1
