"""Made-up bundles for the reports: a realistic province, and a hostile one."""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from chotso.paper_register import PaperRegister
from chotso.registers import Metric, load_registers
from chotso.release.data.tables import TABLES
from chotso.release.seal.checks import CHECKS
from chotso.reports.data import ReleaseFacts
from chotso.reports.words import number

ROOT = "0f9e8d7c6b5a49382716051423324150a1b2c3d4e5f60718293a4b5c6d7e8f90"
HEADING = PaperRegister(
    superior_agency="Bảo hiểm xã hội Việt Nam",
    agency="Bảo hiểm xã hội tỉnh Tây Ninh",
    symbol="BC-BHXH",
    place="Tây Ninh",
)
FACTS = ReleaseFacts(
    release_id="sprint-2021-q4",
    period_id="sprint-2021-q4",
    period_name="Đợt thi đua nước rút quý IV năm 2021",
    kind="original",
    cutoff_at=datetime(2021, 12, 31, 10, tzinfo=UTC),
    as_known_at=datetime(2021, 12, 31, 10, 0, 30, tzinfo=UTC),
    business_date=date(2021, 12, 31),
    data_root="5d0c1e2fa3b4958677869504132231405f6e7d8c9bafbecd0e1f203142536475",
    heading=HEADING,
)
REHEARSAL = replace(FACTS, release_id="rehearsal-sprint-2021-q4-1", kind="rehearsal")
CORRIGENDUM = replace(
    FACTS,
    release_id="sprint-2021-q4-c1",
    kind="corrigendum",
    corrects="sprint-2021-q4",
    reason="Quyết định giao kế hoạch của BHXH huyện Tân Biên ký trước thời điểm chốt, đến sau.",
    author="Nguyễn Thị Giả Định",
)
NAMES = (
    "Văn phòng BHXH tỉnh", "BHXH thành phố Tây Ninh", "BHXH huyện Tân Biên", "BHXH huyện Tân Châu",
    "BHXH huyện Dương Minh Châu", "BHXH huyện Châu Thành", "BHXH thị xã Hòa Thành",
    "BHXH huyện Gò Dầu", "BHXH huyện Bến Cầu", "BHXH thị xã Trảng Bàng",
)  # fmt: skip
HOSTILE = (
    '=cmd|"/C calc"!A0', "+1+1", "-2+3", "@SUM(A1)", "<b>đậm</b> & <font size=99>to</font>",
    "&amp; <para>", "</para>", "Dòng một\nDòng hai", "\u202egnặl", "x\x00\x07\x1by", "\\N", '"kép"',
    "https://example.com/", "W" * 120, "Một cái tên rất dài " * 6, "", "{=1}", "_x0041_",
    "日本語 🏆",
)  # fmt: skip
CATEGORIES = {"matched": "Khớp", "timing": "Lệch thời điểm", "under": "Thu ít hơn sổ"}
Cell = str | int | Decimal | bool | date | None
Table = list[dict[str, Cell]]
Agency = tuple[str, str, str | None]
Figure = tuple[int | Decimal, int | Decimal]
PLANS = {
    "participants_si_compulsory": 11_000,
    "participants_si_voluntary": 900,
    "participants_ui": 10_500,
    "participants_hi": 88_000,
    "collection_si_compulsory": 271_000_000_000,
    "collection_si_voluntary": 4_200_000_000,
    "collection_ui": 21_500_000_000,
    "collection_hi": 96_000_000_000,
}
ZERO_PLAN = ("07208", "participants_si_voluntary")  # an agency and a metric with a plan of 0
Tables = Mapping[str, tuple[Sequence[str], Iterable[dict[str, Cell]]]]


def field(cell: Cell, quoted: bool = True) -> str:
    r"""A field in the form of SPEC.md §5."""
    match cell:
        case None:
            return "\\N"
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return f"{cell:.9f}"
        case str() if quoted and (cell in {"\\N", "\\."} or set(cell) & set(',"\r\n')):
            return '"' + cell.replace('"', '""') + '"'
        case _:
            return str(cell)


def raw(folder: Path, table: str) -> list[dict[str, str]]:
    """Rows of a data file, read with csv and not with the code under test."""
    with (folder / "data" / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(folder: Path, tables: Tables) -> Path:
    """Write `data/*.csv` of a bundle."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, (columns, rows) in tables.items():
        lines = [",".join(columns)]
        lines += [",".join(field(row[column]) for column in columns) for row in rows]
        text = "".join(f"{line}\n" for line in lines)
        (folder / "data" / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return folder


def whole(name: str, rows: Table) -> tuple[Sequence[str], Table]:
    """Rows with every column of their data file; columns that are not given are null."""
    columns = next(spec.column_names for spec in TABLES if spec.name == name)
    strange = {column for row in rows for column in row} - set(columns)
    assert not strange, f"data/{name}.csv has no {sorted(strange)}"
    return columns, [{column: row.get(column) for column in columns} for row in rows]


def province(folder: Path, names: Sequence[str] = NAMES, seed: int = 7, months: int = 12) -> Path:
    """A bundle of one province: the province and its agencies, all metrics, all tables."""
    draw = random.Random(seed)
    agencies: list[Agency] = [("072", "Bảo hiểm xã hội tỉnh Tây Ninh", None)]
    agencies += [(f"072{number:02d}", name, "072") for number, name in enumerate(names)]
    attainment = _attainment(draw, agencies, months)
    judged = [row for row in attainment if row["month"] == date(2021, months, 1)]
    ranking, points = _ranking(agencies[1:], judged)
    tables = {
        "attainment": attainment,
        "arrears_ratio": _arrears(attainment),
        "employer_arrears": _employers(draw, agencies[1:]),
        "officer_attainment": _officers(draw, agencies[1:], judged),
        "ranking": ranking,
        "ranking_points": points,
        **_others(draw, agencies),
    }
    return write(folder, {name: whole(name, rows) for name, rows in tables.items()})


def _attainment(draw: random.Random, agencies: Sequence[Agency], months: int) -> Table:
    """Agencies' rows that add up: funds to the total, agencies to the province."""
    figures: dict[tuple[str, str, int], Figure] = {}
    for code, _, _ in agencies[1:] or agencies:
        figures |= {(code, *key): pair for key, pair in _figures(draw, months).items()}
    for (code, metric, month), (actual, _) in list(figures.items()):
        if (code, metric) == ZERO_PLAN:
            figures[code, metric, month] = (actual, 0)
    for (_, metric, month), pair in list(figures.items()):
        if len(agencies) > 1:
            own = (agencies[0][0], metric, month)
            figures[own] = _more(figures.get(own), pair, len(agencies) - 1)
    return [
        _cell(agency, metric, date(2021, month, 1), *figures[agency[0], metric.code, month])
        for agency in agencies
        for metric in load_registers().metrics.metrics
        for month in range(1, months + 1)
    ]


def _more(sum_so_far: Figure | None, pair: Figure, count: int) -> Figure:
    """Sums of amounts; of ratios the mean, with the common target."""
    if isinstance(pair[0], Decimal):
        so_far = Decimal(sum_so_far[0]) if sum_so_far else Decimal(0)
        return round(so_far + pair[0] / count, 9), pair[1]
    so_far_actual, so_far_plan = sum_so_far or (0, 0)
    return so_far_actual + pair[0], so_far_plan + pair[1]


def _figures(draw: random.Random, months: int) -> dict[tuple[str, int], Figure]:
    """One agency's actual and plan per metric and month."""
    size = draw.uniform(0.4, 2.2)
    found: dict[tuple[str, int], Figure] = {}
    for code, plan_of_one in PLANS.items():
        plan, aim = int(size * plan_of_one) // 10 * 10, draw.gauss(1.0, 0.025)
        for month in range(1, months + 1):
            share = month / 12 if plan > 10**6 else 0.9 + month / 120
            found[code, month] = (int(aim * share * draw.uniform(0.998, 1.002) * plan), plan)
    for month in range(1, months + 1):
        funds = [found[code, month] for code in PLANS if code.startswith("collection_")]
        total = (sum(int(one) for one, _ in funds), sum(int(plan) for _, plan in funds))
        found["collection_total", month] = total
    for group in ("si", "ui", "hi", "total"):
        level = draw.uniform(0.005, 0.0095)
        for month in range(1, months + 1):
            actual = round(Decimal(level * draw.uniform(0.9, 1.1) * (2 - month / 12)), 9)
            found[f"arrears_ratio_{group}", month] = (actual, Decimal("0.009"))
    return found


def _cell(agency: Agency, metric: Metric, month: date, actual: int | Decimal,
          plan: int | Decimal) -> dict[str, Cell]:  # fmt: skip
    code, name, parent = agency
    is_ratio = metric.kind == "ratio"
    return {
        "agency_code": code,
        "agency_name": name,
        "parent_agency_code": parent,
        "parent_agency_name": "Bảo hiểm xã hội tỉnh Tây Ninh" if parent else None,
        "month": month,
        "metric_code": metric.code,
        "metric_name_vi": metric.name_vi,
        "metric_name_en": metric.name_en,
        "unit_code": metric.unit,
        "kind_code": metric.kind,
        "direction_code": metric.direction,
        "actual_month": actual,
        "actual_to_date": actual,
        "numerator": None,
        "denominator": None,
        "plan_original": plan,
        "plan_in_force": plan,
        "attainment_ratio": round(Decimal(actual) / Decimal(plan), 9) if plan else None,
        "is_met": actual < plan if is_ratio else actual >= plan,
        "quarantined_money": 0,
        "quarantined_to_date": 12_345_678 if code == "collection_total" else 0,
        "known_at": "2021-12-31T10:00:30.000000Z",
        "agency_key": f"{code}|1",
        "plan_final": plan,
        "plan_status_code": "in_force" if plan else "zero",
    }


def _arrears(attainment: Table) -> Table:
    rows: Table = []
    for row in attainment:
        if row["kind_code"] == "ratio" and isinstance(row["actual_to_date"], Decimal):
            denominator = 412_345_678_901
            for variant in ("total_plan", "total_receivable"):
                rows.append(
                    {
                        **{key: row[key] for key in list(row)[:5]},
                        "group_code": str(row["metric_code"]).rsplit("_", 1)[1],
                        "variant_code": variant,
                        "numerator": int(row["actual_to_date"] * denominator),
                        "denominator": denominator,
                        "ratio": row["actual_to_date"],
                        "is_met": row["is_met"],
                        "is_official": variant == "total_plan",
                        "agency_key": row["agency_key"],
                        "has_differing_verdicts": False,
                    }
                )
    return rows


def _employers(draw: random.Random, agencies: Sequence[Agency]) -> Table:
    return [
        {
            "agency_code": code,
            "employer_code": f"TX{number:04d}{code[-2:]}",
            "month": date(2021, month, 1),
            "arrears_vnd": draw.choice([0, draw.randrange(5_000_000, 900_000_000)]),
            "interest_bearing_arrears_vnd": 0,
            "surplus_vnd": 0,
            "interest_closing_vnd": draw.randrange(0, 9_000_000),
            "months_owed_count": Decimal(draw.randrange(0, 28)) / 2,
            "debt_class_code": draw.choice(["overdue", "late", "hard_to_collect"]),
            "employer_status_code": "active",
            "is_name_withheld": number == 2,
            "employer_name": None if number == 2 else f"Công ty Giả Định {number}",
        }
        for code, _, _ in agencies
        for number in range(3)
        for month in (11, 12)
    ]


def _officers(draw: random.Random, agencies: Sequence[Agency],
              judged: Table) -> Table:  # fmt: skip
    keys = ("agency_code", "month", "metric_code", "actual_month", "actual_to_date",
            "plan_original", "plan_in_force", "attainment_ratio", "is_met", "plan_final",
            "plan_status_code", "kind_code")  # fmt: skip
    return [
        {"officer_code": f"CB{row['agency_code']}{number}", **{key: row[key] for key in keys}}
        for row in judged
        if row["parent_agency_code"]
        for number in (1, 2)
    ]


def _ranking(agencies: Sequence[Agency], judged: Table) -> tuple[Table, Table]:
    weights = {"collection_total": 60, "participants_hi": 40}
    rows, points = [], []
    for code, name, _ in agencies:
        own = {row["metric_code"]: row for row in judged if row["agency_code"] == code}
        gate = own["arrears_ratio_total"]["is_met"]
        total = Decimal(0)
        for metric, weight in weights.items():
            ratio = own[metric]["attainment_ratio"]
            got = round(Decimal(weight) / 2 * Decimal(str(ratio or 0)), 4) if gate else None
            total += got or 0
            points.append(
                {
                    "participant_type": "agency",
                    "participant_code": code, "metric_code": metric, "measured_month": "2021-12-01",
                    "actual_to_date": own[metric]["actual_to_date"],
                    "plan_in_force": own[metric]["plan_in_force"], "attainment_ratio": ratio,
                    "metric_name_vi": own[metric]["metric_name_vi"],
                    "kind_code": own[metric]["kind_code"],
                    "weight_points": Decimal(weight), "points": got,
                    "explanation_vi": f"{own[metric]['metric_name_vi']}: theo tỷ lệ thực hiện",
                }
            )  # fmt: skip
        rows.append((code, name, gate, total))
    order = sorted(rows, key=lambda row: (not row[2], -row[3]))
    told: Table = []
    for place, (code, name, gate, total) in enumerate(order, start=1):
        reason = "Tỷ lệ nợ chung: không đạt điều kiện dưới 0,90 %"
        told.append(
            {
                "participant_type": "agency",
                "participant_code": code, "participant_name": name,
                "agency_code": code, "agency_name": name,
                "province_code": "072", "is_at_cutoff": True, "is_considered": gate,
                "not_considered_reason_vi": None if gate else reason,
                "total_points": total if gate else None, "full_points": Decimal(100),
                "rank_number": place if gate else None, "is_rank_shared": False,
                "explanation_vi": f"Xếp thứ {place}/{len(order)}, {number(total, 4)} điểm trên 100"
                if gate
                else f"Không xét: {reason}",
            }
        )  # fmt: skip
    return told, points


def _others(draw: random.Random, agencies: Sequence[Agency]) -> dict[str, Table]:
    reconciliation: Table = [
        {
            "agency_code": code, "month": date(2021, 12, 1), "group_code": group,
            "category_code": category,
            "category_name_vi": CATEGORIES[category], "row_count": draw.randrange(1, 400),
            "allocated_vnd": draw.randrange(10**9), "paid_vnd": draw.randrange(10**9),
            "difference_vnd": draw.randrange(-(10**8), 10**8),
        }
        for code, _, _ in agencies[1:]
        for group in ("hi", "si", "ui")
        for category in ("matched", "timing", "under")
    ]  # fmt: skip
    quarantine: Table = [
        {
            "feed_code": "documents",
            "rule_id": "PAY-010",
            "row_count": 3,
            "money_vnd": 12_345_678,
            "first_seen_at": "2021-11-03T18:00:00.000000Z",
            "last_seen_at": "2021-12-20T18:00:00.000000Z",
        },
        {
            "feed_code": "payments",
            "rule_id": "payments.agency_known",
            "row_count": 1,
            "money_vnd": 1_500_000,
            "first_seen_at": "2021-12-27T18:00:00.000000Z",
            "last_seen_at": "2021-12-27T18:00:00.000000Z",
        },
    ]
    at_stake: Table = [
        {
            "agency_code": agency, "agency_name": name, "month": date(2021, 12, 1),
            "kind_code": kind, "at_stake_vnd": money,
        }
        for agency, name, _ in agencies[:2]
        for kind, money in (("arrears", 500_000), ("collection", 12_345_678))
    ]  # fmt: skip
    issues: Table = [
        {
            "issue_code": "account_export_before_cutoff", "subject_code": "07202",
            "sentence_vi": "BHXH huyện Tân Biên: 14 đơn vị có sổ C12 tháng 12/2021 kết xuất trước "
            "thời điểm chốt, bản mới nhất lúc 09:10 ngày 28/12/2021.",
            "sentence_en": "Accounts of Tân Biên were exported before the cutoff.",
        },
    ]  # fmt: skip
    # the release says one sum once per agency and metric that it could belong to
    issues += [
        {
            "issue_code": "quarantined_money", "subject_code": f"{agency}/{metric.code}",
            "sentence_vi": f"{name}, {metric.name_vi}: 10.768 đồng đang bị giữ lại có thể làm thay "
            "đổi số lũy kế này.",
            "sentence_en": "10,768 đồng set aside could change this figure to date.",
        }
        for agency, name, _ in agencies
        for metric in load_registers().metrics.metrics
        if metric.code in ("collection_total", "collection_hi", "arrears_ratio_total")
    ]  # fmt: skip
    checks: Table = [
        {"check_code": code, "name_vi": name_vi, "name_en": name_en, "is_met": True,
         "observed": "đủ", "wanted": "đủ", "is_overridden": False}
        for code, (name_vi, name_en, _) in CHECKS.items()
    ]  # fmt: skip
    checks[-1] |= {
        "is_met": False,
        "observed": "1,20 %",
        "wanted": "không quá 1,00 %",
        "is_overridden": True,
        "override_reason": "Đã đối chiếu từng chứng từ với ngân hàng.",
        "overridden_by": "Trần Văn Giả Định; Lê Thị Giả Định",
    }
    return {
        "reconciliation": reconciliation,
        "quarantine": quarantine,
        "money_at_stake": at_stake,
        "known_issues": issues,
        "checks": checks,
    }


def corrected(folder: Path) -> Path:
    """A corrigendum's bundle, with its changes."""
    changes: Table = [
        {"table_name": "attainment", "row_key": "07202, 2021-12-01, collection_total",
         "column_name": "plan_in_force", "change_code": "changed", "value_before": "4464423",
         "value_after": "4500000"},
    ]  # fmt: skip
    province(folder, months=1)
    return write(folder, {"changes": (list(changes[0]), changes)})


def hostile(folder: Path) -> Path:
    """A bundle with only hostile texts, and figures that are null, huge or negative."""
    province(folder, [name or "x" for name in HOSTILE], seed=3)
    path = folder / "data" / "attainment.csv"
    figures = ["\\N", str(10**30), str(-(10**30)), "0", "-1", str(2**53), str(2**53 + 1)]
    lines = path.read_text(encoding="utf-8").split("\n")
    draw = random.Random(1)
    for place, line in enumerate(lines[1:-1], start=1):
        parts = line.split(",")
        if ",flow," in line and '"' not in line and draw.random() < 0.5:
            parts[11:13] = [draw.choice(figures), draw.choice(figures)]
            parts[16], parts[17] = draw.choice(figures), draw.choice(["\\N", "99999.000000000"])
        lines[place] = ",".join(parts)
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    issues: Table = [
        {"issue_code": f"c{number:02d}", "subject_code": text, "sentence_vi": text}
        for number, text in enumerate(HOSTILE)
    ]
    checks: Table = [
        {"check_code": text, "name_vi": text, "is_met": False, "observed": text, "wanted": text,
         "is_overridden": True, "override_reason": text * 50, "overridden_by": text}
        for text in HOSTILE
    ]  # fmt: skip
    return write(
        folder, {"known_issues": whole("known_issues", issues), "checks": whole("checks", checks)}
    )
