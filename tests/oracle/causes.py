"""Why figures differ between two instants, from two states of knowledge alone.

One cause per step of a row: what was set aside before is released; else another agency comes first
(parents, then the row's own), then all other corrections; what is void, new or late is so whole.
Readings where the specification leaves a doubt:

- a document is new if it was credited after the earlier instant, late if before or at it;
- a spell is new if it was recorded after the earlier instant and begins in a month not over then;
- an open spell that is closed is a leave: new if its last month was not over then, else late;
- an account of a month that was not over then is new whatever changes in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.oracle.facts import C12_SUFFIXES, SCHEMES, collections_of
from tests.oracle.knowledge import Account, Knowledge, local_month
from tests.oracle.model import Row

Cell = tuple[str, date, str]  # agency, month, metric (or fund group)
Change = dict[str, dict[Cell, tuple[int, int]]]  # by cause: of the month, or arrears; receivable
Counted = Mapping[Cell, tuple[int, int]]

_TELLING = ("released_from_quarantine", "re_assigned", "voided", "corrected", "late", "new")


@dataclass(frozen=True)
class Causes:
    """What differs between two states of knowledge, cause by cause.

    Attributes:
        earlier: The earlier state.
        later: The later state.
        earlier_at: The instant that the earlier state was asked for.
    """

    earlier: Knowledge
    later: Knowledge
    earlier_at: datetime

    def of_collection(self) -> Change:
        """Đồng by (agency, month credited, metric), interest left out."""
        change: Change = defaultdict(dict)
        keys = self.earlier.accepted["phan_bo"].keys() | self.later.accepted["phan_bo"].keys()
        for key in keys:
            _walk(change, *self._line(key))
        return change

    def of_accounts(self) -> Change:
        """Arrears and receivable by (agency, month, group)."""
        change: Change = defaultdict(dict)
        for key in self.earlier.accounts.keys() | self.later.accounts.keys():
            _walk(change, *self._account(key))
        return change

    def of_heads(self, months: Iterable[date]) -> Change:
        """Persons who came or went by (agency, month, metric)."""
        change: Change = defaultdict(dict)
        for month in months:
            before, after = (self._active(k, month) for k in (self.earlier, self.later))
            for cell in before.keys() | after.keys():
                was, now = before.get(cell, {}), after.get(cell, {})
                for person in now.keys() - was.keys():
                    cause = _telling(self._came(code, cell[0]) for code in now[person])
                    _add(change, cause, {cell: (1, 0)}, {})
                for person in was.keys() - now.keys():
                    cause = _telling(self._went(code, cell[0]) for code in was[person])
                    _add(change, cause, {}, {cell: (1, 0)})
        return change

    def _aside(self, table: str, key: tuple[Any, ...]) -> bool:
        return key in self.earlier.set_aside[table]

    def _line(self, key: tuple[Any, ...]) -> tuple[Counted, list[tuple[str, Counted]]]:
        old_line, new_line = (k.accepted["phan_bo"].get(key) for k in (self.earlier, self.later))
        old, new = (k.accepted["chung_tu"].get(key[:1]) for k in (self.earlier, self.later))
        document_aside = self._aside("chung_tu", key[:1]) and not _same(old, new)
        line_aside = self._aside("phan_bo", key) and not _same(old_line, new_line)
        released = document_aside or line_aside
        start = _credited(self.earlier, old, old_line)
        end = _credited(self.later, new, new_line)
        if old is None or old_line is None:
            cause = "corrected"
            if old is None and new is not None:
                cause = "new" if new["ngay_ghi_co"] > self.earlier_at else "late"
            elif old and new and old["trang_thai"] != new["trang_thai"]:
                cause = "voided"
            return start, [("released_from_quarantine" if released else cause, end)]
        if new is None or new_line is None:
            return start, [("released_from_quarantine" if released else "corrected", end)]
        if old["trang_thai"] != new["trang_thai"]:
            return start, [("released_from_quarantine" if document_aside else "voided", end)]
        moved = {**old, "ma_co_quan": new["ma_co_quan"]}
        return start, [
            ("re_assigned", _credited(self.later, old, old_line)),
            (
                "released_from_quarantine" if document_aside else "re_assigned",
                _credited(self.later, moved, old_line),
            ),
            (
                "released_from_quarantine" if document_aside else "corrected",
                _credited(self.later, new, old_line),
            ),
            ("released_from_quarantine" if line_aside else "corrected", end),
        ]

    def _account(self, key: tuple[str, date]) -> tuple[Counted, list[tuple[str, Counted]]]:
        old, new = (k.accounts.get(key) for k in (self.earlier, self.later))
        released = any(
            (account.employer_code, account.month) == key
            for account in self.earlier.accounts_set_aside
        )
        is_open = key[1] >= local_month(self.earlier_at)
        start, end = _owed(self.earlier, old), _owed(self.later, new)
        if old is None:
            cause = "new" if is_open else "late"
            return start, [("released_from_quarantine" if released else cause, end)]
        if new is None:
            return start, [("new" if is_open else "corrected", end)]
        moved = Account(*key, new.agency_code, old.stated_at, old.row)
        is_moved = released and old.agency_code != new.agency_code
        restated = "new" if is_open else "corrected"
        return start, [
            ("re_assigned", _owed(self.later, old)),
            ("released_from_quarantine" if is_moved else "re_assigned", _owed(self.later, moved)),
            ("released_from_quarantine" if released else restated, end),
        ]

    def _active(self, state: Knowledge, month: date) -> dict[Cell, dict[str, list[int]]]:
        found: dict[Cell, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for (code,), spell in state.accepted["tham_gia"].items():
            is_begun = spell["tu_thang"] <= month
            is_ended = spell["den_thang"] is not None and spell["den_thang"] < month
            if spell["trang_thai"] == "HIEU_LUC" and is_begun and not is_ended:
                for agency in state.counting_agencies(spell["ma_co_quan"]):
                    cell = (agency, month, SCHEMES[spell["loai"]])
                    found[cell][spell["ma_so_bhxh"]].append(code)
        return found

    def _spells(self, code: int) -> tuple[Row | None, Row | None]:
        key = (code,)
        earlier, later = self.earlier.accepted["tham_gia"], self.later.accepted["tham_gia"]
        return earlier.get(key), later.get(key)

    def _came(self, code: int, agency: str) -> str:
        old, new = self._spells(code)
        assert new is not None
        if self._aside("tham_gia", (code,)) and not _same(old, new):
            return "released_from_quarantine"
        if old is None:
            is_recorded_since = new["ngay_nhap"] > self.earlier_at
            is_open = new["tu_thang"] >= local_month(self.earlier_at)
            return "new" if is_recorded_since and is_open else "late"
        if old["trang_thai"] == "HUY":
            return "voided"
        at_agency = agency in self.earlier.counting_agencies(old["ma_co_quan"])
        return "corrected" if at_agency else "re_assigned"

    def _went(self, code: int, agency: str) -> str:
        old, new = self._spells(code)
        assert old is not None
        if self._aside("tham_gia", (code,)) and not _same(old, new):
            return "released_from_quarantine"
        if new is None:
            return "corrected"
        if new["trang_thai"] == "HUY":
            return "voided"
        if agency not in self.later.counting_agencies(new["ma_co_quan"]):
            return "re_assigned"
        kept = all(old[name] == new[name] for name in ("ma_so_bhxh", "loai", "tu_thang"))
        if kept and old["den_thang"] is None and new["den_thang"] is not None:
            return "new" if new["den_thang"] >= local_month(self.earlier_at) else "late"
        return "corrected"


def _walk(change: Change, start: Counted, steps: Iterable[tuple[str, Counted]]) -> None:
    for cause, after in steps:
        _add(change, cause, after, start)
        start = after


def _add(change: Change, cause: str, after: Counted, before: Counted) -> None:
    for cell in after.keys() | before.keys():
        so_far = change[cause].get(cell, (0, 0))
        more, less = after.get(cell, (0, 0)), before.get(cell, (0, 0))
        change[cause][cell] = (so_far[0] + more[0] - less[0], so_far[1] + more[1] - less[1])


def _credited(state: Knowledge, document: Row | None, line: Row | None) -> Counted:
    if document is None or line is None or document["trang_thai"] != "HIEU_LUC":
        return {}
    month = local_month(document["ngay_ghi_co"])
    return {
        (agency, month, metric): (line["tien_goc"], 0)
        for agency in state.counting_agencies(document["ma_co_quan"])
        for metric in collections_of(line["quy"])
    }


def _owed(state: Knowledge, account: Account | None) -> Counted:
    if account is None:
        return {}
    return {
        (agency, account.month, group): amounts
        for agency in state.counting_agencies(account.agency_code)
        for group, amounts in _amounts(account.row)
    }


def _amounts(row: Row) -> Iterator[tuple[str, tuple[int, int]]]:
    total = (0, 0)
    for group, (long, short) in C12_SUFFIXES.items():
        closing, payable, up, down = (
            int(row.get(name) or 0)
            for name in (f"_ck_{long}", f"_ps_{short}", f"_bst_{short}", f"_bsg_{short}")
        )
        amounts = (max(closing, 0), payable + up - down)
        total = (total[0] + amounts[0], total[1] + amounts[1])
        yield group, amounts
    yield "total", total


def _same(old: Row | None, new: Row | None) -> bool:
    """Whether two versions say the same; when the source touched them is no content."""
    if old is None or new is None:
        return old is new
    return {**old, "ngay_sua": None} == {**new, "ngay_sua": None}


def _telling(causes: Iterable[str]) -> str:
    return min(causes, key=_TELLING.index)
