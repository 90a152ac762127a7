"""C12 accounts against payments, from the specification alone, in exact arithmetic.

Readings where the specification leaves a doubt:

- an account without any movement and without a payment agrees with it: nothing is nothing;
- lines that add up to nothing, without an account, still lack the account;
- a difference is taken back by one neighbouring month only, paired from the earliest on;
- a row set aside explains a difference of its own employer, wherever its readable month and fund
  do not exclude it; one that names no employer explains none.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.oracle.facts import C12_SUFFIXES, GROUP_FUNDS
from tests.oracle.knowledge import Account, Knowledge, known, local_month
from tests.oracle.model import Observation, Row
from tests.oracle.recompute import Figures

VOLUNTARY = "voluntary"
RECONCILIATION_KEY = ("employer_code", "month", "group_code")
CATEGORIES = (
    "outside_accounts",
    "matched",
    "quarantined",
    "missing_account",
    "timing",
    "missing_payment",
    "adjusted",
    "over",
    "under",
)
GROUP_OF_FUND = {fund: group for group, funds in GROUP_FUNDS.items() for fund in funds}

Place = tuple[str, date, str]
"""Employer, month, group."""


@dataclass
class Side:
    """Both ledgers of one employer, month and group."""

    account: Account | None = None
    allocated: int = 0
    net_adjustment: int = 0
    added_back: int = 0
    paid: int = 0
    lines: int = 0
    recorded: list[tuple[datetime, int]] = field(default_factory=list)
    agencies: set[str] = field(default_factory=set)

    @property
    def difference(self) -> int:
        """Paid less allocated, đồng."""
        return self.paid - self.allocated

    @property
    def recorded_after(self) -> int:
        """Principal of documents recorded after the account's export, đồng."""
        if self.account is None:
            return 0
        stated_at = self.account.stated_at
        return sum(money for recorded_at, money in self.recorded if recorded_at > stated_at)


@dataclass(frozen=True)
class _SetAside:
    employer_code: str
    month: date
    group: str | None
    principal: int = 0
    allocated: int = 0


def reconciliation(
    observations: Sequence[Observation],
    as_known_at: datetime,
    event_cutoff: datetime | None = None,
) -> Figures:
    """Every row of the reconciliation, by (employer, month, group), all columns."""
    state = known(observations, as_known_at)
    sides = _sides(state, event_cutoff)
    paired = _taken_back(sides)
    aside = list(_set_aside(state))
    return {place: _row(place, side, place in paired, aside) for place, side in sides.items()}


def credited_too_late(
    state: Knowledge, cutoff: datetime | None
) -> dict[Place, list[tuple[datetime, int]]]:
    """When recorded, and principal, of lines credited in the cutoff's month but not before it."""
    late: dict[Place, list[tuple[datetime, int]]] = defaultdict(list)
    if cutoff is None:
        return late
    for document, line in _paid_lines(state):
        month = local_month(document["ngay_ghi_co"])
        if document["ngay_ghi_co"] >= cutoff and month == local_month(cutoff):
            group = GROUP_OF_FUND.get(line["quy"], VOLUNTARY)
            late[document["ma_don_vi"], month, group].append(
                (document["ngay_nhap"], line["tien_goc"])
            )
    return late


def amount(account: Account, column: str) -> int:
    """An account's amount; null is zero."""
    return int(account.row.get(column) or 0)


def _paid_lines(state: Knowledge) -> Iterator[tuple[Row, Row]]:
    documents = state.accepted["chung_tu"]
    for line in state.accepted["phan_bo"].values():
        document = documents.get((line["so_chung_tu"],))
        if document is not None and document["trang_thai"] == "HIEU_LUC":
            yield document, line


def _sides(state: Knowledge, cutoff: datetime | None) -> dict[Place, Side]:
    sides: dict[Place, Side] = defaultdict(Side)
    for document, line in _paid_lines(state):
        if cutoff is not None and document["ngay_ghi_co"] >= cutoff:
            continue
        group = GROUP_OF_FUND.get(line["quy"], VOLUNTARY)
        side = sides[document["ma_don_vi"], local_month(document["ngay_ghi_co"]), group]
        side.paid += line["tien_goc"]
        side.lines += 1
        side.recorded.append((document["ngay_nhap"], line["tien_goc"]))
        side.agencies.add(document["ma_co_quan"])
    late = credited_too_late(state, cutoff)
    for account in state.accounts.values():
        for group, (long, short) in C12_SUFFIXES.items():
            place = (account.employer_code, account.month, group)
            side = sides[place]
            side.account = account
            side.allocated = amount(account, f"_dt_{long}")
            side.net_adjustment = amount(account, f"_bst_{short}")
            side.net_adjustment -= amount(account, f"_bsg_{short}")
            side.added_back = sum(m for at, m in late[place] if at <= account.stated_at)
    return sides


def _taken_back(sides: dict[Place, Side]) -> set[Place]:
    paired: set[Place] = set()
    for place in sorted(p for p in sides if p[2] != VOLUNTARY):
        employer, month, group = place
        before = (employer, _month_before(month), group)
        difference = sides[place].difference
        if difference == 0 or before not in sides or before in paired:
            continue
        if sides[before].difference == -difference:
            paired |= {before, place}
    return paired


def _month_before(month: date) -> date:
    if month.month == 1:
        return date(month.year - 1, 12, 1)
    return month.replace(month=month.month - 1)


def _set_aside(state: Knowledge) -> Iterator[_SetAside]:
    documents, lines_aside = state.set_aside["chung_tu"], state.set_aside["phan_bo"]
    lines: dict[str, list[Row]] = defaultdict(list)
    for key, line in (state.accepted["phan_bo"] | lines_aside).items():
        if key in lines_aside or (line["so_chung_tu"],) in documents:
            lines[line["so_chung_tu"]].append(line)
    for (code,), document in documents.items():
        month = local_month(document["ngay_ghi_co"])
        if not lines[code]:
            yield _SetAside(document["ma_don_vi"], month, None)
        yield from _aside_lines(document["ma_don_vi"], month, lines[code], counts_money=True)
        accepted = state.accepted["chung_tu"].get((code,))
        if accepted is not None and local_month(accepted["ngay_ghi_co"]) != month:
            month = local_month(accepted["ngay_ghi_co"])
            yield from _aside_lines(document["ma_don_vi"], month, lines[code], counts_money=False)
    for code in lines.keys() - {code for (code,) in documents}:
        accepted = state.accepted["chung_tu"].get((code,))
        if accepted is not None:
            month = local_month(accepted["ngay_ghi_co"])
            yield from _aside_lines(accepted["ma_don_vi"], month, lines[code], counts_money=True)
    for account in state.accounts_set_aside:
        for group, (long, _) in C12_SUFFIXES.items():
            allocated = amount(account, f"_dt_{long}")
            yield _SetAside(account.employer_code, account.month, group, allocated=allocated)


def _aside_lines(
    employer: str, month: date, lines: Sequence[Row], *, counts_money: bool
) -> Iterator[_SetAside]:
    for line in lines:
        group = GROUP_OF_FUND.get(line["quy"])
        if group is not None:
            yield _SetAside(employer, month, group, line["tien_goc"] if counts_money else 0)


def _row(
    place: Place, side: Side, is_taken_back: bool, aside: Sequence[_SetAside]
) -> dict[str, Any]:
    employer, month, group = place
    explaining = [
        item
        for item in aside
        if group != VOLUNTARY
        and item.employer_code == employer
        and item.month == month
        and item.group in (None, group)
    ]
    return {
        "employer_code": employer,
        "month": month,
        "group_code": group,
        "agency_code": side.account.agency_code if side.account else min(side.agencies),
        "allocated_vnd": side.allocated if side.account else None,
        "paid_vnd": side.paid,
        "difference_vnd": side.difference,
        "recorded_after_statement_vnd": side.recorded_after,
        "added_back_vnd": side.added_back,
        "net_adjustment_vnd": side.net_adjustment,
        "quarantined_vnd": sum(item.principal for item in explaining),
        "quarantined_allocated_vnd": sum(item.allocated for item in explaining),
        "category_code": _category(group, side, is_taken_back, bool(explaining)),
    }


def _category(group: str, side: Side, is_taken_back: bool, is_explained: bool) -> str:
    without_late = side.paid - side.recorded_after + side.added_back
    fits = {
        "outside_accounts": group == VOLUNTARY,
        "matched": side.account is not None and side.difference == 0,
        "quarantined": is_explained,
        "missing_account": side.account is None,
        "timing": is_taken_back or without_late == side.allocated,
        "missing_payment": side.lines == 0,
        "adjusted": abs(side.difference) == abs(side.net_adjustment),
        "over": side.difference > 0,
        "under": side.difference < 0,
    }
    return next(category for category in CATEGORIES if fits[category])
