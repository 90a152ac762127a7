"""The payables of employers per month: heads, wage funds, payables by rate, later adjustments.

Groups of an account, everywhere in this package: 0 social insurance (si), 1 health (hi),
2 unemployment (ui). Rates of 2021 and 2022 by month; state-budget bodies keep the full ones.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from chotso.sandbox.province.employers import DL, NS, Employers
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.population import BB, HI, TN, UI, Spells, heads
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.timeline import DAY, HORIZON_MONTHS, Ints, Timeline

SI_GROUP, HI_GROUP, UI_GROUP = range(3)
GROUP_COUNT = 3
# Per cent of the wage base times 10: pension, sickness, accident, health, unemployment.
HTTT_PERMILLE, ODTS_PERMILLE, HI_PERMILLE = 220, 30, 45
_ACCIDENT_ENDS, _ACCIDENT_RESUMES = date(2021, 7, 1), date(2022, 7, 1)
_UNEMPLOYMENT_HALVES, _UNEMPLOYMENT_RESUMES = date(2021, 10, 1), date(2022, 10, 1)
BASE_SALARY_VND = 1_490_000
_BUDGET_HEAD_VND = BASE_SALARY_VND * 45 // 1_000
# Household members pay 4.5 % of the base salary, later members less: this is about the mean.
_HOUSEHOLD_HEAD_VND = 50_660
VOLUNTARY_HEAD_VND = 264_000


def accident_permille(day: date) -> int:
    """Employers' rate for occupational accidents, per mille, of non-budget employers."""
    return 0 if _ACCIDENT_ENDS <= day < _ACCIDENT_RESUMES else 5


def unemployment_permille(day: date) -> int:
    """Both sides' rate of unemployment insurance, per mille, of non-budget employers."""
    return 10 if _UNEMPLOYMENT_HALVES <= day < _UNEMPLOYMENT_RESUMES else 20


@dataclass(frozen=True, slots=True)
class Accruals:
    """Per employer and month; shape (employers, HORIZON_MONTHS), payable with groups last."""

    heads_si: Ints
    heads_hi: Ints
    heads_ui: Ints
    wages_si_vnd: Ints
    wages_hi_vnd: Ints
    wages_ui_vnd: Ints
    accident: Ints  # rate, per mille
    payable_vnd: Ints
    voluntary_vnd: Ints


@dataclass(frozen=True, slots=True)
class Adjustments:
    """Changes of a month's payable that became known later; shape (adjustments, ...)."""

    employer: Ints
    month: Ints
    up_vnd: Ints
    down_vnd: Ints
    known_at: Ints


def make_accruals(parameters: Parameters, employers: Employers, spells: Spells) -> Accruals:
    """Payables from heads, wages and the rates in force."""
    timeline = parameters.timeline
    heads_si = heads(spells, employers, BB)
    heads_ui = heads(spells, employers, UI)
    heads_hi = heads(spells, employers, HI)
    voluntary = heads(spells, employers, TN)
    wage = employers.wage_vnd[:, None]
    budget = employers.is_budget_body()
    days = [timeline.month_date(month) for month in range(HORIZON_MONTHS)]
    accident = np.where(budget[:, None], 5, np.array([accident_permille(d) for d in days]))
    unemployment = np.where(budget[:, None], 20, np.array([unemployment_permille(d) for d in days]))
    payable = np.zeros((employers.count, HORIZON_MONTHS, GROUP_COUNT), dtype=np.int64)
    # Wages are whole thousands, so every product below can be divided by 1,000 exactly.
    payable[:, :, SI_GROUP] = heads_si * wage * (HTTT_PERMILLE + ODTS_PERMILLE + accident) // 1_000
    payable[:, :, HI_GROUP] = heads_hi * wage * HI_PERMILLE // 1_000
    payable[:, :, UI_GROUP] = heads_ui * wage * unemployment // 1_000
    for kind, amount in ((DL, _HOUSEHOLD_HEAD_VND), (NS, _BUDGET_HEAD_VND)):
        of_kind = employers.kind == kind
        payable[of_kind, :, HI_GROUP] = heads_hi[of_kind] * amount
    return Accruals(
        heads_si=heads_si,
        heads_hi=heads_hi,
        heads_ui=heads_ui,
        wages_si_vnd=heads_si * wage,
        wages_hi_vnd=heads_hi * wage,
        wages_ui_vnd=heads_ui * wage,
        accident=accident.astype(np.int64),
        payable_vnd=payable,
        voluntary_vnd=voluntary * VOLUNTARY_HEAD_VND,
    )


def make_adjustments(parameters: Parameters, employers: Employers, due: Accruals) -> Adjustments:
    """Adjustments of 4 % of the accounts; half of them become known after the month's end."""
    rng = stream(parameters.seed, "adjustments")
    timeline: Timeline = parameters.timeline
    owing = employers.staffed()[:, None] & (due.payable_vnd.sum(axis=2) > 0)
    employer, month = np.nonzero(owing & (rng.random(owing.shape) < 0.04))
    n = employer.size
    payable = due.payable_vnd[employer, month]
    up = payable * rng.integers(2, 60, size=n)[:, None] // 2_000
    down = payable * rng.integers(2, 40, size=n)[:, None] // 2_000
    falling = rng.random(n) < 0.4
    both = rng.random(n) < 0.1
    up[falling & ~both] = 0
    down[~falling & ~both] = 0
    # At most 35 days after the month, because the nights' exports go back only two months.
    starts = timeline.month_starts(0, HORIZON_MONTHS)
    days = rng.integers(3, 64, size=n)
    latest = starts[np.minimum(month + 1, HORIZON_MONTHS)] + 34 * DAY
    known_at = np.minimum(starts[month] + days * DAY + rng.integers(28_800, 61_200, size=n), latest)
    return Adjustments(employer, month, up, down, known_at.astype(np.int64))
