"""Every employer's monthly account as the source knew it at an instant.

`closing = opening + payable + up - down - allocated`, by group. An opening is the previous closing.
Allocated is the principal of valid documents that were credited in the month and recorded by then.
"""

from dataclasses import dataclass

import numpy as np

from chotso.sandbox.province.accruals import GROUP_COUNT, Accruals, Adjustments
from chotso.sandbox.province.documents import Documents
from chotso.sandbox.province.employers import Employers
from chotso.sandbox.province.ledger import Ledger
from chotso.sandbox.province.payments import FUND_GROUPS, VOLUNTARY_FUND
from chotso.sandbox.province.timeline import HORIZON_MONTHS, Flags, Ints, Timeline

_INTEREST = GROUP_COUNT
_SLOTS = GROUP_COUNT + 1


@dataclass(frozen=True, slots=True)
class Effects:
    """Changes of the allocated amount of accounts, each with the instant when it became known."""

    at: Ints
    cell: Ints  # flat index into (employers, months, slots): three groups, then interest
    amount_vnd: Ints


@dataclass(frozen=True, slots=True)
class Statement:
    """All accounts at an instant; shape (employers, months, groups), interest without groups."""

    opening: Ints
    payable: Ints
    up: Ints
    down: Ints
    allocated: Ints
    closing: Ints
    interest_opening: Ints
    interest_accrued: Ints  # by group
    interest_allocated: Ints
    interest_closing: Ints

    def of_month(self, month: int) -> Ints:
        """All values of the month's export, one row per employer."""
        parts = (self.opening, self.payable, self.up, self.down, self.allocated, self.closing,
                 self.interest_accrued)  # fmt: skip
        flat = (self.interest_opening, self.interest_allocated, self.interest_closing)
        return np.concatenate(
            [part[:, month] for part in parts] + [part[:, month, None] for part in flat], axis=1
        )


def _cells(employer: Ints, month: Ints, slot: Ints) -> Ints:
    return (employer * HORIZON_MONTHS + month) * _SLOTS + slot


def _simple(documents: Documents) -> Flags:
    """Documents with one version, and with all lines written together with it."""
    versions = np.bincount(documents.v_document, minlength=documents.count)
    last = np.zeros(documents.count, dtype=np.int64)
    last[documents.v_document] = documents.v_at
    moved = documents.l_at != last[documents.l_document]
    changed = np.bincount(documents.l_document[moved], minlength=documents.count)
    simple: Flags = (versions == 1) & (changed == 0)
    return simple


def make_effects(timeline: Timeline, documents: Documents) -> Effects:
    """The effects of all versions of all documents on the accounts."""
    simple = _simple(documents)
    at = np.zeros(documents.count, dtype=np.int64)
    at[documents.v_document] = documents.v_at
    month = np.zeros(documents.count, dtype=np.int64)
    month[documents.v_document] = timeline.months_of(documents.v_credited_at)
    lines = np.flatnonzero(simple[documents.l_document] & (documents.l_fund != VOLUNTARY_FUND))
    of = documents.l_document[lines]
    slot = FUND_GROUPS[documents.l_fund[lines]]
    principal = Effects(at[of], _cells(documents.employer[of], month[of], slot),
                        documents.l_principal_vnd[lines])  # fmt: skip
    interest = Effects(at[of], _cells(documents.employer[of], month[of], np.full(of.size, 3)),
                       documents.l_interest_vnd[lines])  # fmt: skip
    rest = _effects_with_history(timeline, documents, ~simple)
    joined = [
        np.concatenate([getattr(part, name) for part in (principal, interest, rest)])
        for name in ("at", "cell", "amount_vnd")
    ]
    inside = (joined[1] >= 0) & (joined[2] != 0)
    return Effects(*(column[inside] for column in joined))


def _effects_with_history(timeline: Timeline, documents: Documents, chosen: Flags) -> Effects:
    versions: dict[int, list[int]] = {}
    lines: dict[int, list[int]] = {}
    for index in np.flatnonzero(chosen[documents.v_document]).tolist():
        versions.setdefault(int(documents.v_document[index]), []).append(index)
    for index in np.flatnonzero(chosen[documents.l_document]).tolist():
        lines.setdefault(int(documents.l_document[index]), []).append(index)
    months = timeline.months_of(documents.v_credited_at)
    found: list[tuple[int, int, int]] = []
    for document, of_document in versions.items():
        employer = int(documents.employer[document])
        before: dict[int, int] = {}
        for version in sorted(of_document, key=lambda index: int(documents.v_at[index])):
            at, after = int(documents.v_at[version]), {}
            if not documents.v_void[version]:
                standing = _standing(documents, lines.get(document, []), at)
                after = _amounts(documents, standing, employer, int(months[version]))
            for cell in sorted(before.keys() | after.keys()):
                found.append((at, cell, after.get(cell, 0) - before.get(cell, 0)))
            before = after
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Effects(columns[:, 0], columns[:, 1], columns[:, 2])


def _standing(documents: Documents, of_document: list[int], at: int) -> list[int]:
    """The line versions in force at an instant."""
    newest: dict[int, int] = {}
    for index in sorted(of_document, key=lambda i: int(documents.l_at[i])):
        if documents.l_at[index] <= at:
            newest[int(documents.l_line[index])] = index
    return [index for index in newest.values() if not documents.l_deleted[index]]


def _amounts(
    documents: Documents, standing: list[int], employer: int, month: int
) -> dict[int, int]:
    amounts: dict[int, int] = {}
    for index in standing:
        fund = int(documents.l_fund[index])
        if fund == VOLUNTARY_FUND:
            continue
        base = (employer * HORIZON_MONTHS + month) * _SLOTS
        for slot, money in (
            (int(FUND_GROUPS[fund]), int(documents.l_principal_vnd[index])),
            (_INTEREST, int(documents.l_interest_vnd[index])),
        ):
            amounts[base + slot] = amounts.get(base + slot, 0) + money
    return amounts


@dataclass(frozen=True, slots=True)
class AccountBook:
    """The parts of all accounts; `at` computes the accounts at any instant."""

    employers: Employers
    due: Accruals
    ledger: Ledger
    adjustments: Adjustments
    effects: Effects

    def at(self, instant: int) -> Statement:
        """All accounts as known at an instant (with the payables of all months)."""
        shape = (self.employers.count, HORIZON_MONTHS, _SLOTS)
        known = self.effects.at <= instant
        flat = np.zeros(shape[0] * shape[1] * shape[2], dtype=np.int64)
        np.add.at(flat, self.effects.cell[known], self.effects.amount_vnd[known])
        received = flat.reshape(shape)
        up, down = np.zeros_like(self.due.payable_vnd), np.zeros_like(self.due.payable_vnd)
        known = self.adjustments.known_at <= instant
        place = (self.adjustments.employer[known], self.adjustments.month[known])
        np.add.at(up, place, self.adjustments.up_vnd[known])
        np.add.at(down, place, self.adjustments.down_vnd[known])
        allocated, interest_allocated = received[:, :, :GROUP_COUNT], received[:, :, _INTEREST]
        change = self.due.payable_vnd + up - down - allocated
        closing = self.ledger.opening_vnd[:, None] + np.cumsum(change, axis=1)
        accrued = self.ledger.interest_accrued_vnd
        interest_change = accrued.sum(axis=2) - interest_allocated
        interest_closing = self.ledger.opening_interest_vnd[:, None] + np.cumsum(
            interest_change, axis=1
        )
        return Statement(
            opening=closing - change,
            payable=self.due.payable_vnd,
            up=up,
            down=down,
            allocated=allocated,
            closing=closing,
            interest_opening=interest_closing - interest_change,
            interest_accrued=accrued,
            interest_allocated=interest_allocated,
            interest_closing=interest_closing,
        )

    def listed(self, statement: Statement, month: int) -> Flags:
        """Employers in an export of the month: active in it, or with an open balance."""
        alive = (self.employers.first_month <= month) & (month <= self.employers.last_month)
        money = (statement.of_month(month) != 0).any(axis=1)
        listed: Flags = alive | ((self.employers.first_month <= month) & money)
        return listed
