"""What the oracle is told: extracts as they stood, in the source's own names.

An `Observation` is what one extract could know. The oracle shares no code with the warehouse and
reads no SQL: its only authority is the specification of the figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[Any, ...]

KEY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "co_quan": ("ma_co_quan",),
    "can_bo": ("ma_can_bo",),
    "don_vi": ("ma_don_vi",),
    "phan_cong": ("ma_don_vi", "tu_ngay"),
    "chung_tu": ("so_chung_tu",),
    "phan_bo": ("so_chung_tu", "so_dong"),
    "tham_gia": ("ma_qua_trinh",),
}
"""Tables of the source's schema `tst` and their keys."""

C12 = "c12"
"""Name under which set-aside account rows are listed; key: (statement name, agency, employer)."""


@dataclass(frozen=True)
class Statement:
    """One accepted C12 export: the accounts of one month, agency by agency.

    Attributes:
        name: The delivery's file name.
        month: First day of the month reported.
        stated_at: Instant of the export, aware.
        sheets: Rows by agency code, in the source's names (`madvi`, `_ck_bhxh`, ...), whole đồng;
            an agency with no rows states that it has no accounts.
    """

    name: str
    month: date
    stated_at: datetime
    sheets: Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class PlanFile:
    """One plan workbook; `gia_tri` of its rows is text, an int or a Decimal, never a float."""

    name: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Observation:
    """What one extract could know.

    Attributes:
        known_at: The source's clock in the extract's snapshot, aware.
        business_date: The date that the extract publishes.
        tables: Whole tables of `tst` as they stood, by name; a table that is not named was not
            read, and stays as last observed. Rows that are set aside stand among the others.
        statements: C12 exports first seen by this extract.
        plan_files: Plan workbooks first seen by this extract.
        set_aside: Keys in open quarantine once this extract is published, by table (or `C12`);
            always the whole list, whatever was read. The row set aside is the newest version.
    """

    known_at: datetime
    business_date: date
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    statements: Sequence[Statement] = ()
    plan_files: Sequence[PlanFile] = ()
    set_aside: Mapping[str, frozenset[Key]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measures:
    """Dated configuration; each entry is valid from its month until the next.

    Attributes:
        official_variant: Arrears variant that counts, by month.
        counts_interest: Whether interest counts as collection, by month of credit.
    """

    official_variant: Sequence[tuple[date, str]] = ((date(2021, 1, 1), "total_receivable"),)
    counts_interest: Sequence[tuple[date, bool]] = ((date(2021, 1, 1), False),)

    def variant_of(self, month: date) -> str:
        """The official arrears variant of a month."""
        return [value for since, value in sorted(self.official_variant) if since <= month][-1]

    def interest_counts_in(self, month: date) -> bool:
        """Whether interest credited in a month counts as collection."""
        return [v for since, v in sorted(self.counts_interest) if since <= month][-1:] == [True]
