"""All files that arrive in the drop folder, in order: plan workbooks and C12 exports."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chotso.sandbox.province import c12_defects
from chotso.sandbox.province.accounts import AccountBook
from chotso.sandbox.province.c12_export import AccountRow, Export, Sheets, exports, used_row
from chotso.sandbox.province.c12_layout import c12_workbook, columns_of, with_month_cells
from chotso.sandbox.province.defects import Defect
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.plans import PlanFile
from chotso.sandbox.province.tcvn3 import can_encode, encode
from chotso.sandbox.province.timeline import aware, iso

_CSV_AGENCY = "07202"


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """One file as it arrives, and its entry in the event log."""

    at: int
    name: str
    content: bytes
    row_count: int
    logged: dict[str, Any]
    stated: bytes | None = None
    always_manifest: bool = False
    defects: list[Defect] = field(default_factory=list)


def deliveries(
    parameters: Parameters, book: AccountBook, plans: list[PlanFile], after: int | None, until: int
) -> Iterator[ArrivingFile]:
    """The files that arrive in (after, until], ascending; exports of one instant by month."""
    waiting = [_of_plan(plan) for plan in plans]
    # A second delivery comes hours after its export, so exports of the last day are included.
    since = None if after is None else after - 86_400
    for export in exports(book, parameters.timeline, since, until):
        while waiting and waiting[0].at <= export.at:
            yield from _inside(waiting.pop(0), after, until)
        again = c12_defects.is_delivered_again(parameters.defects, parameters.timeline, export)
        if after is not None and export.at <= after and not again:
            continue
        delivery, *others = _of_export(parameters, export)
        yield from _inside(delivery, after, until)
        waiting = sorted([*waiting, *others], key=lambda one: (one.at, one.name))
    for delivery in waiting:
        yield from _inside(delivery, after, until)


def _inside(delivery: ArrivingFile, after: int | None, until: int) -> Iterator[ArrivingFile]:
    if (after is None or delivery.at > after) and delivery.at <= until:
        yield delivery


def _of_plan(plan: PlanFile) -> ArrivingFile:
    logged = {"kind": "plan", "rows": plan.logged_rows()}
    return ArrivingFile(plan.at, plan.name, plan.workbook(), len(plan.lines), logged)


def _logged(parameters: Parameters, export: Export, stated_at: int) -> dict[str, Any]:
    return {
        "kind": "c12",
        "month": parameters.timeline.month_date(export.month).isoformat(),
        "stated_at": iso(stated_at),
        "sheets": {code: [used_row(row) for row in rows] for code, rows in export.sheets.items()},
    }


def _count(sheets: Sheets) -> int:
    return sum(len(rows) for rows in sheets.values())


def _of_export(parameters: Parameters, export: Export) -> list[ArrivingFile]:
    timeline, level = parameters.timeline, parameters.defects
    name = export.file_name(timeline)
    logged = _logged(parameters, export, export.at)
    sheets = with_month_cells(export, timeline)
    defects: list[Defect] = []
    if c12_defects.strikes(level, timeline, export):
        work = c12_defects.tamper(timeline, export, name, sheets)
        defects = work.defects
        logged["defects"] = [defect.id for defect in defects]
        logged["set_aside"] = work.set_aside
    content = c12_workbook(name, export.month, export.at, sheets)
    rows = _count(sheets)
    if c12_defects.is_truncated(level, timeline, export):
        found = Defect(f"truncated-{name}", "truncated_workbook", "c12", iso(export.at),
                       {"file": name}, "refused", "manifest_differs", 0, name)  # fmt: skip
        logged |= {"is_refused": True, "defects": [found.id]}
        cut = content[: len(content) * 3 // 5]
        return [ArrivingFile(export.at, name, cut, rows, logged, content, True, [found])]
    first = ArrivingFile(export.at, name, content, rows, logged, defects=defects)
    if not c12_defects.is_delivered_again(level, timeline, export):
        return [first]
    return [first, *_again(parameters, export, content, sheets)]


def _again(
    parameters: Parameters, export: Export, content: bytes, sheets: Sheets
) -> list[ArrivingFile]:
    """The same workbook under a later name, and single agencies' sheets as .csv."""
    timeline = parameters.timeline
    at = c12_defects.morning_after(export.at)
    month = timeline.month_date(export.month)
    name = f"C12_{month:%Y%m}_{aware(at):%Y%m%dT%H%M%S}.xlsx"
    found = _same_content(name, at)
    logged = _logged(parameters, export, at) | {"defects": [found.id]}
    whole = ArrivingFile(at, name, content, _count(sheets), logged, defects=[found])
    single = [_as_csv(parameters, export, sheets, _CSV_AGENCY, is_tcvn3=False)]
    if parameters.defects == "all":
        agency = next(
            code
            for code, rows in sheets.items()
            if code != _CSV_AGENCY and all(can_encode(str(row["tendvi"])) for row in rows)
        )
        single.append(_as_csv(parameters, export, sheets, agency, is_tcvn3=True))
    return [whole, *single]


def _same_content(name: str, at: int) -> Defect:
    key: dict[str, str | int] = {"file": name}
    return Defect(f"again-{name}", "duplicate_delivery", "c12", iso(at), key, "accepted",
                  "same_content", 0, name)  # fmt: skip


def _as_csv(
    parameters: Parameters, export: Export, sheets: Sheets, agency: str, *, is_tcvn3: bool
) -> ArrivingFile:
    at = c12_defects.morning_after(export.at)
    stem = export.file_name(parameters.timeline).removesuffix(".xlsx")
    name = f"{stem}_{agency}.csv"
    only = Export(export.at, export.month, {agency: export.sheets[agency]})
    found = _same_content(name, at)
    logged = _logged(parameters, only, export.at) | {"defects": [found.id]}
    columns, rows = columns_of(agency, export.month), sheets[agency]
    content = _csv_tcvn3(columns, rows) if is_tcvn3 else _csv_utf8(columns, rows)
    return ArrivingFile(at, name, content, len(rows), logged, defects=[found])


def _csv(
    columns: tuple[str, ...], rows: list[AccountRow], head: list[list[str]], delimiter: str
) -> str:
    """Two header rows, data from row 3."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([line + [""] * (len(columns) - len(line)) for line in head])
    for row in rows:
        writer.writerow(["" if (value := row.get(name)) is None else value for name in columns])
    return text.getvalue()


def _csv_utf8(columns: tuple[str, ...], rows: list[AccountRow]) -> bytes:
    """With a byte-order mark and semicolons, the header in row 2."""
    return _csv(columns, rows, [["SỐ LIỆU GIẢ ĐỊNH"], [*columns]], ";").encode("utf-8-sig")


def _csv_tcvn3(columns: tuple[str, ...], rows: list[AccountRow]) -> bytes:
    """In the old 8-bit encoding with commas, the header in row 1."""
    return encode(_csv(columns, rows, [[*columns], ["Số liệu giả định"]], ","))
