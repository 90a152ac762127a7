"""`chotso explain`: the rows and files that a figure is made of, and why it changed."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from chotso.calendar import LOCAL_ZONE, local_instant
from chotso.cli.console import OUTPUT, Json, answer, as_instant, progress
from chotso.cli.visible import Console
from chotso.settings import load_settings

_FILE_WIDTH = 170
_NAMES = {
    "actual_month": "Trong tháng — of the month",
    "actual_to_date": "Lũy kế — to date",
    "numerator": "Số nợ — arrears",
    "denominator": "Mẫu số — denominator",
    "plan_in_force": "Kế hoạch — plan in force",
    "attainment_ratio": "Hoàn thành — attainment",
}
_ITEMS = {
    "flow": "dòng phân bổ — allocation lines",
    "stock": "người — persons",
    "ratio": "sổ theo dõi của đơn vị — accounts",
}


def explain(
    agency: Annotated[str, typer.Argument(help="Agency code, e.g. 07201; the province is one.")],
    metric: Annotated[str, typer.Argument(help="Metric code, e.g. collection_hi.")],
    month: Annotated[str, typer.Option("--month", help="YYYY-MM.")],
    known_at: Annotated[str | None, typer.Option(help="As known then; default: shown now.")] = None,
    since: Annotated[str | None, typer.Option(help="Split the change from then by cause.")] = None,
    lines: Annotated[int, typer.Option(min=0, help="How many items to print of each list.")] = 20,
    json: Json = False,
) -> None:
    """Explain a figure down to payments, persons, accounts, plan lines, and the file of each."""
    from chotso.explain import explain as run

    asked = _as_month(month)
    known = as_instant(known_at) if known_at else None
    begin = as_instant(since) if since else None
    with progress() as show:
        told = run(
            load_settings(),
            agency,
            metric,
            asked,
            known_at=known,
            since=begin,
            lines=None if json else lines,
            progress=show,
        ).told
    answer(told, json, lambda: tell(told, lines))


def _as_month(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) is None:
        raise typer.BadParameter(f"{text!r} is not a month YYYY-MM")
    return date.fromisoformat(f"{text}-01")


def tell(told: dict[str, Any], lines: int) -> None:
    """Print an explanation; each list shows at most `lines` items and sums up the rest."""
    title = f"{told['agency_code']} {told['agency_name'] or ''} · {told['month']}"
    _say(title)
    _say(f"{told['metric_name_vi']} — {told['metric_name_en']} ({told['metric_code']})")
    _say(f"Theo dữ liệu đã biết đến — as known at {local_instant(told['as_known_at'])}")
    figure = told["figure"]
    table = _table("", "")
    for name, label in _NAMES.items():
        if figure[name] is not None:
            _add(table, label, _number(figure[name]))
    _print(table)
    _tell_plans(told)
    _tell_items(told)
    if "since" in told:
        _tell_since(told["since"], lines)


def _tell_plans(told: dict[str, Any]) -> None:
    if not told["plan_lines"]:
        _say("Không có kế hoạch được giao — no plan line.")
        return
    table = _table(
        "Quyết định — decision", "Hiệu lực từ — from", "Giá trị — value", "", "Tệp — file"
    )
    for line in told["plan_lines"]:
        _add(
            table,
            line["decision_code"],
            str(line["effective_from_date"]),
            _number(line["plan_value"]),
            f"{line['why']['vi']} — {line['why']['en']}",
            _file(line["batch"]),
        )
    _print(table)


def _tell_items(told: dict[str, Any]) -> None:
    items, count, total = told["items"], told["item_count"], told["item_amounts"]
    if count == 0:
        _say("Không có dòng nào được tính — nothing is counted.")
        return
    _say(f"{count:,} {_ITEMS[told['kind_code']]}")
    names = list(total)
    table = _table("", *(_NAMES[name] for name in names), "Lô: tệp — batch: file", right=len(names))
    for item in items:
        spells = item.get("spells", [])
        batches = [batch for spell in spells for batch in spell["batches"].values()]
        _add(
            table,
            _named(item),
            *(_number(item["amounts"][name]) for name in names),
            _files(batches or item["batches"].values()),
        )
    rest = {name: total[name] - sum(item["amounts"][name] for item in items) for name in names}
    _add_rest(table, count - len(items), rest)
    _print(table)


def _tell_since(since: dict[str, Any], lines: int) -> None:
    _say("")
    _say(
        f"Thay đổi từ — change from {local_instant(since['from'])} "
        f"đến — to {local_instant(since['to'])}"
    )
    if not since["was_shown"]:
        _say("Khi đó chưa hiển thị: tính từ 0 — not shown then: counted from nothing.")
    shown = [name for name in _NAMES if _is_told(since, name)]
    table = _table("Nguyên nhân — cause", *(_NAMES[name] for name in shown), right=len(shown))
    _add(table, "Trước — before", *(_number(since["before"][name]) for name in shown))
    for part in since["parts"]:
        _add(
            table,
            f"{part['cause_name_vi']} — {part['cause_name_en']} ({part['cause']})",
            *(_number(part["change"][name], signed=True) for name in shown),
        )
    _add(table, "Sau — after", *(_number(since["after"][name]) for name in shown))
    _print(table)
    for part in since["parts"]:
        _tell_part(part, lines)


def _is_told(since: dict[str, Any], name: str) -> bool:
    """Whether to show a column; stocks and ratios have the same value for month and to date."""
    is_there = any(since[side][name] is not None for side in ("before", "after"))
    is_flow = any(since[side]["actual_month"] != since[side]["actual_to_date"]
                  for side in ("before", "after"))  # fmt: skip
    return is_there and (name != "actual_month" or is_flow)


def _tell_part(part: dict[str, Any], lines: int) -> None:
    items = part["items"]
    if not items:
        return
    names = list(items[0]["difference"])
    _say(f"{part['cause_name_vi']} — {part['cause_name_en']}: {len(items):,}")
    table = _table("", *(_NAMES[n] for n in names), "Lô cũ — before", "Lô mới — after", right=2)
    ranked = sorted(items, key=lambda item: [-abs(n) for n in item["difference"].values()])
    for item in ranked[:lines]:
        _add(
            table,
            _named(item),
            *(_number(item["difference"][name], signed=True) for name in names),
            _files(item["batches_before"].values()),
            _files(item["batches_after"].values()),
        )
    rest = {name: sum(item["difference"][name] for item in ranked[lines:]) for name in names}
    _add_rest(table, len(ranked[lines:]), rest)
    _print(table)


def _add_rest(table: Table, count: int, amounts: dict[str, int]) -> None:
    if count:
        label = f"và {count:,} dòng khác — and {count:,} more"
        _add(table, label, *(_number(amount) for amount in amounts.values()))


def _named(item: dict[str, Any]) -> str:
    match item["kind"]:
        case "line":
            day = item["credited_at"].astimezone(LOCAL_ZONE).date() if item["credited_at"] else ""
            return f"{item['document_code']} dòng {item['line_number']} · {day}"
        case "person":
            return f"{item['person_id'][:12]}…"
        case "account":
            return f"{item['employer_code']} · {item['month']:%Y-%m} · {item['group_code']}"
        case "plan_line":
            old, new = (_decision(item[f"plan_{side}"]) for side in ("before", "after"))
            return f"{item['metric_code']}: {old} → {new}"
        case _:
            return "mẫu số bắt đầu hoặc thôi hiển thị — denominator begins or ends to be shown"


def _decision(line: dict[str, Any] | None) -> str:
    return "∅" if line is None else f"{line['decision_code']} ({_number(line['plan_value'])})"


def _file(batch: dict[str, Any]) -> str:
    name = batch["file"] or "?"
    # the name of a landed folder has the batch id; the name of a delivery has not
    return name if batch["batch_id"] in name else f"{batch['batch_id']}: {name}"


def _files(batches: Iterable[dict[str, Any]]) -> str:
    return "\n".join(dict.fromkeys(_file(batch) for batch in batches))


def _number(value: int | str | None, *, signed: bool = False) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:+,}" if signed and value else f"{value:,}"
    return f"+{value}" if signed and not value.startswith("-") and value.strip("0.") else value


def _table(*columns: str, right: int = 1) -> Table:
    table = Table(box=box.SIMPLE)
    for number, column in enumerate(columns):
        table.add_column(
            column, justify="right" if 1 <= number <= right else "left", overflow="fold"
        )
    return table


def _add(table: Table, *cells: str) -> None:
    # as text, because rich reads brackets as markup, and the source's codes may have some
    table.add_row(*map(Text, cells))


def _print(table: Table) -> None:
    # a file has no width at which lines must be wrapped
    width = None if OUTPUT.is_terminal else _FILE_WIDTH
    Console(highlight=False, width=width).print(table)


def _say(text: str) -> None:
    OUTPUT.print(Text(text))
