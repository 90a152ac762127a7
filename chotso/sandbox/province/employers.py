"""Employers, collection agents and budget payers: their kind, size and agency.

Management groups (mã khối) of this invented province: HC state bodies and schools, DN companies,
FD companies with foreign capital, HX cooperatives, NN farms and plantations, DL collection agents
(households and voluntary members pay through them), NS the budget's payments for groups it insures.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.timeline import DAY, HORIZON_MONTHS, OPEN_MONTH, Flags, Ints
from chotso.sandbox.province.units import POPULATION_SHARES, offices

KINDS = ("HC", "DN", "FD", "HX", "NN", "DL", "NS")
HC, DN, FD, HX, NN, DL, NS = range(7)
_NAMES = {
    HC: "Trường học Giả định",
    DN: "Công ty TNHH Giả định",
    FD: "Công ty TNHH vốn nước ngoài Giả định",
    HX: "Hợp tác xã Giả định",
    NN: "Nông trường Giả định",
}
_SHARES = {HC: 0.24, DN: 0.56, FD: 0.08, HX: 0.06, NN: 0.06}
# Median and spread (of the logarithm) of the number of employees.
_SIZES = {HC: (25, 0.9), DN: (11, 1.45), FD: (250, 1.15), HX: (6, 0.7), NN: (10, 0.7)}
_WAGES = {HC: 5_200_000, DN: 4_000_000, FD: 4_700_000, HX: 3_600_000, NN: 3_600_000}
_LOWEST_WAGE, _WAGE_CAP = 3_070_000, 29_800_000
OFFICE_COUNT = 10


@dataclass(frozen=True, slots=True)
class Employers:
    """Arrays over employers; shape (employers,) unless noted otherwise."""

    codes: list[str]
    names: list[str]
    kind: Ints
    office: Ints  # index 0..9 of the agency at the start
    moved_office: Ints  # the agency after the move
    moved_at: Ints  # instant of the move; after the horizon if there is none
    size: npt.NDArray[np.float64]
    wage_vnd: Ints
    cycle: Ints  # months between payments: 1, 3 or 6
    first_month: Ints
    last_month: Ints  # OPEN_MONTH if it does not close
    created_at: Ints
    ended_at: Ints
    end_status: list[str]

    @property
    def count(self) -> int:
        """Number of employers."""
        return len(self.codes)

    def office_at(self, instant: int) -> Ints:
        """The agency (index) of each employer at an instant."""
        return np.where(self.moved_at <= instant, self.moved_office, self.office)

    def staffed(self) -> Flags:
        """Employers with employees: neither collection agents nor budget payers."""
        return self.kind < DL

    def is_budget_body(self) -> Flags:
        """State-budget bodies, which keep the full rates throughout."""
        return np.isin(self.kind, (HC, NS))


def _kinds(count: int, rng: np.random.Generator) -> Ints:
    agents = max(OFFICE_COUNT - 1, round(count * 0.09))
    rest = count - agents - OFFICE_COUNT
    drawn = rng.choice(list(_SHARES), p=list(_SHARES.values()), size=rest)
    # At least one of each kind, so that even the smallest province has all cases.
    drawn[:5] = list(_SHARES)
    return np.concatenate([drawn, np.full(agents, DL), np.full(OFFICE_COUNT, NS)]).astype(np.int64)


def _offices(kind: Ints, size: npt.NDArray[np.float64], rng: np.random.Generator) -> Ints:
    district = rng.choice(9, p=np.array(POPULATION_SHARES), size=kind.size) + 1
    staffed = kind < DL
    large = staffed & (size >= np.quantile(size[staffed], 0.965))
    office = np.where(large | ((kind == FD) & (rng.random(kind.size) < 0.2)), 0, district)
    for ordinal in range(OFFICE_COUNT):
        # At least two companies per agency: an agency without companies has no arrears.
        companies = np.flatnonzero(kind == DN)
        office[companies[2 * ordinal : 2 * ordinal + 2]] = ordinal
    agents, budget = np.flatnonzero(kind == DL), np.flatnonzero(kind == NS)
    office[agents[:9]] = np.arange(1, 10)
    office[budget] = np.arange(OFFICE_COUNT)
    return office.astype(np.int64)


def _codes(kind: Ints, office: Ints, rng: np.random.Generator) -> list[str]:
    letters = "ABCDEGHIKLMNPQRSTUVXY"
    taken: set[str] = set()
    codes = []
    for number, (of_kind, of_office) in enumerate(zip(kind.tolist(), office.tolist(), strict=True)):
        pattern = int(rng.integers(0, 20))
        letter = letters[of_office if pattern % 9 else int(rng.integers(0, 20))]
        serial, prefix = number % 10_000, KINDS[of_kind]
        while True:
            if pattern < 15:
                code = f"{prefix}{serial:04d}{letter}"
            elif pattern < 17:
                code = f"{prefix[0]}{serial:05d}{letter}"
            elif pattern < 19:
                code = f"{prefix}{letter}{serial:04d}"
            else:
                code = f"{prefix}{serial:05d}"
            if code not in taken:
                break
            letter = letters[int(rng.integers(0, len(letters)))]
            serial = (serial + 7_919) % 10_000
        taken.add(code)
        codes.append(code)
    return codes


def _names_of(kind: Ints, office: Ints) -> list[str]:
    names = []
    for number, (of_kind, of_office) in enumerate(zip(kind.tolist(), office.tolist(), strict=True)):
        agency = offices()[of_office]
        if of_kind == DL:
            commune = agency.communes[number % len(agency.communes)]
            names.append(f"Đại lý thu {commune} (giả định {number:04d})")
        elif of_kind == NS:
            place = agency.name.removeprefix("Bảo hiểm xã hội ").removeprefix("Văn phòng ")
            names.append(f"Ngân sách đóng BHYT, {place} (giả định)")
        else:
            names.append(f"{_NAMES[of_kind]} {number:04d}")
    return names


def _lives(
    kind: Ints, timeline_starts: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints, Ints, list[str]]:
    """First and last months, the instants of their registration, and the final status."""
    count = kind.size
    mortal = np.isin(kind, (DN, HX)) & (np.arange(count) % 7 != 0)
    first = np.full(count, -60, dtype=np.int64)
    starting = mortal & (rng.random(count) < 0.05)
    first[starting] = rng.integers(1, HORIZON_MONTHS - 1, size=int(starting.sum()))
    last = np.full(count, OPEN_MONTH, dtype=np.int64)
    ending = mortal & ~starting & (rng.random(count) < 0.05)
    last[ending] = rng.integers(2, HORIZON_MONTHS - 2, size=int(ending.sum()))
    office_second = 9 * 3_600 + rng.integers(0, 7 * 3_600, size=count)
    created = np.where(starting, timeline_starts[np.clip(first, 0, 14)], timeline_starts[0])
    created = created - np.where(starting, rng.integers(2, 7, size=count) * DAY, 400 * DAY)
    ended = timeline_starts[np.clip(last + 1, 0, 14)] + rng.integers(2, 20, size=count) * DAY
    ended = np.where(ending, ended + office_second, np.iinfo(np.int64).max)
    status = rng.choice(["TAM_DUNG", "GIAI_THE", "PHA_SAN"], p=[0.5, 0.35, 0.15], size=count)
    return first, last, created + office_second, ended, status.tolist()


def make_employers(parameters: Parameters) -> Employers:
    """All employers of the province's lifetime."""
    rng = stream(parameters.seed, "employers")
    timeline = parameters.timeline
    kind = _kinds(parameters.employers, rng)
    count = kind.size
    size, wage = np.zeros(count), np.zeros(count, dtype=np.int64)
    for of_kind, (median, spread) in _SIZES.items():
        here = kind == of_kind
        size[here] = median * np.exp(rng.normal(0, spread, size=int(here.sum())))
        drawn = _WAGES[of_kind] * np.exp(rng.normal(0, 0.15, size=int(here.sum())))
        wage[here] = np.clip(np.round(drawn / 1_000) * 1_000, _LOWEST_WAGE, _WAGE_CAP)
    office = _offices(kind, size, rng)
    first, last, created, ended, status = _lives(kind, timeline.month_starts(0, 14), rng)
    moved_at = np.full(count, np.iinfo(np.int64).max)
    movable = np.flatnonzero((kind == DN) & (first < 0) & (last == OPEN_MONTH) & (office > 0))
    movers = rng.choice(movable, size=min(movable.size, max(2, count // 150)), replace=False)
    days = rng.integers(120, 340, size=movers.size)
    # One of the moves is in the last quarter, which has the decisive months.
    days[0] = 310
    moved_at[movers] = timeline.month_start(0) + days * DAY + 10 * 3_600
    moved_office = office.copy()
    moved_office[movers] = (office[movers] + 3) % OFFICE_COUNT
    cycle = np.ones(count, dtype=np.int64)
    farms = (kind == NN) | ((kind == HX) & (rng.random(count) < 0.3))
    cycle[farms] = rng.choice([3, 6], size=int(farms.sum()))
    return Employers(
        codes=_codes(kind, office, rng),
        names=_names_of(kind, office),
        kind=kind,
        office=office,
        moved_office=moved_office,
        moved_at=moved_at,
        size=size,
        wage_vnd=wage,
        cycle=cycle,
        first_month=first,
        last_month=last,
        created_at=created,
        ended_at=ended,
        end_status=status,
    )
