"""An explanation as it is shown: plain values, names in both languages, files of batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from chotso.build import configuration_at
from chotso.calendar import local_instant
from chotso.errors import ChotsoError
from chotso.explain.causes import CAUSES, Piece
from chotso.explain.figure import FIGURES, ITEM_FIGURES, Figure, find_figure
from chotso.explain.items import (
    Item,
    RatioBasis,
    basis_of,
    greatest_items,
    in_force,
    items_of,
    plan_lines,
    plans_of,
    refuse_unequal,
    sums_of,
    total_of,
)
from chotso.explain.queries import Row, batches
from chotso.explain.since import Between, Since
from chotso.explain.states import (
    State,
    drop_old_states,
    holding,
    make_state,
    shown_instant,
)
from chotso.progress import Progress, silent
from chotso.settings import Settings

_RATIOS = ("attainment_ratio",)


@dataclass(frozen=True)
class Explanation:
    """A figure with everything that it is made of, ready to print or to write as JSON."""

    told: dict[str, Any]


def explain(
    settings: Settings,
    agency_code: str,
    metric_code: str,
    month: date,
    *,
    known_at: datetime | None = None,
    since: datetime | None = None,
    lines: int | None = None,
    progress: Progress = silent,
) -> Explanation:
    """Explain one figure, and with `since` its change.

    Args:
        settings: Where the warehouse is.
        agency_code: As in `marts.dim_agency`.
        metric_code: As in `marts.dim_metric`.
        month: Any day of the month.
        known_at: Aware instant of the figure; default: what readers see now.
        since: Aware instant that the change is told from.
        lines: How many of the figure's items are wanted, greatest first; default: all. Those of a
            change are always all.
        progress: Told what is being done.

    Raises:
        ChotsoError: No such figure, an instant outside what is known, instants in the wrong order,
            nothing shown to readers yet, or a failed model.
    """
    with holding(settings) as conn:
        instant = known_at or shown_instant(conn)
        if since is not None and since >= instant:
            raise ChotsoError(
                f"--since {local_instant(since)} is not before {local_instant(instant)}.",
                next_step="give an earlier instant with --since, or a later one with --known-at.",
            )
        registers = configuration_at(conn, instant)
        progress(f"building the figures as known at {local_instant(instant)}")
        end = make_state(settings, conn, instant, registers)
        told = told_figure(conn, end, agency_code, metric_code, month, lines)
        used = [end]
        if since is not None:
            progress(f"building the figures as known at {local_instant(since)}")
            start = make_state(settings, conn, since, configuration_at(conn, since))
            base = start
            if start.config_sha256 != end.config_sha256:
                progress("building the earlier knowledge under the later configuration")
                base = make_state(settings, conn, since, registers)
            used += [start, base]
            split = Between(conn, start, base, end).explain(agency_code, metric_code, month)
            figure = find_figure(conn, end, agency_code, metric_code, month)
            told["since"] = told_since(conn, figure, start, end, split)
        conn.commit()
        drop_old_states(settings, conn, used)
    return Explanation(told)


def told_figure(
    conn: psycopg.Connection,
    state: State,
    agency_code: str,
    metric_code: str,
    month: date,
    lines: int | None = None,
) -> dict[str, Any]:
    """A figure of a state with its items and plan lines, checked to add up.

    Raises:
        ChotsoError: The state shows no such figure, or its items do not make it.
    """
    figure = find_figure(conn, state, agency_code, metric_code, month)
    basis = basis_of(conn, state, figure.month)
    if lines is None:
        items = items_of(conn, state, figure, basis)
        total = total_of(items)
    else:
        items, total = greatest_items(conn, state, figure, basis, lines)
    plans = plans_of(conn, state)
    row = refuse_unequal(conn, state, figure, sums_of(figure, total, plans, basis))
    metrics = {figure.metric_code: plan_lines(plans, figure, figure.metric_code)}
    if basis.is_by_plan and figure.denominator_metric_code:
        divisor = figure.denominator_metric_code
        metrics[divisor] = plan_lines(plans, figure, divisor)
    ids = [*_ids(i.details for i in items), *(p["batch_id"] for ps in metrics.values() for p in ps)]
    known = batches(conn, ids)
    return {
        "agency_code": figure.agency_code,
        "agency_name": _agency_name(conn, state, row),
        "metric_code": figure.metric_code,
        **_metric_names(conn, state, figure.metric_code),
        "kind_code": figure.kind,
        "month": f"{figure.month:%Y-%m}",
        "as_known_at": state.as_known_at,
        "known_at": row["known_at"],
        "config_sha256": state.config_sha256,
        "schema": state.schema,
        "figure": {
            **{name: number(figure, name, row[name]) for name in FIGURES},
            "plan_original": number(figure, "plan_in_force", row["plan_original"]),
            "is_met": row["is_met"],
            "quarantined_money": number(figure, "numerator", row["quarantined_money"]),
        },
        "plan_lines": [
            _told_plan(figure, code, line, lines, known)
            for code, lines in metrics.items()
            for line in lines
        ],
        "item_count": total.item_count,
        "item_amounts": _amounts(figure, total.amounts),
        "items": [_told_item(figure, item, known, basis) for item in items],
    }


def told_since(
    conn: psycopg.Connection, figure: Figure, start: State, end: State, since: Since
) -> dict[str, Any]:
    """A change as plain values: its parts and their pieces."""
    known = batches(conn, _piece_ids(piece for part in since.parts for piece in part.pieces))
    return {
        "from": start.as_known_at,
        "to": end.as_known_at,
        "was_shown": since.was_shown,
        "is_configuration_changed": start.config_sha256 != end.config_sha256,
        "before": {name: number(figure, name, since.before[name]) for name in FIGURES},
        "after": {name: number(figure, name, since.after[name]) for name in FIGURES},
        "change": {name: number(figure, name, since.change[name]) for name in FIGURES},
        "parts": [
            {
                "cause": part.cause,
                "cause_name_vi": CAUSES[part.cause][0],
                "cause_name_en": CAUSES[part.cause][1],
                "change": {name: number(figure, name, part.change[name]) for name in FIGURES},
                "item_count": len(part.pieces),
                "items": [_told_piece(figure, piece, known) for piece in part.pieces],
            }
            for part in since.parts
        ],
    }


def number(figure: Figure, column: str, value: Decimal | None) -> int | str | None:
    """Đồng and persons as integers; ratios as text with 9 decimals; plans of ratios exactly."""
    if value is None:
        return None
    is_actual = column in ("actual_month", "actual_to_date") and figure.kind == "ratio"
    if column in _RATIOS or is_actual:
        return f"{value:.9f}"
    is_target = column == "plan_in_force" and figure.kind == "ratio"
    if is_target and value == value.quantize(Decimal("1e-9")):
        return f"{value:.9f}"
    if not is_target and value == value.to_integral_value():
        return int(value)
    return format(value.normalize(), "f")


def _told_plan(
    figure: Figure, metric_code: str, line: Row, lines: list[Row], known: dict[str, Row]
) -> dict[str, Any]:
    current = in_force(lines, figure.plan_limit_date)
    is_own = metric_code == figure.metric_code
    value = line["plan_value"]
    return {
        "metric_code": metric_code,
        "decision_code": line["decision_code"],
        "signed_date": line["signed_date"],
        "effective_from_date": line["effective_from_date"],
        "assigner_name": line["assigner_name"],
        "plan_value": number(figure, "plan_in_force" if is_own else "denominator", value),
        "is_original": line is lines[0],
        "is_in_force": line is current,
        "why": _why(line, current, lines),
        "batch": _told_batch(line["batch_id"], known),
    }


def _why(line: Row, current: Row | None, lines: list[Row]) -> dict[str, str]:
    if line is current:
        return {
            "vi": "đang có hiệu lực: quyết định cuối cùng có hiệu lực trong tháng",
            "en": "in force: the last decision that had taken effect by the month's end",
        }
    if current is None or lines.index(line) > lines.index(current):
        return {
            "vi": "chưa có hiệu lực vào ngày cuối tháng",
            "en": "not yet in force on the month's last day",
        }
    return {
        "vi": f"đã được thay bằng quyết định {current['decision_code']}",
        "en": f"revised by decision {current['decision_code']}",
    }


def _told_item(
    figure: Figure, item: Item, known: dict[str, Row], basis: RatioBasis
) -> dict[str, Any]:
    details = {k: v for k, v in item.details.items() if k not in ("batch_ids", "spells")}
    told: dict[str, Any] = {"kind": item.kind, **details}
    told["amounts"] = _amounts(figure, item.amounts)
    if item.kind == "account":
        told["is_interest_bearing"] = basis.is_interest_bearing
    if item.kind == "person":
        told["spells"] = [
            {k: v for k, v in spell.items() if k != "batch_ids"}
            | {"batches": _told_batches(spell["batch_ids"], known)}
            for spell in item.details["spells"]
        ]
        return told
    return told | {"batches": _told_batches(item.details["batch_ids"], known)}


def _told_piece(figure: Figure, piece: Piece, known: dict[str, Row]) -> dict[str, Any]:
    details = {
        k: v
        for k, v in piece.details.items()
        if not k.startswith("batch_ids") and k not in ("before", "after")
    }
    if piece.kind == "plan_line":
        details |= {
            f"plan_{side}": _told_decision(figure, piece.details[side])
            for side in ("before", "after")
        }
    return {
        "kind": piece.kind,
        **details,
        "before": _amounts(figure, piece.before),
        "after": _amounts(figure, piece.after),
        "difference": _amounts(figure, piece.change),
        "batches_before": _told_batches(piece.details.get("batch_ids_before", {}), known),
        "batches_after": _told_batches(piece.details.get("batch_ids_after", {}), known),
    }


def _told_decision(figure: Figure, line: Row | None) -> dict[str, Any] | None:
    if line is None:
        return None
    column = "plan_in_force" if line["metric_code"] == figure.metric_code else "denominator"
    return {
        "decision_code": line["decision_code"],
        "effective_from_date": line["effective_from_date"],
        "plan_value": number(figure, column, line["plan_value"]),
    }


def _amounts(figure: Figure, amounts: tuple[int, int]) -> dict[str, int]:
    return dict(zip(ITEM_FIGURES[figure.kind], amounts, strict=True))


def _told_batches(ids: dict[str, str | None], known: dict[str, Row]) -> dict[str, Any]:
    return {role: _told_batch(batch_id, known) for role, batch_id in ids.items() if batch_id}


def _told_batch(batch_id: str, known: dict[str, Row]) -> dict[str, Any]:
    row = known.get(batch_id, {})
    return {
        "batch_id": batch_id,
        "known_at": row.get("known_at"),
        "file": row.get("delivery_name") or row.get("landing_path"),
        "landing_path": row.get("landing_path"),
    }


def _ids(details: Iterable[Row]) -> Iterable[str | None]:
    for row in details:
        yield from row.get("batch_ids", {}).values()
        for spell in row.get("spells", []):
            yield from spell["batch_ids"].values()


def _piece_ids(pieces: Iterable[Piece]) -> Iterable[str | None]:
    for piece in pieces:
        for side in ("before", "after"):
            yield from piece.details.get(f"batch_ids_{side}", {}).values()


def _agency_name(conn: psycopg.Connection, state: State, row: Row) -> str | None:
    found = conn.execute(
        sql.SQL("select agency_name from {} where agency_key = %s").format(
            sql.Identifier(state.schema, "dim_agency")
        ),
        [row["agency_key"]],
    ).fetchone()
    return found[0] if found else None


def _metric_names(conn: psycopg.Connection, state: State, metric_code: str) -> dict[str, str]:
    found = conn.execute(
        sql.SQL(
            "select metric_name_vi, metric_name_en, unit_code from {} where metric_code = %s"
        ).format(sql.Identifier(state.schema, "dim_metric")),
        [metric_code],
    ).fetchone()
    assert found is not None
    return dict(zip(("metric_name_vi", "metric_name_en", "unit_code"), found, strict=True))
