"""The content of C12 exports: the month's accounts by agency, as the source knew them then."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chotso.sandbox.province.accounts import AccountBook, Statement
from chotso.sandbox.province.accruals import HI_GROUP, SI_GROUP, UI_GROUP
from chotso.sandbox.province.employers import KINDS, OFFICE_COUNT
from chotso.sandbox.province.schedule import export_instants
from chotso.sandbox.province.timeline import Ints, Timeline, aware
from chotso.sandbox.province.units import offices
from chotso.sandbox.province.workbook import WrittenCell

AccountRow = dict[str, WrittenCell]
Sheets = dict[str, list[AccountRow]]

_GROUP_NAMES = ((SI_GROUP, "bh"), (HI_GROUP, "yt"), (UI_GROUP, "tn"))
_LONG_NAMES = {"bh": "bhxh", "yt": "bhyt", "tn": "bhtn"}
MONEY_FIELDS = (
    "_dk_bhxh", "_dk_bhyt", "_dk_bhtn", "_ps_bh", "_ps_yt", "_ps_tn", "_bst_bh", "_bst_yt",
    "_bst_tn", "_bsg_bh", "_bsg_yt", "_bsg_tn", "_dt_bhxh", "_dt_bhyt", "_dt_bhtn", "_ck_bhxh",
    "_ck_bhyt", "_ck_bhtn", "_dk_lai", "_lai1_ps", "_lai2_ps", "_lai3_ps", "_dt_lai", "_ck_lai",
)  # fmt: skip
COUNT_FIELDS = ("sld", "sldtn", "_tql", "_tqlyt", "_tqltn")
USED_FIELDS = ("madvi", "thang", *MONEY_FIELDS, *COUNT_FIELDS, "sothang")
CLOSINGS = ("_ck_bhxh", "_ck_bhyt", "_ck_bhtn")


@dataclass(frozen=True, slots=True)
class Export:
    """One month's accounts at one instant, by agency code; every agency has a sheet."""

    at: int
    month: int
    sheets: Sheets

    def file_name(self, timeline: Timeline) -> str:
        """Name of the workbook in the drop folder."""
        month = timeline.month_date(self.month)
        return f"C12_{month:%Y%m}_{aware(self.at):%Y%m%dT%H%M%S}.xlsx"


def used_row(row: AccountRow) -> AccountRow:
    """The fields of a row that are used."""
    return {name: row[name] for name in USED_FIELDS}


def closing_total(row: AccountRow) -> int:
    """The money of a row: the sum of its three closings."""
    return sum(value for name in CLOSINGS if isinstance(value := row[name], int))


def _sheet_office(book: AccountBook, timeline: Timeline, month: int, at: int) -> Ints:
    """The agency of each account of the month."""
    return book.employers.office_at(min(at, timeline.month_start(month + 1) - 1))


def _changed(
    book: AccountBook, timeline: Timeline, month: int, states: tuple[Statement, Statement],
    instants: tuple[int, int],
) -> bool:  # fmt: skip
    before, now = states
    listed = book.listed(now, month)
    if (before.of_month(month) != now.of_month(month)).any():
        return True
    was, is_now = (_sheet_office(book, timeline, month, at) for at in instants)
    return bool((was[listed] != is_now[listed]).any())


def exports(
    book: AccountBook, timeline: Timeline, after: int | None, until: int
) -> Iterator[Export]:
    """The exports made in (after, until]: of the current month, and of two earlier if changed."""
    instants = export_instants(timeline)
    previous: tuple[int, Statement] | None = None
    for index, at in enumerate(instants):
        if at > until:
            return
        if after is not None and at <= after:
            continue
        if previous is None and index:
            previous = instants[index - 1], book.at(instants[index - 1])
        now = book.at(at)
        current = int(timeline.months_of(np.array([at]))[0])
        for month in range(max(current - 2, 0), current + 1):
            if (
                month == current
                or previous is None
                or _changed(book, timeline, month, (previous[1], now), (previous[0], at))
            ):
                yield Export(at, month, _sheets(book, timeline, now, month, at))
        previous = at, now


def _sheets(book: AccountBook, timeline: Timeline, state: Statement, month: int, at: int) -> Sheets:
    listed = np.flatnonzero(book.listed(state, month))
    office = _sheet_office(book, timeline, month, at)[listed]
    order = np.lexsort((listed, office))
    columns = _columns(book, state, month, listed[order])
    sheets: Sheets = {agency.code: [] for agency in offices()}
    month_text = timeline.month_date(month).isoformat()
    names = list(columns)
    codes = [offices()[ordinal].code for ordinal in range(OFFICE_COUNT)]
    employers = book.employers
    for position, values in zip(order.tolist(), zip(*columns.values(), strict=True), strict=True):
        employer = int(listed[position])
        code = codes[int(office[position])]
        row: AccountRow = {
            "madvi": employers.codes[employer],
            "makhoi": KINDS[int(employers.kind[employer])],
            "tendvi": employers.names[employer],
            "mavung": "III",
            "ma_quan": code,
            "thang": month_text,
        }
        row.update(zip(names, values, strict=True))
        sheets[code].append(row)
    return sheets


def _columns(
    book: AccountBook, state: Statement, month: int, chosen: Ints
) -> dict[str, list[int] | list[float]]:
    columns: dict[str, list[int] | list[float]] = {}
    for group, short in _GROUP_NAMES:
        for field, array in (
            (f"_dk_{_LONG_NAMES[short]}", state.opening),
            (f"_ps_{short}", state.payable),
            (f"_bst_{short}", state.up),
            (f"_bsg_{short}", state.down),
            (f"_dt_{_LONG_NAMES[short]}", state.allocated),
            (f"_ck_{_LONG_NAMES[short]}", state.closing),
        ):
            columns[field] = array[chosen, month, group].tolist()
    for number, group in enumerate((SI_GROUP, HI_GROUP, UI_GROUP), start=1):
        columns[f"_lai{number}_ps"] = state.interest_accrued[chosen, month, group].tolist()
    columns["_dk_lai"] = state.interest_opening[chosen, month].tolist()
    columns["_dt_lai"] = state.interest_allocated[chosen, month].tolist()
    columns["_ck_lai"] = state.interest_closing[chosen, month].tolist()
    due = book.due
    for field, counts in (
        ("sld", due.heads_si), ("sldtn", due.heads_ui), ("_tql", due.wages_si_vnd),
        ("_tqlyt", due.wages_hi_vnd), ("_tqltn", due.wages_ui_vnd),
    ):  # fmt: skip
        columns[field] = counts[chosen, month].tolist()
    opening, closing = state.opening[chosen, month], state.closing[chosen, month]
    payable = state.payable[chosen, month].sum(axis=1)
    owed = np.maximum(closing, 0).sum(axis=1)
    tenths = np.where(payable > 0, owed * 10 // np.maximum(payable, 1), 0)
    columns["sothang"] = (np.minimum(tenths, 990) / 10).tolist()
    columns["_tien_dk"] = opening.sum(axis=1).tolist()
    columns["_tien_ck"] = closing.sum(axis=1).tolist()
    columns["_tien_unc"] = state.allocated[chosen, month].sum(axis=1).tolist()
    return columns
