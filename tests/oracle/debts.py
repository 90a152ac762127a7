"""What employers owe, and how their debt is classed, from the specification alone.

Readings where the specification leaves a doubt:

- the legal status that makes a debt hard to collect is that of the month's last day: the register
  has no dates of its own, so a change counts from the local day on which it became known;
- a number of months below the first class is no known age.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle.facts import C12_SUFFIXES
from tests.oracle.knowledge import LOCAL, Account, known
from tests.oracle.model import Observation
from tests.oracle.recompute import Figures
from tests.oracle.reconciliation import amount, credited_too_late

DEBT_KEY = ("employer_code", "month")
STATUSES = {
    "HOAT_DONG": "active",
    "TAM_DUNG": "suspended",
    "GIAI_THE": "dissolved",
    "PHA_SAN": "bankrupt",
}


@dataclass(frozen=True)
class DebtClasses:
    """Classes of debt from a month on: code by least number of months owed."""

    since: date
    from_months: Mapping[int, str]
    hard_to_collect: frozenset[str]


CONFIGURED = (
    DebtClasses(
        date(2021, 1, 1),
        {0: "late", 1: "overdue", 3: "long_overdue"},
        frozenset({"dissolved", "bankrupt"}),
    ),
)


def employer_debts(
    observations: Sequence[Observation],
    as_known_at: datetime,
    event_cutoff: datetime | None = None,
    configured: Sequence[DebtClasses] = CONFIGURED,
) -> Figures:
    """Every row of the employers' debts, by (employer, month), all columns."""
    state = known(observations, as_known_at)
    late = credited_too_late(state, event_cutoff)
    statuses = _Statuses([o for o in observations if o.known_at <= as_known_at])
    figures: Figures = {}
    for (employer, month), account in state.accounts.items():
        closings, payables = [], []
        for group, (long, short) in C12_SUFFIXES.items():
            back = [m for at, m in late[employer, month, group] if at <= account.stated_at]
            closings.append(amount(account, f"_ck_{long}") + sum(back))
            payables.append(amount(account, f"_ps_{short}"))
        arrears = sum(max(closing, 0) for closing in closings)
        status = statuses.on(employer, _last_day(month))
        figures[employer, month] = _sheet_columns(account) | {
            "employer_code": employer,
            "month": month,
            "agency_code": account.agency_code,
            "arrears_vnd": arrears,
            "interest_bearing_arrears_vnd": sum(
                max(closing - payable, 0)
                for closing, payable in zip(closings, payables, strict=True)
            ),
            "surplus_vnd": sum(max(-closing, 0) for closing in closings),
            "employer_status_code": status,
            "debt_class_code": debt_class(
                configured, month, arrears, status, _months_owed(account)
            ),
        }
    return figures


def debt_class(
    configured: Sequence[DebtClasses],
    month: date,
    arrears: int,
    status: str | None,
    months_owed: Decimal | None,
) -> str | None:
    """The class of a debt; None for a month that no configuration covers."""
    valid = [entry for entry in configured if entry.since <= month]
    if not valid:
        return None
    entry = max(valid, key=lambda classes: classes.since)
    if arrears == 0:
        return "none"
    if status in entry.hard_to_collect:
        return "hard_to_collect"
    reached = [n for n in entry.from_months if months_owed is not None and n <= months_owed]
    return entry.from_months[max(reached)] if reached else "unknown_age"


def _sheet_columns(account: Account) -> dict[str, Any]:
    accrued = sum(amount(account, f"_lai{number}_ps") for number in (1, 2, 3))
    return {
        "interest_opening_vnd": amount(account, "_dk_lai"),
        "interest_accrued_vnd": accrued,
        "interest_allocated_vnd": amount(account, "_dt_lai"),
        "interest_closing_vnd": amount(account, "_ck_lai"),
        "months_owed_count": _months_owed(account),
        "employee_count": amount(account, "sld"),
        "ui_employee_count": amount(account, "sldtn"),
        "si_wage_fund_vnd": amount(account, "_tql"),
        "ui_wage_fund_vnd": amount(account, "_tqltn"),
        "hi_wage_fund_vnd": amount(account, "_tqlyt"),
    }


def _months_owed(account: Account) -> Decimal | None:
    stated = account.row.get("sothang")
    return None if stated is None else Decimal(str(stated))


class _Statuses:
    """Employers' legal status by day, as the register became known."""

    def __init__(self, seen: Sequence[Observation]) -> None:
        self._changes: dict[str, list[tuple[date, str]]] = {}
        for observation in sorted(seen, key=lambda o: o.known_at):
            day = observation.known_at.astimezone(LOCAL).date()
            for row in observation.tables.get("don_vi", ()):
                changes = self._changes.setdefault(row["ma_don_vi"], [])
                # what was known first holds from the beginning
                changes.append((day if changes else date.min, STATUSES[row["trang_thai"]]))

    def on(self, employer: str, day: date) -> str | None:
        """The status on a day; None for an employer that the register lacks."""
        return next(
            (s for since, s in reversed(self._changes.get(employer, [])) if since <= day), None
        )


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
