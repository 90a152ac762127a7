"""Exact sums over a known state: collection, heads, arrears, and money set aside.

Readings where the specification leaves a doubt:

- `collection_total` is all six funds, voluntary insurance included;
- `quarantined_money` of collection: lines in quarantine, and the lines of documents in
  quarantine (only a line tells the fund); neither status nor cutoff excludes them; agency and
  month are those of the document's version in quarantine where there is one; an agency that the
  register does not know is not readable, so it excludes no agency; the month is the row's own, not
  the year to date.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from tests.oracle.knowledge import Account, Knowledge, local_month
from tests.oracle.model import Measures, Row

SCHEMES = {
    "BHXHBB": "participants_si_compulsory",
    "BHXHTN": "participants_si_voluntary",
    "BHTN": "participants_ui",
    "BHYT": "participants_hi",
}
FUNDS = ("HTTT", "ODTS", "TNLD", "BHXHTN", "BHTN", "BHYT")
COLLECTIONS = {
    "collection_si_compulsory": ("HTTT", "ODTS", "TNLD"),
    "collection_si_voluntary": ("BHXHTN",),
    "collection_ui": ("BHTN",),
    "collection_hi": ("BHYT",),
    "collection_total": FUNDS,
}
"""The funds that each metric of collection counts."""
GROUP_FUNDS = {"si": ("HTTT", "ODTS", "TNLD"), "ui": ("BHTN",), "hi": ("BHYT",)}
C12_SUFFIXES = {"si": ("bhxh", "bh"), "ui": ("bhtn", "tn"), "hi": ("bhyt", "yt")}
"""Per group: suffix of closings, and of payables and adjustments."""

UNKNOWN = date.min
"""The month of what was credited in a month that cannot be read."""

MetricKey = tuple[str, date, str]


def collections_of(fund: str | None) -> list[str]:
    """The metrics that count a fund; of a fund that nobody knows, every one that it could be."""
    if fund not in FUNDS:
        return list(COLLECTIONS)
    return [metric for metric, funds in COLLECTIONS.items() if fund in funds]


class Owed:
    """Arrears, interest-bearing arrears and the month's receivable of one agency, month, group."""

    def __init__(self) -> None:
        self.arrears = 0
        self.interest_bearing = 0
        self.receivable = 0


class Facts:
    """Sums by agency, month and metric (or group), at agencies and provinces alike.

    Attributes:
        collected: Đồng by (agency, month, metric).
        heads: Persons' numbers by (agency, month, metric).
        with_accounts: (agency, month) for which an account is known.
        owed: Sums of accounts by (agency, month, group); group is never `total`.
        quarantined: Đồng set aside by (agency, month, metric).
        credits_aside: Đồng set aside that were credited, each once, by (agency, month, metric).
        accounts_aside: Closings set aside by (agency, employer, group) and month.
    """

    def __init__(
        self,
        state: Knowledge,
        months: Sequence[date],
        cutoff: datetime | None,
        config: Measures,
    ) -> None:
        self._state = state
        self._months = months
        self._cutoff = cutoff
        self._config = config
        self._lines: dict[str, list[Row]] = defaultdict(list)
        for line in state.accepted["phan_bo"].values():
            self._lines[line["so_chung_tu"]].append(line)
        self.collected: dict[MetricKey, int] = defaultdict(int)
        self.heads: dict[MetricKey, set[str]] = defaultdict(set)
        self.with_accounts: set[tuple[str, date]] = set()
        self.owed: dict[MetricKey, Owed] = defaultdict(Owed)
        self.quarantined: dict[MetricKey, int] = defaultdict(int)
        self.credits_aside: dict[MetricKey, int] = defaultdict(int)
        self.accounts_aside: dict[tuple[str, str, str], dict[date, int]] = defaultdict(dict)
        self._add_collection()
        self._add_heads()
        self._add_accounts()
        self._add_quarantined_lines()
        self._add_quarantined_accounts()
        self._add_credits_aside()

    def _valid_documents(self) -> Iterator[Row]:
        for document in self._state.accepted["chung_tu"].values():
            if document["trang_thai"] == "HIEU_LUC":
                yield document

    def _add_collection(self) -> None:
        for document in self._valid_documents():
            if self._cutoff is not None and document["ngay_ghi_co"] >= self._cutoff:
                continue
            month = local_month(document["ngay_ghi_co"])
            interest_counts = self._config.interest_counts_in(month)
            for agency in self._state.counting_agencies(document["ma_co_quan"]):
                for line in self._lines[document["so_chung_tu"]]:
                    money = line["tien_goc"] + (line["tien_lai"] if interest_counts else 0)
                    for metric in collections_of(line["quy"]):
                        self.collected[agency, month, metric] += money

    def _add_heads(self) -> None:
        for spell in self._state.accepted["tham_gia"].values():
            recorded = self._cutoff is None or spell["ngay_nhap"] < self._cutoff
            if spell["trang_thai"] != "HIEU_LUC" or not recorded:
                continue
            metric = SCHEMES[spell["loai"]]
            agencies = self._state.counting_agencies(spell["ma_co_quan"])
            for month in self._months:
                begun = spell["tu_thang"] <= month
                if begun and (spell["den_thang"] is None or month <= spell["den_thang"]):
                    for agency in agencies:
                        self.heads[agency, month, metric].add(spell["ma_so_bhxh"])

    def _add_accounts(self) -> None:
        added_back = self._credited_after_cutoff()
        for account in self._state.accounts.values():
            for agency in self._state.counting_agencies(account.agency_code):
                self.with_accounts.add((agency, account.month))
                for group, (closing_suffix, suffix) in C12_SUFFIXES.items():
                    closing = _money(account, f"_ck_{closing_suffix}")
                    for recorded_at, money in added_back[
                        account.employer_code, account.month, group
                    ]:
                        if recorded_at <= account.stated_at:
                            closing += money
                    payable = _money(account, f"_ps_{suffix}")
                    owed = self.owed[agency, account.month, group]
                    owed.arrears += max(closing, 0)
                    owed.interest_bearing += max(closing - payable, 0)
                    owed.receivable += payable + _money(account, f"_bst_{suffix}")
                    owed.receivable -= _money(account, f"_bsg_{suffix}")

    def _credited_after_cutoff(self) -> dict[MetricKey, list[tuple[datetime, int]]]:
        """When recorded, and principal, of lines credited in the cutoff's month but too late."""
        credited: dict[MetricKey, list[tuple[datetime, int]]] = defaultdict(list)
        if self._cutoff is None:
            return credited
        month = local_month(self._cutoff)
        for document in self._valid_documents():
            credited_at = document["ngay_ghi_co"]
            if credited_at < self._cutoff or local_month(credited_at) != month:
                continue
            for line in self._lines[document["so_chung_tu"]]:
                for group, funds in GROUP_FUNDS.items():
                    if line["quy"] in funds:
                        entry = (document["ngay_nhap"], line["tien_goc"])
                        credited[document["ma_don_vi"], month, group].append(entry)
        return credited

    def _add_quarantined_lines(self) -> None:
        state = self._state
        documents = state.accepted["chung_tu"] | state.set_aside["chung_tu"]
        lines = state.accepted["phan_bo"] | state.set_aside["phan_bo"]
        for key, line in lines.items():
            document_key = (line["so_chung_tu"],)
            alone = key in state.set_aside["phan_bo"]
            if not alone and document_key not in state.set_aside["chung_tu"]:
                continue
            document = documents.get(document_key)
            metrics = collections_of(line["quy"])
            months = [local_month(document["ngay_ghi_co"])] if document else self._months
            for agency in self._possible(document["ma_co_quan"] if document else None):
                for month in months:
                    for metric in metrics:
                        self.quarantined[agency, month, metric] += line["tien_goc"]
                        self.quarantined[agency, month, metric] += line["tien_lai"]

    def _add_quarantined_accounts(self) -> None:
        for account in self._state.accounts_set_aside:
            for agency in self._possible(account.agency_code):
                for group, (closing_suffix, _) in C12_SUFFIXES.items():
                    money = max(_money(account, f"_ck_{closing_suffix}"), 0)
                    of_months = self.accounts_aside[agency, account.employer_code, group]
                    of_months[account.month] = max(money, of_months.get(account.month, 0))
                    for metric in (f"arrears_ratio_{group}", "arrears_ratio_total"):
                        self.quarantined[agency, account.month, metric] += money

    def _add_credits_aside(self) -> None:
        """A document and its own lines are the same money: the larger of the two, once."""
        state = self._state
        aside = state.set_aside["chung_tu"]
        documents = state.accepted["chung_tu"] | aside
        pieces: dict[str, list[tuple[str | None, int]]] = defaultdict(list)  # (fund, đồng)
        for key, line in (state.accepted["phan_bo"] | state.set_aside["phan_bo"]).items():
            code = line["so_chung_tu"]
            if key in state.set_aside["phan_bo"] or (code,) in aside:
                money = abs(line["tien_goc"] + line["tien_lai"])
                pieces[code].append((line["quy"], money))
        for (code,), document in aside.items():
            rest = abs(document["so_tien"]) - sum(money for _, money in pieces[code])
            pieces[code].append((None, max(rest, 0)))
        for code, found in pieces.items():
            known = documents.get((code,))
            month = local_month(known["ngay_ghi_co"]) if known else UNKNOWN
            for agency in self._possible(known["ma_co_quan"] if known else None):
                for fund, money in found:
                    for metric in collections_of(fund):
                        self.credits_aside[agency, month, metric] += money

    def quarantined_to_date(self, agency: str, month: date, metric: str) -> int:
        """What is set aside and could change the figure from January to a month."""
        months = [date(month.year, number, 1) for number in range(1, month.month + 1)]
        if metric in COLLECTIONS:
            return sum(self.credits_aside[agency, each, metric] for each in (UNKNOWN, *months))
        group = metric.removeprefix("arrears_ratio_")
        return sum(
            max((money for each, money in of_months.items() if each in months), default=0)
            for (of_agency, _, of_group), of_months in self.accounts_aside.items()
            if of_agency == agency and group in (of_group, "total")
        )

    def _possible(self, agency_code: str | None) -> Iterable[str]:
        # An accepted or readable agency counts at itself and above; any other excludes nobody.
        counting = [] if agency_code is None else self._state.counting_agencies(agency_code)
        return counting or [code for (code,) in self._state.accepted["co_quan"]]


def _money(account: Account, column: str) -> int:
    return int(account.row.get(column) or 0)
