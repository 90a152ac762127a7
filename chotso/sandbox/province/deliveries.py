"""Everything that arrives in the drop folder, in order: plan workbooks and C12 exports."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chotso.sandbox.province import c12_defects
from chotso.sandbox.province.accounts import AccountBook
from chotso.sandbox.province.c12_export import Export, Row, Sheets, exports, used_row
from chotso.sandbox.province.c12_layout import c12_workbook, columns_of, with_month_cells
from chotso.sandbox.province.defects import Defect
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.plans import PlanFile
from chotso.sandbox.province.timeline import aware, iso

_CSV_AGENCY = "07202"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as it arrives, with what the log says of it."""

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
) -> Iterator[Delivery]:
    """The files that arrive in (after, until], ascending; exports of one instant by month."""
    waiting = [_of_plan(plan) for plan in plans]
    # A second delivery comes hours after its export: look back a day for those still on the way.
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


def _inside(delivery: Delivery, after: int | None, until: int) -> Iterator[Delivery]:
    if (after is None or delivery.at > after) and delivery.at <= until:
        yield delivery


def _of_plan(plan: PlanFile) -> Delivery:
    logged = {"kind": "plan", "rows": plan.logged_rows()}
    return Delivery(plan.at, plan.name, plan.workbook(), len(plan.lines), logged)


def _logged(parameters: Parameters, export: Export, stated_at: int) -> dict[str, Any]:
    return {
        "kind": "c12",
        "month": parameters.timeline.month_date(export.month).isoformat(),
        "stated_at": iso(stated_at),
        "sheets": {code: [used_row(row) for row in rows] for code, rows in export.sheets.items()},
    }


def _count(sheets: Sheets) -> int:
    return sum(len(rows) for rows in sheets.values())


def _of_export(parameters: Parameters, export: Export) -> list[Delivery]:
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
        return [Delivery(export.at, name, cut, rows, logged, content, True, [found])]
    first = Delivery(export.at, name, content, rows, logged, defects=defects)
    if not c12_defects.is_delivered_again(level, timeline, export):
        return [first]
    return [first, *_again(parameters, export, content, sheets)]


def _again(
    parameters: Parameters, export: Export, content: bytes, sheets: Sheets
) -> list[Delivery]:
    """The same workbook under a later name, and one agency's sheet as .csv."""
    timeline = parameters.timeline
    at = c12_defects.morning_after(export.at)
    month = timeline.month_date(export.month)
    name = f"C12_{month:%Y%m}_{aware(at):%Y%m%dT%H%M%S}.xlsx"
    csv_name = export.file_name(timeline).removesuffix(".xlsx") + f"_{_CSV_AGENCY}.csv"
    rows = sheets[_CSV_AGENCY]
    found = [
        Defect(f"again-{each}", "duplicate_delivery", "c12", iso(at), {"file": each}, "accepted",
               "same_content", 0, each)
        for each in (name, csv_name)
    ]  # fmt: skip
    logged = _logged(parameters, export, at) | {"defects": [found[0].id]}
    only = Export(export.at, export.month, {_CSV_AGENCY: export.sheets[_CSV_AGENCY]})
    csv_logged = _logged(parameters, only, export.at) | {"defects": [found[1].id]}
    text = _csv(columns_of(_CSV_AGENCY, export.month), rows)
    return [
        Delivery(at, name, content, _count(sheets), logged, defects=[found[0]]),
        Delivery(at, csv_name, text, len(rows), csv_logged, defects=[found[1]]),
    ]


def _csv(columns: tuple[str, ...], rows: list[Row]) -> bytes:
    """UTF-8 with a byte-order mark, semicolons, a header in row 2, data from row 3."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(["SỐ LIỆU GIẢ ĐỊNH", *[""] * (len(columns) - 1)])
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if (value := row.get(name)) is None else value for name in columns])
    return text.getvalue().encode("utf-8-sig")
