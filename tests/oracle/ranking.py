"""Points and ranks from the specification alone, in exact arithmetic.

Readings where the specification leaves a doubt:

- only who is considered can lead; leading needs an excess above 0, and all who lead have the whole
  weight; without one, a plan just reached gives the share at target;
- a metric without points (no plan, a plan of 0, no figure, a negative actual) leaves the others be;
- each province has a ranking of its own, and agencies without a province one among themselves;
- an attainment that does not exist breaks a tie as the least of all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.recompute import Figures, nine_decimals

POINTS_KEY = ("period_id", "participant_type", "participant_code", "metric_code")
RANKING_KEY = ("period_id", "participant_type", "participant_code")
ORDER = (
    *("participants_si_compulsory", "participants_si_voluntary", "participants_ui"),
    *("participants_hi", "collection_si_compulsory", "collection_si_voluntary", "collection_ui"),
    *("collection_hi", "collection_total", "arrears_ratio_si", "arrears_ratio_ui"),
    *("arrears_ratio_hi", "arrears_ratio_total"),
)
"""Metrics in the order in which they are shown."""


@dataclass(frozen=True)
class Rules:
    """One period's rules for one kind of participant."""

    period_id: str
    participant_type: str
    gates: Sequence[str]
    weights: Mapping[str, str]
    ties: Sequence[str]
    not_considered_when: Sequence[str]
    share_at_target: str = "0.5"
    excess: str = "share_of_target"
    decimals: int = 4


@dataclass(frozen=True)
class Participant:
    """Who takes part, and the figures by metric: the columns of an attainment row."""

    code: str
    province: str | None
    figures: Mapping[str, Mapping[str, Any]]


class _Measure:
    """One participant's figure of one metric, as fractions."""

    def __init__(self, metric: str, row: Mapping[str, Any], rules: Rules) -> None:
        self.metric, self.row, self.rules = metric, row, rules
        self.is_below = metric.startswith("arrears_ratio_")
        plan = row["plan_in_force"]
        self.target = None if plan is None else Fraction(plan)
        self.actual: Fraction | None = None
        if row["actual_to_date"] is not None:
            self.actual = Fraction(row["actual_to_date"])
            if self.is_below:
                self.actual = Fraction(row["numerator"]) / Fraction(row["denominator"])

    def obstacles(self) -> list[str]:
        failed = self.metric in self.rules.gates and self.is_met() is False
        found = {
            "gate_failed": failed,
            "no_plan": self.target is None,
            "plan_zero": self.target is not None and self.target <= 0,
            "no_figure": self.actual is None,
        }
        return [code for code in self.rules.not_considered_when if found[code]]

    def is_met(self) -> bool | None:
        if self.target is None or self.actual is None:
            return None
        return self.actual < self.target if self.is_below else self.actual >= self.target

    def result(self) -> str:
        if self.target is None:
            return "no_plan"
        if self.target <= 0:
            return "plan_zero"
        if self.actual is None:
            return "no_figure"
        if self.actual < 0:
            return "negative"
        if not self.is_met():
            return "below_target"
        return "above_target" if self.excess() else "at_target"

    def excess(self) -> Fraction:
        assert self.actual is not None
        assert self.target is not None
        over = self.target - self.actual if self.is_below else self.actual - self.target
        return over / self.target if self.rules.excess == "share_of_target" else over

    def attained(self) -> Fraction | None:
        """The greater the better, or nothing to say."""
        if self.actual is None or self.target is None or self.target <= 0:
            return None
        share = self.actual / self.target
        return -share if self.is_below else share

    def points(self, result: str, lead: Fraction | None) -> Fraction:
        weight = Fraction(self.rules.weights[self.metric])
        share = Fraction(self.rules.share_at_target)
        if result == "leader":
            return weight
        if result == "above_target":
            assert lead
            return weight * share + weight * (1 - share) * self.excess() / lead
        if result == "at_target":
            return weight * share
        if result == "below_target":
            assert self.actual is not None
            assert self.target is not None
            part = self.target / self.actual if self.is_below else self.actual / self.target
            return weight * share * part
        return Fraction(0)


def ranked(rules: Rules, participants: Iterable[Participant]) -> tuple[Figures, Figures]:
    """The points by (period, kind, code, metric), and the places by (period, kind, code)."""
    points: Figures = {}
    places: Figures = {}
    by_province: dict[str | None, list[Participant]] = defaultdict(list)
    for participant in participants:
        by_province[participant.province].append(participant)
    for of_province in by_province.values():
        _rank_province(rules, of_province, points, places)
    return points, places


def _rank_province(
    rules: Rules, participants: list[Participant], points: Figures, places: Figures
) -> None:
    named = {*rules.gates, *rules.weights, *rules.ties}
    measures = {
        p.code: {m: _Measure(m, p.figures[m], rules) for m in ORDER if m in named}
        for p in participants
    }
    reasons = {code: _reasons(rules, of_one) for code, of_one in measures.items()}
    considered = [code for code, found in reasons.items() if not found]
    totals: dict[str, Decimal] = dict.fromkeys(considered, Decimal(0))
    for metric in rules.weights:
        lead, leaders = _lead([(code, measures[code][metric]) for code in considered])
        for participant in participants:
            measure = measures[participant.code][metric]
            row = _point(rules, measure, participant.code in considered, lead)
            if participant.code in considered:
                row["leader_codes"] = ", ".join(sorted(leaders)) or None
                row["leader_excess_ratio"] = nine_decimals(lead)
                totals[participant.code] += row["points"]
            key = (rules.period_id, rules.participant_type, participant.code, metric)
            points[key] = dict(zip(POINTS_KEY, key, strict=True)) | row
    standing = {
        code: (totals[code], *_attained(rules, measures[code].values())) for code in considered
    }
    for participant in participants:
        place_key = (rules.period_id, rules.participant_type, participant.code)
        code = participant.code
        places[place_key] = dict(zip(RANKING_KEY, place_key, strict=True)) | {
            "province_code": participant.province,
            "is_considered": code in considered,
            "not_considered_code": reasons[code][0][0] if reasons[code] else None,
            "total_points": totals.get(code),
            "full_points": sum(Decimal(weight) for weight in rules.weights.values()),
            **_place(rules, code, standing),
        }


def _reasons(rules: Rules, of_one: Mapping[str, _Measure]) -> list[tuple[str, str]]:
    judged = [m for m in of_one.values() if m.metric in {*rules.gates, *rules.weights}]
    found = [(code, measure.metric) for measure in judged for code in measure.obstacles()]
    order = list(rules.not_considered_when)
    return sorted(found, key=lambda pair: (order.index(pair[0]), ORDER.index(pair[1])))


def _lead(measures: list[tuple[str, _Measure]]) -> tuple[Fraction | None, list[str]]:
    over = [(m.excess(), code) for code, m in measures if m.result() == "above_target"]
    lead = max((excess for excess, _ in over), default=None)
    return lead, [code for excess, code in over if excess == lead]


def _point(
    rules: Rules, measure: _Measure, is_considered: bool, lead: Fraction | None
) -> dict[str, Any]:
    result = measure.result() if is_considered else "not_considered"
    excess = measure.excess() if result == "above_target" else None
    if excess is not None and excess == lead:
        result = "leader"
    row = measure.row
    return {
        "actual_to_date": row["actual_to_date"],
        "plan_in_force": row["plan_in_force"],
        "attainment_ratio": row["attainment_ratio"],
        "weight_points": Decimal(rules.weights[measure.metric]),
        "is_gate": measure.metric in rules.gates,
        "result_code": result,
        "excess_ratio": nine_decimals(excess),
        "leader_codes": None,
        "leader_excess_ratio": None,
        "points": _rounded(measure.points(result, lead), rules.decimals) if is_considered else None,
    }


def _rounded(points: Fraction, decimals: int) -> Decimal:
    return Decimal(int(points * 10**decimals + Fraction(1, 2))).scaleb(-decimals)


def _attained(rules: Rules, measures: Iterable[_Measure]) -> list[tuple[bool, Fraction]]:
    attained = {measure.metric: measure.attained() for measure in measures}
    found = [attained[metric] for metric in rules.ties]
    return [(share is not None, share or Fraction(0)) for share in found]


def _place(rules: Rules, code: str, standing: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    if code not in standing:
        return {"rank_number": None, "tie_broken_by": None, "is_rank_shared": False}
    own = standing[code]
    level = [other for c, other in standing.items() if c != code and other[0] == own[0]]
    separating = [
        next(n for n, pair in enumerate(zip(own, other, strict=True)) if pair[0] != pair[1])
        for other in level
        if other != own
    ]
    return {
        "rank_number": 1 + sum(other > own for other in standing.values()),
        "tie_broken_by": rules.ties[max(separating) - 1] if separating else None,
        "is_rank_shared": any(other == own for other in level),
    }
