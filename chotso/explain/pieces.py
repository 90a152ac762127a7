"""Pieces of a change for which no row changed: items shown for the first time, or counted anew."""

from decimal import Decimal
from typing import Any

from chotso.explain.causes import Amounts, Cause, Piece
from chotso.explain.figure import ITEM_FIGURES, Figure
from chotso.explain.items import Item
from chotso.explain.queries import Row


def whole(cause: Cause, item: Item) -> Piece:
    """A piece for an item that was not shown before."""
    batch_ids = {"batch_ids_before": {}, "batch_ids_after": _batch_ids(item)}
    return Piece(cause, item.kind, (0, 0), item.amounts, item.accounts, _named(item) | batch_ids)


def other_values(old: list[Item], new: list[Item]) -> list[Piece]:
    """Pieces for items that count differently under another configuration."""
    before = {(item.kind, item.key): item for item in old}
    after = {(item.kind, item.key): item for item in new}
    pieces = []
    for key in before | after:
        was, now = before.get(key), after.get(key)
        values = [(i.amounts, i.accounts) if i else ((0, 0), 0) for i in (was, now)]
        if values[0] == values[1]:
            continue
        item = now or was
        assert item is not None
        batch_ids = {
            "batch_ids_before": _batch_ids(was) if was else {},
            "batch_ids_after": _batch_ids(now) if now else {},
        }
        pieces.append(
            Piece(
                "configuration",
                item.kind,
                values[0][0],
                values[1][0],
                values[1][1] - values[0][1],
                _named(item) | batch_ids,
            )
        )
    return pieces


def _named(item: Item) -> Row:
    names = {
        "line": ("document_code", "line_number", "agency_code", "employer_code", "credited_at"),
        "person": ("person_id",),
        "account": ("employer_code", "month", "group_code", "agency_code"),
    }[item.kind]
    return {name: item.details[name] for name in names}


def _batch_ids(item: Item) -> dict[str, Any]:
    if item.kind != "person":
        return dict(item.details["batch_ids"])
    return {"spell": item.details["spells"][0]["batch_ids"]["spell"]}


def with_rest(
    figure: Figure, cause: Cause, pieces: list[Piece], change: dict[str, Decimal]
) -> list[Piece]:
    """The pieces, and one for amounts that a ratio shows only since it has an account."""
    names = ITEM_FIGURES[figure.kind]
    first, second = (
        int(change[name]) - sum(piece.change[position] for piece in pieces)
        for position, name in enumerate(names)
    )
    rest: Amounts = (first, second)
    return [*pieces, Piece(cause, "opening", (0, 0), rest)] if any(rest) else pieces
