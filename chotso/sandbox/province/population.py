"""Persons and their participation spells: employment, changes, households, voluntary insurance.

All values are arrays over spells. A spell is written once, and at most once more, as closed or
voided.
"""

from dataclasses import dataclass

import numpy as np

from chotso.sandbox.province.employers import DL, HC, NS, OFFICE_COUNT, Employers
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.timeline import (
    DAY,
    HORIZON_MONTHS,
    OPEN_MONTH,
    Flags,
    Ints,
    Timeline,
    at_office_hours,
    local_day,
)
from chotso.sandbox.province.units import POPULATION_SHARES

SCHEMES = ("BHXHBB", "BHXHTN", "BHTN", "BHYT")
BB, TN, UI, HI = range(4)
NOT_CHANGED, CLOSED, VOIDED = range(3)
_EMPLOYEE, _VOLUNTARY = 1, 7
# Person's position: 0 uninsured, 1 employee, 2-6 health insurance group, 7 voluntary pension.
_POSITIONS = (0.0805, 0.19, 0.03, 0.30, 0.213, 0.168, 0.005, 0.0135)


@dataclass(slots=True)
class Spells:
    """Arrays over spells, in the order of their numbers; shape (spells,)."""

    person: Ints
    scheme: Ints
    group: Ints  # health insurance group 1-6, else 0
    employer: Ints
    office: Ints
    from_month: Ints
    to_month: Ints  # the final value; OPEN_MONTH if it never ends
    inserted_at: Ints
    change: Ints  # NOT_CHANGED, CLOSED or VOIDED
    changed_at: Ints

    @property
    def count(self) -> int:
        """Number of spells."""
        return int(self.person.size)

    def keep(self, chosen: Flags | Ints) -> "Spells":
        """The chosen spells, in the given order."""
        return Spells(*(getattr(self, name)[chosen] for name in self.__slots__))


class _Draft:
    """Collects spells that have no instants yet."""

    def __init__(self) -> None:
        self.parts: list[tuple[Ints, ...]] = []

    def add(
        self, person: Ints, scheme: int, group: int, employer: Ints, first: Ints, last: Ints,
        known_end: bool = False,
    ) -> None:  # fmt: skip
        n = person.size
        columns = (person, np.full(n, scheme), np.full(n, group), employer, first, last)
        kept = last >= first
        known = np.full(n, int(known_end))
        self.parts.append(tuple(c[kept].astype(np.int64) for c in (*columns, known)))

    def columns(self) -> list[Ints]:
        return [np.concatenate(column) for column in zip(*self.parts, strict=True)]


def _pick_by_office(
    employers: Employers, kind: int, office: Ints, rng: np.random.Generator
) -> Ints:
    """For each person, an employer of a kind at the person's agency."""
    picked = np.zeros(office.size, dtype=np.int64)
    for ordinal in range(OFFICE_COUNT):
        here = office == ordinal
        there = np.flatnonzero((employers.kind == kind) & (employers.office == ordinal))
        if here.any():
            picked[here] = rng.choice(there, size=int(here.sum()))
    return picked


def _employ(
    draft: _Draft, employers: Employers, person: Ints, employer: Ints, first: Ints, last: Ints,
    rng: np.random.Generator,
) -> Ints:  # fmt: skip
    """Adds the three spells of employments; returns the last months that were really worked."""
    first = np.maximum(first, employers.first_month[employer])
    last = np.minimum(last, employers.last_month[employer])
    draft.add(person, BB, 0, employer, first, last)
    share = np.where(employers.kind[employer] == HC, 0.78, 0.97)
    insured = rng.random(person.size) < share
    draft.add(person[insured], UI, 0, employer[insured], first[insured], last[insured])
    draft.add(person, HI, 1, employer, first, last)
    return last


def _employees(
    draft: _Draft, employers: Employers, person: Ints, home: Ints, rng: np.random.Generator
) -> None:
    n = person.size
    weights = np.where(employers.staffed(), employers.size, 0.0)
    weights /= weights.sum()
    agent = _pick_by_office(employers, DL, home, rng)
    employer = rng.choice(employers.count, p=weights, size=n)
    first = -rng.integers(1, 72, size=n)
    joining = rng.random(n) < 0.12
    first[joining] = rng.integers(0, HORIZON_MONTHS, size=int(joining.sum()))
    last = np.full(n, OPEN_MONTH)
    leaving = rng.random(n) < 0.10
    last[leaving] = np.maximum(first[leaving], -1) + rng.integers(
        1, HORIZON_MONTHS, size=int(leaving.sum())
    )
    last[last >= HORIZON_MONTHS] = OPEN_MONTH
    # Before the job, half of the new employees were insured as a household.
    before = joining & (rng.random(n) < 0.55)
    draft.add(person[before], HI, 5, agent[before], np.full(int(before.sum()), -8),
              first[before] - 1)  # fmt: skip
    worked_to = _employ(draft, employers, person, employer, first, last, rng)
    after = np.flatnonzero((worked_to < HORIZON_MONTHS - 1) & (worked_to >= first))
    fate = rng.random(after.size)
    movers, retired = after[fate < 0.5], after[fate > 0.75]
    start = worked_to[movers] + rng.integers(1, 3, size=movers.size)
    elsewhere = rng.choice(employers.count, p=weights, size=movers.size)
    _employ(draft, employers, person[movers], elsewhere, start,
            np.full(movers.size, OPEN_MONTH), rng)  # fmt: skip
    draft.add(person[retired], HI, 5, agent[retired], worked_to[retired] + 1,
              worked_to[retired] + 12, known_end=True)  # fmt: skip
    second = np.flatnonzero(rng.random(n) < 0.005)
    other = rng.choice(employers.count, p=weights, size=second.size)
    second, other = second[other != employer[second]], other[other != employer[second]]
    draft.add(person[second], BB, 0, other,
              np.maximum(first[second], employers.first_month[other]),
              np.minimum(last[second], employers.last_month[other]))  # fmt: skip


def _households(draft: _Draft, person: Ints, agent: Ints, rng: np.random.Generator) -> None:
    """Household cards are valid for twelve months; most persons renew them."""
    first = rng.integers(-12, 2, size=person.size)
    for _term in range(3):
        draft.add(person, HI, 5, agent, first, first + 11, known_end=True)
        renewed = (rng.random(person.size) < 0.955) & (first + 12 < HORIZON_MONTHS)
        person, agent, first = person[renewed], agent[renewed], first[renewed] + 12


def _flowing(
    draft: _Draft, person: Ints, scheme: int, group: int, payer: Ints, joins: float, leaves: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Spells that mostly last the whole time, with some starts and ends within it."""
    n = person.size
    first = -rng.integers(1, 60, size=n)
    joining = rng.random(n) < joins
    first[joining] = rng.integers(0, HORIZON_MONTHS, size=int(joining.sum()))
    last = np.full(n, OPEN_MONTH)
    leaving = ~joining & (rng.random(n) < leaves)
    last[leaving] = rng.integers(0, HORIZON_MONTHS, size=int(leaving.sum()))
    draft.add(person, scheme, group, payer, first, last)


def _recorded(columns: list[Ints], timeline: Timeline, rng: np.random.Generator) -> Spells:
    """Gives each spell the instants at which it was entered, closed or voided."""
    person, scheme, group, employer, first, last, known_end = columns
    n = person.size
    starts = timeline.month_starts(-130, HORIZON_MONTHS + 1)
    days = local_day(starts)[np.clip(first + 130, 0, starts.size - 1)]
    late = np.where(rng.random(n) < 0.06, rng.integers(20, 100, size=n), 0)
    inserted = at_office_hours(days + rng.integers(-8, 20, size=n) + late, rng)
    end_days = local_day(starts)[np.clip(last + 131, 0, starts.size - 1)]
    closed = at_office_hours(end_days + rng.integers(-9, 14, size=n) + late // 2, rng)
    voided = at_office_hours(local_day(inserted) + rng.integers(1, 30, size=n), rng)
    change = np.where((last < OPEN_MONTH) & (known_end == 0), CLOSED, NOT_CHANGED)
    change = np.where((first >= 0) & (rng.random(n) < 0.004), VOIDED, change)
    closed = np.maximum(closed, inserted + 2 * DAY)
    changed = np.where(change == CLOSED, closed, voided)
    changed = np.where(change == NOT_CHANGED, np.iinfo(np.int64).max, changed)
    return Spells(person, scheme, group, employer, employer, first, last, inserted, change, changed)


def make_spells(parameters: Parameters, employers: Employers) -> Spells:
    """All spells of the province's lifetime, numbered in the order of entry."""
    rng = stream(parameters.seed, "population")
    n = parameters.persons
    everyone = np.arange(n)
    home = rng.choice(9, p=np.array(POPULATION_SHARES), size=n) + 1
    position = rng.choice(8, p=np.array(_POSITIONS), size=n)
    draft = _Draft()
    workers = everyone[position == _EMPLOYEE]
    _employees(draft, employers, workers, home[workers], rng)
    for group, joins, leaves in ((2, 0.08, 0.02), (3, 0.05, 0.04), (4, 0.09, 0.05), (6, 0.1, 0.0)):
        members = everyone[position == group]
        payer = _pick_by_office(employers, NS, home[members], rng)
        _flowing(draft, members, HI, group, payer, joins, leaves, rng)
    members = everyone[(position == 5) | (position == _VOLUNTARY)]
    agent = _pick_by_office(employers, DL, home[members], rng)
    _households(draft, members, agent, rng)
    voluntary = position[members] == _VOLUNTARY
    _flowing(draft, members[voluntary], TN, 0, agent[voluntary], 0.4, 0.1, rng)
    spells = _recorded(draft.columns(), parameters.timeline, rng)
    order = np.lexsort((spells.from_month, spells.scheme, spells.person, spells.inserted_at))
    spells = spells.keep(order)
    spells.office = _office_of_entry(employers, spells)
    return spells


def _office_of_entry(employers: Employers, spells: Spells) -> Ints:
    moved = employers.moved_at[spells.employer] <= spells.inserted_at
    return np.where(
        moved, employers.moved_office[spells.employer], employers.office[spells.employer]
    )


def heads(spells: Spells, employers: Employers, scheme: int) -> Ints:
    """Persons insured per employer and month; shape (employers, HORIZON_MONTHS)."""
    chosen = (spells.scheme == scheme) & (spells.change != VOIDED)
    first = np.clip(spells.from_month[chosen], 0, HORIZON_MONTHS)
    last = np.clip(spells.to_month[chosen] + 1, 0, HORIZON_MONTHS)
    steps = np.zeros((employers.count, HORIZON_MONTHS + 1), dtype=np.int64)
    np.add.at(steps, (spells.employer[chosen], first), 1)
    np.add.at(steps, (spells.employer[chosen], last), -1)
    return np.cumsum(steps, axis=1)[:, :HORIZON_MONTHS]


def person_numbers(person: Ints) -> list[str]:
    """Synthetic ten-digit numbers: a permutation of all of them, also with leading zeros."""
    scattered = (person * 7_236_019_417 % 10**10 + 1_357_902_468) % 10**10
    return [f"{number:010d}" for number in scattered.tolist()]
