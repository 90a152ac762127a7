"""The answers to the analysts' questions, from the observations and the specification alone.

An answer is the rows that a reader finds; a reader of one agency finds what is filed there. Orders
within an answer are the page's own affair.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.asking import Questions
from tests.oracle.facts import C12_SUFFIXES, GROUP_FUNDS
from tests.oracle.knowledge import LOCAL, local_month
from tests.oracle.model import C12, Key, Observation
from tests.oracle.officers import officer_attainment
from tests.oracle.pace import is_arrears, judged, last_day
from tests.oracle.people import month_before, people
from tests.oracle.recompute import attainment, nine_decimals
from tests.oracle.reconciliation import amount, reconciliation
from tests.oracle.targets import plan_targets

OCTOBER, DECEMBER = date(2021, 10, 1), date(2021, 12, 1)
Answer = list[tuple[Any, ...]]


def plan_shown(plan: Any) -> Any:
    """Reports show a plan to nine decimals; verdicts are those of the plan itself."""
    return None if plan is None else nine_decimals(Fraction(plan))


def top_debtors(asked: Questions) -> Answer:
    by_agency: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for debt in asked.latest_debts():
        if debt["arrears_vnd"] > 0:
            by_agency[debt["agency_code"]].append((-debt["arrears_vnd"], debt["employer_code"]))
    answer: Answer = []
    for agency, owing in by_agency.items():
        for negative, employer in sorted(owing)[:10]:
            day = min(last_day(DECEMBER), asked.day)
            row = asked.register("don_vi", "ma_don_vi", employer, day)
            in_charge = asked.officer_name(asked.officer(employer, day))
            name = row["ten"] if row else employer
            answer.append((asked.short(agency), employer, name, -negative, in_charge))
    return answer


def funds_by_month(asked: Questions) -> Answer:
    sums: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for document, line in asked.lines():
        of_fund = sums[local_month(document["ngay_ghi_co"]), line["quy"]]
        of_fund[0] += line["tien_goc"]
        of_fund[1] += line["tien_lai"]
    return [(month, fund, *both) for (month, fund), both in sums.items()]


def missed_plans(asked: Questions) -> Answer:
    return [
        (
            asked.short(agency),
            metric,
            row["actual_to_date"],
            plan_shown(row["plan_in_force"]),
            abs(plan_shown(row["plan_in_force"]) - row["actual_to_date"]),
        )
        for (agency, _, metric), row, stands in asked.shown(DECEMBER)
        if stands["status_code"] == "missed"
    ]


def _owing_since(asked: Questions, employer: str, month: date) -> date:
    before = month_before(month)
    while (debt := asked.debts.get((employer, before))) and debt["arrears_vnd"] > 0:
        month, before = before, month_before(before)
    return month


def old_arrears(asked: Questions) -> Answer:
    return [
        (
            asked.short(debt["agency_code"]),
            debt["employer_code"],
            debt["arrears_vnd"],
            debt["months_owed_count"],
            _owing_since(asked, debt["employer_code"], debt["month"]),
            debt["debt_class_code"],
        )
        for debt in asked.latest_debts()
        if debt["arrears_vnd"] > 0 and (debt["months_owed_count"] or 0) >= 3
    ]


def _moved(asked: Questions) -> Iterator[tuple[str, date, str, dict[str, Any]]]:
    for (agency, month, scheme), row in people(
        asked.observations, asked.clock
    ).participation.items():
        if asked.sees(agency):
            yield agency, month, scheme, row


def joined_and_left(asked: Questions) -> Answer:
    return [
        (asked.short(agency), scheme, *(row[name] for name in _MOVEMENTS))
        for agency, month, scheme, row in _moved(asked)
        if month == DECEMBER
    ]


_MOVEMENTS = ("participant_count", "joined_count", "left_count", "net_growth_count")


def revised_figures(asked: Questions) -> Answer:
    revised: Answer = []
    for (agency, _, metric), row, _ in asked.shown(DECEMBER):
        original, in_force = (
            plan_shown(row[f"plan_{which}"]) for which in ("original", "in_force")
        )
        if original != in_force:
            revised.append((asked.short(agency), metric, original, in_force))
    return revised


def since_last_night(asked: Questions) -> Answer:
    (before, day_before), (now, day) = asked.nights[-2:]
    assert day_before.year < day.year, "the turn of the year lies between the nights"
    past = attainment(asked.observations, before)
    answer: Answer = []
    for (agency, month, metric), row in attainment(asked.observations, now).items():
        was = past.get((agency, month, metric))
        if month != DECEMBER or was is None or not asked.sees(agency):
            continue
        if row["actual_to_date"] != was["actual_to_date"]:
            change = _difference(row["actual_to_date"], was["actual_to_date"])
            answer.append((asked.short(agency), metric, row["actual_to_date"], change))
    return answer


def _difference(now: Decimal | None, then: Decimal | None) -> Decimal | None:
    return None if now is None or then is None else now - then


def frozen_against_now(asked: Questions) -> Answer:
    answer: Answer = []
    sealed = attainment(asked.observations, asked.sealed_at, asked.cutoff)
    for (agency, month, metric), row in sealed.items():
        if month != DECEMBER or not asked.sees(agency):
            continue
        now = asked.figures[agency, month, metric]["actual_to_date"]
        if now != row["actual_to_date"]:
            change = _difference(now, row["actual_to_date"])
            answer.append((asked.short(agency), metric, row["actual_to_date"], now, change))
    return answer


def transfers(asked: Questions) -> Answer:
    return [
        (month, asked.short(agency), scheme, row["transferred_in_count"],
         row["transferred_out_count"])
        for agency, month, scheme, row in _moved(asked)
        if row["transferred_in_count"] or row["transferred_out_count"]
    ]  # fmt: skip


_RULES = {
    "chung_tu": "payments.agency_known",
    "tham_gia": "participations.agency_known",
    C12: "c12.agency_known",
    "phan_bo": "allocations.document_known",
}


def set_aside(asked: Questions) -> Answer:
    """Rows of an agency that nobody knows belong to no agency's reader."""
    if asked.own is not None:
        return []
    money: dict[tuple[str, Any], int] = {}
    for table in ("chung_tu", "tham_gia"):
        for key, row in asked.state.set_aside[table].items():
            money[table, key] = row.get("so_tien", 0)
    for account in asked.state.accounts_set_aside:
        closings = sum(amount(account, f"_ck_{long}") for long, _ in C12_SUFFIXES.values())
        money[C12, (account.agency_code, account.month, account.employer_code)] = closings
    accepted = asked.state.accepted
    for key, line in accepted["phan_bo"].items():
        if (line["so_chung_tu"],) not in accepted["chung_tu"]:
            money["phan_bo", key] = line["tien_goc"] + line["tien_lai"]
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for (table, key), đồng in money.items():
        of_reason = sums[_RULES[table], _age_band(asked, table, key)]
        of_reason[0] += 1
        of_reason[1] += đồng
    return [(*reason, *both) for reason, both in sums.items()]


def _age_band(asked: Questions, table: str, key: Key) -> str:
    if table == "phan_bo":  # as old as its document
        table, key = "chung_tu", key[:1]
    seen = min(
        observation.known_at
        for observation in asked.observations
        if any(_row_of(table, listed, observation) == key
               for listed in observation.set_aside.get(table, ()))
    )  # fmt: skip
    days = (asked.clock.astimezone(LOCAL).date() - seen.astimezone(LOCAL).date()).days
    return "up_to_7_days" if days <= 7 else "up_to_30_days" if days <= 30 else "over_30_days"


def _row_of(table: str, key: Key, observation: Observation) -> Key:
    if table != C12:
        return key
    name, agency, employer = key
    month = name.split()[-2]  # an export is named by its month and its instant
    return (agency, date(int(month[:4]), int(month[4:]), 1), employer)


def recorded_late(asked: Questions) -> Answer:
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for document, line in asked.lines():
        credited = document["ngay_ghi_co"].astimezone(LOCAL).date()
        recorded = document["ngay_nhap"].astimezone(LOCAL).date()
        if recorded.replace(day=1) > credited.replace(day=1):
            key = (document["ma_co_quan"], document["so_chung_tu"], credited, recorded)
            sums[key] += line["tien_goc"]
    return [(*key, principal) for key, principal in sums.items()]


def nothing_paid(asked: Questions) -> Answer:
    with_account = {fund for funds in GROUP_FUNDS.values() for fund in funds}
    paid: dict[str, int] = defaultdict(int)
    everything = Questions(asked.observations, asked.nights, asked.sealed_at, asked.cutoff)
    for document, line in everything.lines():
        if line["quy"] in with_account and local_month(document["ngay_ghi_co"]) == DECEMBER:
            paid[document["ma_don_vi"]] += line["tien_goc"]
    answer: Answer = []
    for (employer, month), account in asked.state.accounts.items():
        payable = sum(
            amount(account, f"_ps_{short}")
            + amount(account, f"_bst_{short}")
            - amount(account, f"_bsg_{short}")
            for _, short in C12_SUFFIXES.values()
        )
        owes = month == DECEMBER and payable > 0 and paid[employer] == 0
        if owes and asked.sees(account.agency_code):
            answer.append((asked.short(account.agency_code), employer, payable))
    return answer


def c12_categories(asked: Questions) -> Answer:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in reconciliation(asked.observations, asked.clock).values():
        if row["month"] == DECEMBER and asked.sees(row["agency_code"]):
            of_category = sums[row["category_code"]]
            of_category[0] += 1
            of_category[1] += row["difference_vnd"]
    return [(category, *both) for category, both in sums.items()]


def officers(asked: Questions) -> Answer:
    figures = officer_attainment(asked.observations, asked.clock)
    answer: Answer = []
    for key, row in figures.items():
        agency, officer, month, metric = key
        if month == DECEMBER and metric == "collection_total" and asked.sees(agency):
            stands = judged(figures, key, asked.day)["status_code"]
            name = asked.officer_name(officer)
            figure, plan = row["actual_to_date"], row["plan_in_force"]
            answer.append((asked.short(agency), name, figure, plan, stands))
    return answer


def daily_curve(asked: Questions) -> Answer:
    by_day: dict[date, int] = defaultdict(int)
    for document, line in asked.lines():
        by_day[document["ngay_ghi_co"].astimezone(LOCAL).date()] += line["tien_goc"]
    answer: Answer = []
    total = 0
    for day in sorted(day for day in by_day if day.year == 2021):
        total += by_day[day]
        answer.append((day, by_day[day], total))
    return answer


def debt_by_group(asked: Questions) -> Answer:
    sums: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    for debt in asked.latest_debts():
        if debt["arrears_vnd"] > 0:
            row = asked.register("don_vi", "ma_don_vi", debt["employer_code"], last_day(DECEMBER))
            of_group = sums[row["ma_khoi"] if row else None]
            of_group[0] += 1
            of_group[1] += debt["arrears_vnd"]
    return [(group, *both) for group, both in sums.items()]


def plan_revisions(asked: Questions) -> Answer:
    if asked.own is not None:
        return []  # decisions are the province's
    return [
        (row["object_code"], row["metric_code"], row["effective_from_date"],
         row["decision_code"], row["plan_value"], row["is_late"])
        for row in plan_targets(asked.observations, asked.clock).values()
        if not row["is_original"] and row["object_type_code"] == "agency"
    ]  # fmt: skip


def on_track_in_october(asked: Questions) -> Answer:
    return [
        (asked.short(agency), metric, row["actual_to_date"], nine_decimals(stands["due"]),
         stands["status_code"])
        for (agency, _, metric), row, stands in asked.shown(OCTOBER)
        if stands["status_code"] in ("met", "on_track") and not is_arrears(metric)
    ]  # fmt: skip


ANSWERS: tuple[Callable[[Questions], Answer], ...] = (
    top_debtors,
    funds_by_month,
    missed_plans,
    old_arrears,
    joined_and_left,
    revised_figures,
    since_last_night,
    frozen_against_now,
    transfers,
    set_aside,
    recorded_late,
    nothing_paid,
    c12_categories,
    officers,
    daily_curve,
    debt_by_group,
    plan_revisions,
    on_track_in_october,
)
"""In the order of docs/marts.md."""
