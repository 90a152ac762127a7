"""Small literal worlds: rows of the source, filled in where a case does not care."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from tests.oracle.model import Key, Observation, PlanFile, Row, Statement
from tests.oracle.recompute import arrears_ratio, attainment

ZONE = timezone(timedelta(hours=7))
LONG_AGO = date(2010, 1, 1)
NIGHT = datetime(2021, 12, 31, 1, tzinfo=ZONE)
BUSINESS_DATE = date(2021, 12, 30)
NOVEMBER = date(2021, 11, 1)
DECEMBER = date(2021, 12, 1)
CUTOFF = datetime(2021, 12, 31, 17, tzinfo=ZONE)
COMPULSORY = "collection_si_compulsory"


def at(text: str) -> datetime:
    """A local instant, such as `2021-12-31 17:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def agency(code: str, parent: str | None = "072", **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "ma_co_quan": code,
        "ma_cap_tren": parent,
        "cap": 2,
        "hieu_luc_tu": LONG_AGO,
        "hieu_luc_den": None,
    }
    return row | changes


PROVINCE = agency("072", None, cap=1)
AGENCIES = (PROVINCE, agency("07201"), agency("07202"))


def document(
    code: str, credited: str, agency_code: str = "07201", **changes: Any
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "so_chung_tu": code,
        "ma_don_vi": "TA0001A",
        "ma_co_quan": agency_code,
        "ngay_ghi_co": at(credited),
        "so_tien": 0,
        "trang_thai": "HIEU_LUC",
        "ngay_nhap": at(credited),
    }
    return row | changes


def line(
    code: str, fund: str, principal: int, interest: int = 0, number: int = 1
) -> dict[str, Any]:
    return {
        "so_chung_tu": code,
        "so_dong": number,
        "quy": fund,
        "tien_goc": principal,
        "tien_lai": interest,
    }


def spell(
    code: int, person: str, first: date, last: date | None = None, **changes: Any
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "ma_qua_trinh": code,
        "ma_so_bhxh": person,
        "loai": "BHYT",
        "ma_co_quan": "07201",
        "tu_thang": first,
        "den_thang": last,
        "trang_thai": "HIEU_LUC",
        "ngay_nhap": at("2021-01-01 08:00"),
    }
    return row | changes


def account(employer: str, **amounts: int | None) -> dict[str, Any]:
    """Amounts named as in the source without the leading underscore, such as `ck_bhxh=5`."""
    return {"madvi": employer} | {f"_{name}": amount for name, amount in amounts.items()}


def statement(
    stated: str, month: date, sheets: Mapping[str, Sequence[Row]], name: str = ""
) -> Statement:
    return Statement(name or stated, month, at(stated), sheets)


def plan(
    measure: str, value: str, effective: date = date(2021, 1, 1), **changes: Any
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "so_quyet_dinh": "1/QĐ",
        "ngay_ky": effective,
        "nam": 2021,
        "loai_doi_tuong": "CO_QUAN",
        "ma_doi_tuong": "07201",
        "chi_tieu": measure,
        "gia_tri": value,
        "hieu_luc_tu": effective,
    }
    return row | changes


def plans(*rows: Row, name: str = "KE_HOACH_1.xlsx") -> PlanFile:
    return PlanFile(name, rows)


def observed(
    known_at: datetime = NIGHT,
    business_date: date = BUSINESS_DATE,
    *,
    agencies: Sequence[Row] = AGENCIES,
    documents: Sequence[Row] = (),
    lines: Sequence[Row] = (),
    spells: Sequence[Row] = (),
    statements: Sequence[Statement] = (),
    plan_files: Sequence[PlanFile] = (),
    set_aside: Mapping[str, frozenset[Key]] | None = None,
) -> Observation:
    """An extract of all groups; tables that a case does not mention are empty."""
    tables = {
        "co_quan": agencies,
        "chung_tu": documents,
        "phan_bo": lines,
        "tham_gia": spells,
    }
    return Observation(
        known_at, business_date, tables, statements, plan_files, dict(set_aside or {})
    )


def row(
    observations: list[Observation],
    metric: str,
    agency_code: str = "07201",
    month: date = DECEMBER,
    **how: Any,
) -> dict[str, Any]:
    how.setdefault("as_known_at", max(o.known_at for o in observations))
    return attainment(observations, **how)[agency_code, month, metric]


def ratio(
    observations: list[Observation],
    variant: str = "total_receivable",
    group: str = "si",
    agency_code: str = "07201",
    month: date = DECEMBER,
    **how: Any,
) -> tuple[Any, ...]:
    how.setdefault("as_known_at", max(o.known_at for o in observations))
    found = arrears_ratio(observations, **how)[agency_code, month, group, variant]
    return found["numerator"], found["denominator"], found["ratio"], found["is_met"]
