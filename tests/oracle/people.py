"""Persons, their movements, and why the agencies' sum is not the province: person by person.

Readings where the specification leaves a doubt:

- "its province" is any province at which what the agency files counts; a province that lies
  inside another one counts as a province, so nobody is transferred to or from it;
- a spell of health insurance without a group counts in the scheme, in no group;
- the province's members are the codes under which spells are filed, in force or not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.oracle.knowledge import Knowledge, known
from tests.oracle.model import Observation, Row
from tests.oracle.recompute import Figures

PEOPLE_KEY = ("agency_code", "month", "scheme_code")
GROUP_KEY = ("agency_code", "month", "health_group_number")

_SCHEMES = {"BHXHBB": "si_compulsory", "BHXHTN": "si_voluntary", "BHTN": "ui", "BHYT": "hi"}

Persons = set[str]
Before = Callable[[date], date]


def month_before(month: date) -> date:
    """First day of the month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


@dataclass
class _Active:
    """Who is active: by (filing code, class, month), a class being a scheme or a group."""

    state: Knowledge
    filed: dict[tuple[str, str | int, date], Persons] = field(
        default_factory=lambda: defaultdict(set)
    )

    def is_province(self, agency: str) -> bool:
        return bool(self.state.accepted["co_quan"][agency,]["cap"] == 1)

    def members(self, agency: str) -> list[str]:
        """Codes whose spells count at an agency."""
        register = self.state.accepted["co_quan"]
        return [code for (code,) in register if agency in self.state.counting_agencies(code)]

    def at(self, agency: str, kind: str | int, month: date) -> Persons:
        codes = self.members(agency) if self.is_province(agency) else [agency]
        return set().union(*(self.filed[code, kind, month] for code in codes))

    def around(self, agency: str, kind: str | int, month: date) -> Persons:
        """Who is active anywhere in the provinces of an agency; nobody for a province."""
        if self.is_province(agency):
            return set()
        above = [code for code in self.state.counting_agencies(agency) if code != agency]
        return set().union(*(self.at(code, kind, month) for code in above))


@dataclass(frozen=True)
class People:
    """Every row of the three facts of people, by their keys."""

    participation: Figures
    groups: Figures
    reconciliation: Figures


def people(
    observations: Sequence[Observation],
    as_known_at: datetime,
    event_cutoff: datetime | None = None,
    first_year: int = 2021,
    before: Before = month_before,
) -> People:
    """The facts of people as known at an instant; `before` lets a test look back wrongly."""
    state = known(observations, as_known_at)
    months = _months(date(first_year, 1, 1), state.business_date)
    active = _Active(state)
    for spell in _counting(state, event_cutoff):
        for month in (month_before(months[0]), *months):
            if spell["tu_thang"] <= month and (
                spell["den_thang"] is None or month <= spell["den_thang"]
            ):
                for kind in _classes(spell):
                    active.filed[spell["ma_co_quan"], kind, month].add(spell["ma_so_bhxh"])
    shown = [
        (code, month)
        for (code,), agency in state.accepted["co_quan"].items()
        for month in months
        if _in_force(agency, month)
    ]
    return People(
        {
            (agency, month, scheme): _movement(active, agency, scheme, month, before(month))
            for agency, month in shown
            for scheme in _SCHEMES.values()
        },
        {
            (agency, month, group): {"participant_count": len(active.at(agency, group, month))}
            for agency, month in shown
            for group in range(1, 7)
        },
        {
            (agency, month, scheme): _reconciled(active, agency, scheme, month)
            for agency, month in shown
            for scheme in _SCHEMES.values()
            if active.is_province(agency)
        },
    )


def _counting(state: Knowledge, cutoff: datetime | None) -> Iterator[Row]:
    for spell in state.accepted["tham_gia"].values():
        recorded = cutoff is None or spell["ngay_nhap"] < cutoff
        if spell["trang_thai"] == "HIEU_LUC" and recorded:
            yield spell


def _classes(spell: Row) -> list[str | int]:
    scheme = _SCHEMES[spell["loai"]]
    group = spell.get("nhom_bhyt")
    return [scheme, group] if scheme == "hi" and group is not None else [scheme]


def _movement(
    active: _Active, agency: str, scheme: str, month: date, previous: date
) -> dict[str, int]:
    now, then = active.at(agency, scheme, month), active.at(agency, scheme, previous)
    came, went = now - then, then - now
    from_inside = came & active.around(agency, scheme, previous)
    to_inside = went & active.around(agency, scheme, month)
    return {
        "participant_count": len(now),
        "joined_count": len(came - from_inside),
        "transferred_in_count": len(from_inside),
        "left_count": len(went - to_inside),
        "transferred_out_count": len(to_inside),
        "net_growth_count": len(now) - len(then),
    }


def _reconciled(active: _Active, province: str, scheme: str, month: date) -> dict[str, int]:
    places: dict[str, int] = defaultdict(int)
    for code in active.members(province):
        for person in active.filed[code, scheme, month]:
            places[person] += 1
    own = len(active.filed[province, scheme, month])
    return {
        "agencies_sum_count": sum(places.values()) - own,
        "own_count": own,
        "counted_again_count": sum(count - 1 for count in places.values()),
        "province_count": len(places),
    }


def _months(first: date, last: date) -> list[date]:
    return [
        date(year, number, 1)
        for year in range(first.year, last.year + 1)
        for number in range(1, 13)
        if date(year, number, 1) <= last
    ]


def _in_force(agency: Row, month: date) -> bool:
    since, until = agency.get("hieu_luc_tu"), agency.get("hieu_luc_den")
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return (since is None or since < following) and (until is None or until >= month)
