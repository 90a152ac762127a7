"""The format of a C12 export: two column layouts, with or without headers, months in styles.

The older layout has one extra column, `chon`, at position 9: everything after it shifts by one.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from chotso.sandbox.province.c12_export import AccountRow, Export
from chotso.sandbox.province.randomness import choice_by_name
from chotso.sandbox.province.timeline import Timeline
from chotso.sandbox.province.workbook import WrittenCell, workbook_bytes

_ORDER = """
madvi makhoi tendvi mavung tgbhyt diachi dienthoai nguoilh ma_quan dsnv thang ghichu du_dk
_dk_bhxh _dk_bhyt _dk_bhtn _dk_lai _tien_dk _ps_bh _ps_yt _ps_tn _bst_bh _bst_yt _bst_tn _bsg_bh
_bsg_yt _bsg_tn sopn _dc01_bh _dc01_yt _dc01_tn _tql _tqlyt _tqltn sld sldtn pst pstTn pt1 pt2
pt3 thanght thanghttn sothang sothangtn tyleno tylenotn _pt_tudv _qt_tudv _thu_tudv _lk_tudv
_tien_unc _dc_unc _dc_qtc _dc_lai nopthem _dt_bhxh _dt_bhyt _dt_bhtn _noqh _laiqh _dcbst_lai
_dcbsg_lai _dt_lai du_ck _ck_bhxh _ck_bhyt _ck_bhtn _ck_lai _tien_ck lktql lktqlyt lktqltn
lkpt_bhxh lkpt_bhyt lkpt_bhtn sld_dk sldtn_dk _sldtang _sldgiam _sldtntang _sldtngiam _pst_bh
_psg_bh _pst_yt _psg_yt _pst_tn _psg_tn _lsbh _lsyt _lstn _tientlbh _tientlyt _tientltn _lai1_ps
_lai2_ps _lai3_ps _lai1_dt _lai2_dt _lai3_dt _dk_lai1 _dk_lai2 _dk_lai3 _ck_lai1 _ck_lai2
_ck_lai3 thanghtyt sothangyt tylenoyt
"""
COLUMNS_109 = tuple(_ORDER.split())
COLUMNS_110 = (*COLUMNS_109[:8], "chon", *COLUMNS_109[8:])
FIRST_DATA_ROW = 3
_OLD_LAYOUT_MONTHS = 3
_OLD_LAYOUT_AGENCIES = ("07204", "07207")
# How some agencies' programs write the month; the others write MM/yyyy.
_MONTH_STYLES = {"07203": "number", "07205": "date", "07208": "digits"}


def columns_of(agency_code: str, month: int) -> tuple[str, ...]:
    """The layout of a sheet: the older one until March, and always at two agencies."""
    old = 0 <= month < _OLD_LAYOUT_MONTHS or agency_code in _OLD_LAYOUT_AGENCIES
    return COLUMNS_110 if old else COLUMNS_109


def month_cell(agency_code: str, first_day: date) -> WrittenCell:
    """The month as the agency's program writes it."""
    style = _MONTH_STYLES.get(agency_code)
    if style == "number":
        return first_day.year * 100 + first_day.month
    if style == "digits":
        return f"{first_day:%Y%m}"
    return first_day if style == "date" else f"{first_day:%m/%Y}"


def _rows(
    file_name: str, agency_code: str, columns: tuple[str, ...], rows: list[AccountRow]
) -> Iterator[tuple[int, list[WrittenCell]]]:
    header: list[WrittenCell] = list(columns)
    variant = choice_by_name(f"{file_name} {agency_code}", 3)
    if variant == 0:
        yield 1, [f"C12 {agency_code}: SỐ LIỆU GIẢ ĐỊNH"]
        yield 2, header
    elif variant == 1:
        yield 1, header
    for number, row in enumerate(rows, start=FIRST_DATA_ROW):
        get = row.get
        yield number, [get(column) for column in columns]


def with_month_cells(export: Export, timeline: Timeline) -> dict[str, list[AccountRow]]:
    """Copies of an export's rows, with the month in the agency's style."""
    first_day = timeline.month_date(export.month)
    return {
        code: [{**row, "thang": month_cell(code, first_day)} for row in rows]
        for code, rows in export.sheets.items()
    }


def c12_workbook(
    file_name: str, month: int, made_at: int, sheets: dict[str, list[AccountRow]]
) -> bytes:
    """The bytes of an export; `rows` has the content of the cells."""
    return workbook_bytes(
        {
            code: _rows(file_name, code, columns_of(code, month), rows)
            for code, rows in sheets.items()
        },
        title=f"{file_name}: dữ liệu giả định",
        made_at=datetime.fromtimestamp(made_at, tz=UTC),
    )
