"""The payments of every employer and month, chosen so that arrears develop as planned.

It starts from the planned closing (debtors, early payers, farms that pay by season) and computes
the payment that leads to it. The documents then have exactly these payments.
"""

from dataclasses import dataclass

import numpy as np

from chotso.sandbox.province.accruals import GROUP_COUNT, Accruals, Adjustments
from chotso.sandbox.province.employers import DL, DN, FD, HX, NN, NS, OFFICE_COUNT, Employers
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.timeline import HORIZON_MONTHS, OPEN_MONTH, Flags, Floats, Ints

# Arrears at the end of each month, in months of payable; the first value is before January.
_ARREARS_MONTHS = (0.20, 0.21, 0.22, 0.23, 0.24, 0.245, 0.235, 0.24, 0.24, 0.225, 0.195, 0.16,
                   0.101, 0.17, 0.19, 0.2)  # fmt: skip
# Factor of each agency's arrears at the end: some are above 0.9 %, some below.
_AGENCY_SPREAD = (0.62, 0.7, 0.78, 0.84, 0.9, 1.14, 1.22, 1.32, 1.45)
_PROVINCIAL_OFFICE_SPREAD = 0.95
_DEBTOR_SPREAD = 1.55
_LEAST_DEBTOR_SHARE = 0.12
# Invented: the rates of late-payment interest of 2021 are not public; per 100,000 a month.
INTEREST_RATES = (800, 700, 800)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The final values of every account; money in đồng."""

    opening_vnd: Ints  # (employers, groups): before January
    opening_interest_vnd: Ints  # (employers,)
    interest_accrued_vnd: Ints  # (employers, months, groups)
    paid_vnd: Ints  # (employers, months, groups): principal
    paid_old_vnd: Ints  # the part of it for arrears of earlier months
    paid_interest_vnd: Ints  # (employers, months)
    paid_voluntary_vnd: Ints  # (employers, months)
    months_owed: Ints  # (employers, months): whole months of arrears at the start


@dataclass(frozen=True, slots=True)
class _Habits:
    debtor: Flags
    weight: Floats
    spread: Floats  # per agency
    mean_payable: Floats  # per agency
    office: Ints


def _by_agency(office: Ints, values: Floats) -> Floats:
    return np.bincount(office, weights=values, minlength=OFFICE_COUNT).astype(np.float64)


def _habits(parameters: Parameters, employers: Employers, due: Accruals) -> _Habits:
    rng = stream(parameters.seed, "habits")
    count = employers.count
    mean = due.payable_vnd[:, :12].sum(axis=2).mean(axis=1)
    chance = np.select(
        [employers.kind == DN, employers.kind == FD, np.isin(employers.kind, (HX, NN))],
        [0.55, 0.35, 0.4],
        0.0,
    )
    failing = employers.last_month < OPEN_MONTH
    debtor = (rng.random(count) < np.where(failing, 0.8, chance)) & (employers.cycle == 1)
    weight = np.maximum(mean, 1) * np.exp(rng.normal(0, _DEBTOR_SPREAD, size=count))
    office = employers.office
    mean_payable = _by_agency(office, mean)
    for ordinal in range(OFFICE_COUNT):
        here = office == ordinal
        companies = np.flatnonzero(np.isin(employers.kind, (DN, FD)) & here & ~failing)
        # Enough debtors for the agency's planned arrears: its largest companies if necessary.
        for company in companies[np.argsort(-mean[companies], kind="stable")].tolist():
            if mean[debtor & here].sum() >= _LEAST_DEBTOR_SHARE * mean_payable[ordinal]:
                break
            debtor[company] = True
    spread = np.empty(OFFICE_COUNT)
    spread[0] = _PROVINCIAL_OFFICE_SPREAD
    spread[1:] = rng.permutation(_AGENCY_SPREAD)
    return _Habits(debtor, np.where(debtor, weight, 0.0), spread, mean_payable, office)


def _shared(wanted: Floats, weight: Floats, office: Ints, limit: Floats) -> Floats:
    """Distributes each agency's planned arrears over its debtors, up to each debtor's limit."""
    given = np.zeros(weight.size)
    free = weight.copy()
    for _round in range(6):
        missing = wanted - _by_agency(office, given)
        total = _by_agency(office, free)
        rate = np.divide(missing, total, out=np.zeros(OFFICE_COUNT), where=total > 0)
        given = np.clip(given + free * np.maximum(rate, 0)[office], 0, limit)
        free = np.where(given >= limit, 0.0, free)
    return given


def _debtor_targets(
    habits: _Habits, month: int, due: Ints, other_vnd: Floats, rng: np.random.Generator
) -> Ints:
    """Planned closing of each debtor by group."""
    pull = min(1.0, (month + 3) / 14)
    wanted = _ARREARS_MONTHS[month + 1] * habits.spread**pull * habits.mean_payable
    wanted = np.maximum(wanted - other_vnd, 0.25 * wanted)
    count = due.shape[0]
    owed = np.maximum(due, 0).sum(axis=1)
    weight = np.where(owed > 0, habits.weight * np.exp(rng.normal(0, 0.08, count)), 0.0)
    total = _shared(wanted, weight, habits.office, owed * 0.97)
    shares = np.maximum(due, 0) / np.maximum(owed, 1)[:, None]
    tilt = np.exp(rng.normal(0, 0.12, size=shares.shape)) * shares
    tilt /= np.maximum(tilt.sum(axis=1), 1e-9)[:, None]
    targets: Ints = np.floor(total[:, None] * tilt).astype(np.int64)
    limited: Ints = np.minimum(targets, np.maximum(due, 0))
    return limited


def _ordinary_targets(payable: Ints, kind: Ints, rng: np.random.Generator) -> Ints:
    """Closing of other employers: most pay exactly, some a little early, a few a little less."""
    count = kind.size
    early = rng.random(count) < np.where(kind == DL, 0.75, 0.42)
    short = ~early & (rng.random(count) < 0.06)
    share = rng.integers(1, 90, size=(count, GROUP_COUNT))
    one_group = rng.random((count, GROUP_COUNT)) < 0.6
    part = payable * share // 1_000 * one_group
    short_part = part // 3
    return np.where(early[:, None], -part, np.where(short[:, None], short_part, 0))


def make_ledger(
    parameters: Parameters, employers: Employers, due: Accruals, adjusted: Adjustments
) -> Ledger:
    """Simulates all months."""
    rng = stream(parameters.seed, "ledger")
    habits = _habits(parameters, employers, due)
    shape = (employers.count, HORIZON_MONTHS)
    net = np.zeros((*shape, GROUP_COUNT), dtype=np.int64)
    np.add.at(net, (adjusted.employer, adjusted.month), adjusted.up_vnd - adjusted.down_vnd)
    paid = np.zeros((*shape, GROUP_COUNT), dtype=np.int64)
    old, accrued = np.zeros_like(paid), np.zeros_like(paid)
    paid_interest, months_owed = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    first_due = due.payable_vnd[:, 0] * 6
    opening = _debtor_targets(habits, -1, first_due, np.zeros(OFFICE_COUNT), rng)
    opening[~habits.debtor] = 0
    opening_at_start = opening
    opening_interest = (opening.sum(axis=1) * 3 // 100).astype(np.int64)
    interest = opening_interest
    monthly_failing = employers.last_month
    before = due.payable_vnd[:, 0]
    for month in range(HORIZON_MONTHS):
        payable = due.payable_vnd[:, month]
        total_due = opening + payable + net[:, month]
        accrued[:, month] = np.maximum(opening - before, 0) * np.array(INTEREST_RATES) // 100_000
        waiting = (month + 1) % employers.cycle != 0
        gone = monthly_failing < month
        target = _ordinary_targets(payable, employers.kind, rng)
        target[waiting | gone] = total_due[waiting | gone]
        fixed = np.maximum(target, 0).sum(axis=1) * ~(habits.debtor & ~gone)
        other = _by_agency(habits.office, fixed.astype(np.float64))
        wanted = _debtor_targets(habits, month, total_due, other, rng)
        active_debtor = habits.debtor & ~gone & ~waiting
        target[active_debtor] = wanted[active_debtor]
        payment = np.maximum(total_due - target, 0)
        payment[waiting | gone] = 0
        paid[:, month] = payment
        old[:, month] = np.clip(opening, 0, payment)
        pays = (rng.random(employers.count) < 0.45) & (payment.sum(axis=1) > 0)
        paid_interest[:, month] = np.where(pays, interest, 0)
        ratio = np.maximum(opening, 0).sum(axis=1) / np.maximum(payable.sum(axis=1), 1)
        months_owed[:, month] = np.clip(np.ceil(ratio), 0, 24)
        interest = interest + accrued[:, month].sum(axis=1) - paid_interest[:, month]
        opening = total_due - payment
        before = payable
    noise = rng.integers(900, 1_101, size=shape)
    voluntary = np.where((employers.kind == DL)[:, None], due.voluntary_vnd * noise // 1_000, 0)
    return Ledger(
        opening_vnd=opening_at_start,
        opening_interest_vnd=opening_interest,
        interest_accrued_vnd=accrued,
        paid_vnd=paid,
        paid_old_vnd=old,
        paid_interest_vnd=paid_interest,
        paid_voluntary_vnd=voluntary // 1_000 * 1_000,
        months_owed=months_owed,
    )


def documents_wanted(employers: Employers, ledger: Ledger, rng: np.random.Generator) -> Ints:
    """Number of documents for each employer's payment of a month; shape (employers, months)."""
    money = ledger.paid_vnd.sum(axis=2) + ledger.paid_voluntary_vnd
    kind = employers.kind[:, None]
    chance = rng.random(money.shape)
    wanted = 1 + (chance < 0.12).astype(np.int64)
    wanted = np.where(money > 2_000_000_000, wanted + 1, wanted)
    wanted = np.where(kind == DL, 3 + (chance * 4).astype(np.int64), wanted)
    wanted = np.where(kind == NS, 2, wanted)
    return np.where(money > 0, wanted, 0)
