"""`chotso late`: facts that became known after a release, and what they would have changed."""

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from chotso.calendar import local_minute
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
    _say(f"{found.release_id}: sealed as known at {local_minute(found.as_known_at)},")
    _say(f"compared with what is known at {local_minute(found.known_until)} (local time).")
    _say(f"{len(found.changes)} in the register, {found.recorded} of them new.")
    _tell_reasons(found)
    _tell_cells(found, lines)
    _tell_changes(found, lines)
    _say("Không dòng nào được tính vào bản chốt — nothing of it is applied to the release.")


def _tell_reasons(found: "Late") -> None:
    from chotso.release.late.facts import REASONS

    counts = Counter(change["reason_code"] for change in found.changes)
    for reason, (name_vi, name_en) in REASONS.items():
        if counts[reason]:
            _say(f"{counts[reason]:>9,}  {name_vi} — {name_en}")
            _say(f"           {reason}")


def _tell_cells(found: "Late", lines: int) -> None:
    month = max((cell.month for cell in found.cells), default=None)
    cells = [cell for cell in found.cells if cell.month == month]
    if month is None:
        return
    _say(f"Số liệu tháng {month:%m/%Y} lẽ ra khác — figures of {month:%Y-%m} that would differ:")
    for cell in cells[:lines]:
        _say(f"  {cell.agency_code} {cell.metric_code}")
        for name in _COLUMNS:
            before, after = cell.frozen[name], cell.would_be[name]
            reasons = [reason for reason, change in cell.parts.items() if change[name]]
            if reasons:
                _say(f"    {name:<16} {_number(before):>19} → {_number(after)}")
                _say(f"      {', '.join(reasons)}")
    if len(cells) > lines:
        _say(f"và {len(cells) - lines:,} số liệu khác — and {len(cells) - lines:,} more")


def _tell_changes(found: "Late", lines: int) -> None:
    """Print two lines per change: a table of six columns is too wide for a terminal."""
    if found.changes[:lines]:
        _say("Từng dòng — what became known, and what it adds:")
    for change in found.changes[:lines]:
        months = {f"{change[name]:%Y-%m}": None for name in ("month", "last_month")}
        where = f"{change['agency_code']} {change['metric_code']} {' … '.join(months)}"
        _say(f"  {change['feed']} {change['item_key']}  {change['file_name'] or ''}".rstrip())
        _say(f"    {where}: {_number(change['amount'])}")
    if len(found.changes) > lines:
        more = len(found.changes) - lines
        _say(f"và {more:,} dòng khác — and {more:,} more; --json prints all")


def _number(value: object) -> str:
    if not isinstance(value, Decimal):
        return "–"
    return f"{int(value):,}" if value == value.to_integral_value() else f"{value.normalize():f}"


def _say(text: str) -> None:
    OUTPUT.print(text, markup=False)
