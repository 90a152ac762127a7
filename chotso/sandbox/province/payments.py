"""The final state of payments: when they were credited and recorded, and what each line pays.

Each row of `Payments` becomes one document; corrections and voidings are added in `documents`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chotso.sandbox.province.accruals import (
    GROUP_COUNT,
    HI_GROUP,
    HTTT_PERMILLE,
    ODTS_PERMILLE,
    SI_GROUP,
    UI_GROUP,
    Accruals,
)
from chotso.sandbox.province.employers import DL, OFFICE_COUNT, Employers
from chotso.sandbox.province.ledger import Ledger, documents_wanted
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.timeline import (
    DAY,
    HORIZON_MONTHS,
    LOCAL_OFFSET,
    Flags,
    Ints,
    Timeline,
    at_office_hours,
    local_day,
)

FUNDS = ("HTTT", "ODTS", "TNLD", "BHTN", "BHYT", "BHXHTN")
VOLUNTARY_FUND = 5
FUND_GROUPS = np.array([SI_GROUP, SI_GROUP, SI_GROUP, UI_GROUP, HI_GROUP, -1])
FORMS = ("UNC", "TIEN_MAT", "BIEN_LAI")


@dataclass(slots=True)
class Payments:
    """Arrays over payments (documents) and over their lines, lines sorted by document."""

    employer: Ints
    form: Ints
    credited_at: Ints
    recorded_at: Ints
    is_large: Flags  # large payments are entered at once and correctly
    line_document: Ints
    line_fund: Ints
    line_month: Ints
    line_principal_vnd: Ints
    line_interest_vnd: Ints

    @property
    def count(self) -> int:
        """Number of documents."""
        return int(self.employer.size)


def _credit_days(timeline: Timeline, month: int) -> tuple[Ints, npt.NDArray[np.float64]]:
    """The days of a month, each with the probability of a credit: most are late in the month."""
    first = timeline.month_date(month)
    length = (timeline.month_date(month + 1) - first).days
    start = int(local_day(np.array([timeline.month_start(month)]))[0])
    days = start + np.arange(length)
    weight = np.select(
        [np.arange(length) < 10, np.arange(length) < 19, np.arange(length) < length - 4],
        [1.0, 2.0, 3.5],
        7.0,
    )
    if month % 12 == 11:
        weight[15:] *= 1.5
        weight[-1] = 4.5
    weight = np.where((days + 3) % 7 >= 5, weight * 0.06, weight)
    return days, weight / weight.sum()


def _credits(timeline: Timeline, month: Ints, large: Flags, rng: np.random.Generator) -> Ints:
    days = np.zeros(month.size, dtype=np.int64)
    for each in range(HORIZON_MONTHS):
        here = month == each
        of_month, chance = _credit_days(timeline, each)
        days[here] = rng.choice(of_month, p=chance, size=int(here.sum()))
    kind = rng.random(month.size)
    seconds = rng.integers(8 * 3_600, 16 * 3_600 + 1_800, size=month.size)
    evening = rng.integers(16 * 3_600 + 1_800, 22 * 3_600, size=month.size)
    seconds = np.where(kind < 0.10, evening, seconds)
    # Interbank batches are credited exactly at local midnight, the first instant of a day.
    seconds = np.where(kind > 0.985, 0, seconds)
    closing_day = days == (timeline.cutoff + LOCAL_OFFSET) // DAY
    seconds = np.where(closing_day & large, np.minimum(seconds, 15 * 3_600), seconds)
    return days * DAY - LOCAL_OFFSET + seconds


def _boundary_credits(timeline: Timeline, credited: Ints, large: Flags) -> Ints:
    """Moves a few credits exactly to the decisive instants, and to one second before them."""
    credited = credited.copy()
    year_end, cutoff = timeline.month_start(12), timeline.cutoff
    for edge in (cutoff - 1, cutoff, cutoff + 1_800, year_end - 1):
        day_of = np.flatnonzero(local_day(credited) == (edge + LOCAL_OFFSET) // DAY)
        near = day_of[~np.isin(credited[day_of], (cutoff - 1, cutoff, cutoff + 1_800))]
        near = near[~large[near]]
        if near.size:
            credited[near[0]] = edge
    for month in (10, 11, 12):
        start = timeline.month_start(month)
        of_month = np.flatnonzero((credited >= start) & (credited < start + 9 * DAY))
        if of_month.size:
            credited[of_month[0]] = start
    return credited


def _recorded(timeline: Timeline, credited: Ints, large: Flags, rng: np.random.Generator) -> Ints:
    """When documents are entered: the same day, the next, by the night's interface, or late."""
    n = credited.size
    day = local_day(credited)
    soon = credited + np.where(large, 900, rng.integers(300, 9_000, size=n))
    opening_hour = day * DAY - LOCAL_OFFSET + 27_000 + rng.integers(0, 3_600, size=n)
    same_day = np.maximum(soon, opening_hour)
    latest = day * DAY - LOCAL_OFFSET + 23 * 3_600 - rng.integers(0, 2_400, size=n)
    same_day = np.where(same_day < latest, same_day, np.maximum(latest, credited + 60))
    next_day = at_office_hours(day + 1, rng)
    interface = (day + 1) * DAY - LOCAL_OFFSET + rng.integers(900, 6_600, size=n)
    late = at_office_hours(day + rng.integers(2, 24, size=n), rng)
    kind = np.where(large, 0.0, rng.random(n))
    recorded = np.select([kind < 0.68, kind < 0.92, kind < 0.96], [same_day, next_day, interface],
                         late)  # fmt: skip
    # On the year's last day, payments are entered in the evening or left for January.
    closing_day = day == (timeline.cutoff + LOCAL_OFFSET) // DAY
    january = at_office_hours(day + rng.integers(1, 7, size=n), rng)
    recorded = np.where(closing_day & (kind < 0.96), same_day, recorded)
    return np.where(closing_day & (kind >= 0.86), january, recorded)


def _doc_shares(owner: Ints, amounts: Ints, rng: np.random.Generator) -> Ints:
    """Splits each owner's amounts over its documents; the last one gets the remainder."""
    weight = rng.integers(20, 100, size=owner.size)
    last = np.append(owner[1:] != owner[:-1], True)
    total = np.bincount(owner, weights=weight)[owner].astype(np.int64)
    part = amounts * weight[:, None] // total[:, None]
    sums = np.zeros((int(owner[-1]) + 1, amounts.shape[1]), dtype=np.int64)
    np.add.at(sums, owner[~last], part[~last])
    part[last] = amounts[last] - sums[owner[last]]
    return part


def _before_in_group(owner: Ints, amounts: Ints) -> Ints:
    """The sum of the owner's earlier documents; rows are sorted by owner and time."""
    running = np.cumsum(amounts, axis=0) - amounts
    first = np.append(True, owner[1:] != owner[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(owner.size), 0))
    return running - running[start]


def _by_fund(amounts: Ints, accident: Ints) -> Ints:
    """Splits groups into the funds; shape (rows, groups) to (rows, 5)."""
    si = amounts[:, SI_GROUP]
    rate = HTTT_PERMILLE + ODTS_PERMILLE + accident
    sickness, injury = si * ODTS_PERMILLE // rate, si * accident // rate
    columns = (si - sickness - injury, sickness, injury, amounts[:, UI_GROUP], amounts[:, HI_GROUP])
    return np.stack(columns, axis=1)


def _large(employers: Employers, ledger: Ledger, wanted: Ints) -> Flags:
    """Employer-months with most of an agency's money, or with 2 % of its month per document."""
    money = ledger.paid_vnd.sum(axis=2) // np.maximum(wanted, 1)
    large: Flags = np.zeros(money.shape, dtype=np.bool_)
    for office in range(OFFICE_COUNT):
        here = employers.office == office
        of_agency = money[here]
        month = (of_agency * wanted[here]).sum(axis=0).mean()
        paid = of_agency[of_agency > 0]
        if paid.size:
            large[here] = of_agency > min(0.02 * month, float(np.quantile(paid, 0.75)))
    return large


def make_payments(
    parameters: Parameters, employers: Employers, due: Accruals, ledger: Ledger
) -> Payments:
    """All documents that are valid in the end, with their lines."""
    rng = stream(parameters.seed, "payments")
    timeline = parameters.timeline
    wanted = documents_wanted(employers, ledger, rng)
    owner_employer, owner_month = np.nonzero(wanted)
    owner = np.repeat(np.arange(owner_employer.size), wanted[owner_employer, owner_month])
    employer, month = owner_employer[owner], owner_month[owner]
    large = _large(employers, ledger, wanted)[employer, month]
    credited = _boundary_credits(timeline, _credits(timeline, month, large, rng), large)
    order = np.lexsort((credited, owner))
    credited = credited[order]  # owner, employer and month are equal within an owner
    first: Flags = np.append(True, owner[1:] != owner[:-1])
    amounts = np.concatenate(
        [
            ledger.paid_vnd[employer, month],
            ledger.paid_voluntary_vnd[employer, month][:, None],
        ],
        axis=1,
    )
    part = _doc_shares(owner, amounts, rng)
    principal, voluntary = part[:, :GROUP_COUNT], part[:, GROUP_COUNT]
    before = _before_in_group(owner, principal)
    old = np.clip(ledger.paid_old_vnd[employer, month] - before, 0, principal)
    interest = np.where(first, ledger.paid_interest_vnd[employer, month], 0)
    old_month = month - np.clip(ledger.months_owed[employer, month], 1, 12)
    cells = np.concatenate(
        [
            _by_fund(old, due.accident[employer, np.maximum(old_month, 0)]),
            _by_fund(principal - old, due.accident[employer, month]),
            voluntary[:, None],
        ],
        axis=1,
    )
    interest_cells = np.zeros_like(cells)
    # Interest goes with the first line that has principal.
    interest_cells[np.arange(owner.size), np.argmax(cells != 0, axis=1)] = interest
    line_document, cell = np.nonzero((cells != 0) | (interest_cells != 0))
    fund = np.where(cell == 10, VOLUNTARY_FUND, cell % 5)
    form = np.where(
        employers.kind[employer] == DL,
        rng.choice([2, 1], p=[0.8, 0.2], size=owner.size),
        np.where(rng.random(owner.size) < 0.02, 1, 0),
    )
    recorded = np.maximum(_recorded(timeline, credited, large, rng), credited + 60)
    full = np.bincount(line_document, minlength=owner.size) > 0
    renumbered = np.cumsum(full) - 1
    return Payments(
        employer=employer[full],
        form=form[full],
        credited_at=credited[full],
        recorded_at=recorded[full],
        is_large=large[full],
        line_document=renumbered[line_document],
        line_fund=fund,
        line_month=np.where(cell < 5, old_month[line_document], month[line_document]),
        line_principal_vnd=cells[line_document, cell],
        line_interest_vnd=interest_cells[line_document, cell],
    )
