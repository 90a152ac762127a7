"""The judged month of a release: its agencies, its metrics, and a row for each pair."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from chotso.calendar import LOCAL_ZONE
from chotso.reports.data import FigureRow, Release
from chotso.reports.names import metric_group, metric_short_name, short_name, short_names
from chotso.reports.words import shown

_SHORT = 60
_DAYS = 7
_ORDER = (
    "collection_total",
    "collection_si_compulsory",
    "collection_si_voluntary",
    "collection_ui",
    "collection_hi",
    "participants_si_compulsory",
    "participants_si_voluntary",
    "participants_ui",
    "participants_hi",
    "arrears_ratio_total",
    "arrears_ratio_si",
    "arrears_ratio_ui",
    "arrears_ratio_hi",
)


@dataclass(frozen=True)
class ReportedAgency:
    """A unit that has rows in the attainment."""

    code: str
    name: str
    parent: str | None
    short_name: str = ""

    @property
    def label(self) -> str:
        """The name, made safe to show, or the code if there is no name."""
        return shown(" ".join(self.name.split()), 200) or self.code

    @property
    def short(self) -> str:
        """The short name, made safe to show; of two that would be equal, with their units."""
        name = self.short_name.replace("Bảo hiểm xã hội", "BHXH")
        return shown(" ".join(name.split()), 200) or self.label


@dataclass(frozen=True)
class ReportedMetric:
    """A metric that has rows in the attainment."""

    code: str
    name: str
    unit: str
    direction: str

    @property
    def group(self) -> str:
        """What the metric has in common with others, as Số thu."""
        return metric_group(self.unit)

    @property
    def short(self) -> str:
        """The name under its group, as BHYT."""
        return metric_short_name(self.name, self.unit)


@dataclass(frozen=True)
class Debts:
    """Employers of the judged month: those that owe, largest first; fresh accounts by agency."""

    owing: list[FigureRow]
    stated_recently: Counter[str]


def owed(row: FigureRow) -> Decimal | int:
    """An employer's principal owed, đồng; 0 if it is not known."""
    amount = row.get("arrears_vnd")
    return amount if isinstance(amount, Decimal | int) else 0


class Overview:
    """The judged month of a release: its agencies, its metrics, and a row for each pair."""

    def __init__(self, release: Release) -> None:
        self.release = release
        months = {row["month"] for row in release.attainment if isinstance(row["month"], date)}
        judged = release.facts.month
        self.month = judged if judged in months else max(months, default=judged)
        self.agencies: dict[str, ReportedAgency] = {}
        self.metrics: dict[str, ReportedMetric] = {}
        self.cells: dict[tuple[str, str], FigureRow] = {}
        for row in release.attainment:
            if row["month"] == self.month:
                self._take(row)
        self.metrics = dict(sorted(self.metrics.items(), key=lambda item: _order(item[0])))
        self.whole = self._whole()
        self._name_shortly()

    def _take(self, row: FigureRow) -> None:
        code, metric = str(row["agency_code"]), str(row["metric_code"])
        parent = row.get("parent_agency_code")
        name = str(row.get("agency_name") or "")
        self.agencies[code] = ReportedAgency(code, name, str(parent) if parent else None)
        self.metrics[metric] = ReportedMetric(
            metric,
            shown(str(row.get("metric_name_vi") or metric), _SHORT),
            str(row.get("unit_code") or ""),
            str(row.get("direction_code") or ""),
        )
        self.cells[code, metric] = row

    def _whole(self) -> ReportedAgency | None:
        """The agency that all others report to, if there is exactly one."""
        parents = {agency.parent for agency in self.agencies.values()} - {None}
        tops = [a for a in self.agencies.values() if a.parent is None]
        above = [agency for agency in tops if agency.code in parents]
        return above[0] if len(above) == 1 and len(tops) == 1 else None

    def _name_shortly(self) -> None:
        levels = {
            str(row["agency_code"]): row.get("level_number")
            for row in self.release.rows("agencies")
        }
        named = {
            code: (agency.name, levels.get(code, 1 if agency.parent is None else 2) == 1)
            for code, agency in self.agencies.items()
        }
        for code, short in short_names(named).items():
            self.agencies[code] = replace(self.agencies[code], short_name=short)
        if self.whole:
            self.whole = self.agencies[self.whole.code]

    def name_in(self, row: FigureRow) -> str | None:
        """The short name of a row's agency, by the name that it had in the row's month."""
        name, agency = row.get("agency_name"), self.agencies.get(str(row.get("agency_code")))
        if agency and agency.name == name:
            return agency.short_name.replace("Bảo hiểm xã hội", "BHXH") or None
        return short_name(str(name)).replace("Bảo hiểm xã hội", "BHXH") if name else None

    def short(self, code: object) -> str:
        """The short name of an agency's code; the code if it has no figures."""
        agency = self.agencies.get(str(code))
        return agency.short if agency else shown(str(code), 60)

    @property
    def units(self) -> list[ReportedAgency]:
        """The agencies that are compared: all except the whole, by code."""
        return [agency for _, agency in sorted(self.agencies.items()) if agency != self.whole]

    def cell(self, agency: ReportedAgency | None, metric: str) -> FigureRow:
        """The row of an agency and a metric; empty if there is none."""
        return self.cells.get((agency.code, metric), {}) if agency else {}

    def met(self, metric: str) -> tuple[int, int]:
        """How many units met the metric's plan, and how many had a plan."""
        verdicts = [self.cell(unit, metric).get("is_met") for unit in self.units]
        return verdicts.count(True), verdicts.count(True) + verdicts.count(False)

    @cached_property
    def debts(self) -> "Debts":
        """The employers of the judged month, read once."""
        owing, stated = [], Counter[str]()
        for row in self.release.rows("employer_arrears"):
            if row.get("month") != self.month:
                continue
            if owed(row) > 0:
                owing.append(row)
            if self.is_of_the_last_week(row.get("stated_at")):
                stated[str(row.get("agency_code"))] += 1
        owing.sort(key=owed, reverse=True)  # equal debts keep the file's order
        return Debts(owing, stated)

    @property
    def week(self) -> tuple[date, date]:
        """The seven days that end with the business date."""
        last = self.release.facts.business_date
        return last - timedelta(days=_DAYS - 1), last

    def is_of_the_last_week(self, moment: object) -> bool:
        """Whether a day, or an instant by its local day, is one of the last seven."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(LOCAL_ZONE).date()
        first, last = self.week
        return isinstance(moment, date) and first <= moment <= last

    def judged_metrics(self, direction: str) -> list[ReportedMetric]:
        """Metrics of a direction for which a unit or the whole has a ratio or a verdict."""
        return [
            metric
            for metric in self.metrics.values()
            if metric.direction == direction
            and any(
                self.cell(agency, metric.code).get("plan_in_force") is not None
                for agency in self.agencies.values()
            )
        ]


def _order(code: str) -> tuple[int, str]:
    return (_ORDER.index(code) if code in _ORDER else len(_ORDER), code)
