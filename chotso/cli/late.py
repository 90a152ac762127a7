"""`chotso late`: facts that became known after a release, and what they would have changed."""

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from chotso.calendar import LOCAL_ZONE
from chotso.cli.console import OUTPUT, Json, answer, progress
from chotso.settings import load_settings

if TYPE_CHECKING:
    from chotso.release.late.register import Late

_COLUMNS = ("actual_to_date", "plan_in_force", "attainment_ratio")


def late(
    period: Annotated[str, typer.Argument(help="A period with a sealed release.")],
    lines: Annotated[int, typer.Option(min=0, help="How many figures and changes to print.")] = 20,
    json: Json = False,
) -> None:
    """What became known after the freeze, by reason, and what it would have changed."""
    from chotso.release.late.register import late as run

    with progress() as show:
        found = run(load_settings(), period, progress=show)
    answer(found, json, lambda: _tell(found, lines))


def _tell(found: "Late", lines: int) -> None:
    _say(f"{found.release_id}: sealed as known at {found.as_known_at.astimezone(LOCAL_ZONE)},")
    _say(f"compared with what is known at {found.known_until.astimezone(LOCAL_ZONE)}.")
    _say(f"{len(found.changes)} in the register, {found.recorded} of them new.")
    _tell_reasons(found)
    _tell_cells(found, lines)
    _tell_changes(found, lines)
    _say("Không dòng nào được tính vào bản chốt — nothing of it is applied to the release.")


def _tell_reasons(found: "Late") -> None:
    from chotso.release.late.facts import REASONS

    counts = Counter(change["reason_code"] for change in found.changes)
    table = _table("Lý do — reason", "Số dòng — changes")
    for reason, (name_vi, name_en) in REASONS.items():
        if counts[reason]:
            _add(table, f"{name_vi} — {name_en} ({reason})", f"{counts[reason]:,}")
    if counts:
        OUTPUT.print(table)


def _tell_cells(found: "Late", lines: int) -> None:
    month = max((cell.month for cell in found.cells), default=None)
    cells = [cell for cell in found.cells if cell.month == month]
    if month is None:
        return
    _say(f"Số liệu tháng {month:%m/%Y} lẽ ra khác — figures of {month:%Y-%m} that would differ:")
    table = _table("", "", "Đã chốt — frozen", "Lẽ ra — would be", "Lý do — reasons")
    for cell in cells[:lines]:
        for name in _COLUMNS:
            before, after = cell.frozen[name], cell.would_be[name]
            reasons = [reason for reason, change in cell.parts.items() if change[name]]
            if reasons:
                metric = cell.metric_code if name == "actual_to_date" else f"  {name}"
                _add(table, cell.agency_code, metric, _number(before), _number(after),
                     ", ".join(reasons))  # fmt: skip
    OUTPUT.print(table)
    if len(cells) > lines:
        _say(f"và {len(cells) - lines:,} số liệu khác — and {len(cells) - lines:,} more")


def _tell_changes(found: "Late", lines: int) -> None:
    table = _table("Dòng — item", "", "", "Tháng — month", "Thay đổi — adds", "Tệp — file")
    for change in found.changes[:lines]:
        months = {f"{change[name]:%Y-%m}": None for name in ("month", "last_month")}
        _add(
            table, f"{change['feed']} {change['item_key']}", change["agency_code"],
            change["metric_code"], " … ".join(months), _number(change["amount"]),
            change["file_name"] or "",
        )  # fmt: skip
    if found.changes:
        OUTPUT.print(table)
    if len(found.changes) > lines:
        more = len(found.changes) - lines
        _say(f"và {more:,} dòng khác — and {more:,} more; --json prints all")


def _number(value: object) -> str:
    if not isinstance(value, Decimal):
        return "–"
    return f"{int(value):,}" if value == value.to_integral_value() else f"{value.normalize():f}"


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for header in headers:
        table.add_column(header)
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(cell) for cell in cells))


def _say(text: str) -> None:
    OUTPUT.print(text, markup=False)
