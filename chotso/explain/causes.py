"""Finds the cause of each difference of an item between two states; a difference has one cause.

The functions are pure. Their rows hold the earlier and the later version of a line, spell or
account. If a row changed in several ways, the changes are applied one after the other: first the
agency, then the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from chotso.calendar import local_date
from chotso.explain.figure import Figure
from chotso.explain.items import RatioBasis
from chotso.explain.queries import Row

Cause = Literal[
    "newly_shown",
    "configuration",
    "released_from_quarantine",
    "re_assigned",
    "voided",
    "corrected",
    "late",
    "new",
    "plan_revised",
]
CAUSES: dict[Cause, tuple[str, str]] = {
    "newly_shown": (
        "Cơ quan hoặc tháng chưa hiển thị vào thời điểm trước",
        "the agency or month was not shown before",
    ),
    "configuration": ("Cấu hình thay đổi", "the configuration changed"),
    "released_from_quarantine": ("Được đưa ra khỏi cách ly", "released from quarantine"),
    "re_assigned": ("Chuyển cơ quan", "moved to or from another agency"),
    "voided": ("Chứng từ, quá trình bị hủy", "voided, or its voiding withdrawn"),
    "corrected": ("Điều chỉnh số liệu đã ghi nhận", "corrected"),
    "late": ("Phát sinh trước, ghi nhận sau", "had happened before, became known later"),
    "new": ("Phát sinh mới", "happened since"),
    "plan_revised": ("Kế hoạch được điều chỉnh", "the plan was revised"),
}
"""In the order in which they are applied, with their Vietnamese and English names."""

# If several spells of a person changed, the cause that comes first here is given.
_TELLING: tuple[Cause, ...] = (
    "released_from_quarantine", "re_assigned", "voided", "corrected", "late", "new",
)  # fmt: skip

Amounts = tuple[int, int]
Aside = set[tuple[str, ...]]  # (feed, *key as text) of rows that were in open quarantine


@dataclass(frozen=True)
class Context:
    """What is needed to find the causes of a figure's differences.

    Attributes:
        before_at: The instant of the earlier state.
        members_before: Agencies that counted at the figure's agency then.
        members_after: Agencies that count now.
        funds: The funds that a collection metric counts.
        interest_months: Months whose interest counts as collection.
        aside: Rows that were in open quarantine at `before_at`.
    """

    figure: Figure
    basis: RatioBasis
    before_at: datetime
    members_before: frozenset[str]
    members_after: frozenset[str]
    funds: frozenset[str]
    interest_months: frozenset[date]
    aside: Aside

    @property
    def open_month(self) -> date:
        """The month that had not ended at the earlier instant; with a cutoff, no month is open."""
        if self.figure.event_cutoff is not None:
            return date.max
        return local_date(self.before_at).replace(day=1)

    def was_aside(self, feed: str, *key: object) -> bool:
        """Whether a row was in open quarantine at the earlier instant."""
        return (feed, *map(str, key)) in self.aside


@dataclass(frozen=True)
class Piece:
    """A difference of one item that has one cause.

    Attributes:
        kind: `line`, `person`, `account`, `plan_line` or `opening`.
        before: Amounts before this cause, as in `Item`.
        after: Amounts after it.
        accounts: 1 if the month has an account more, -1 if it has one fewer.
        details: Columns that identify the item, with `batch_ids_before` and `batch_ids_after`.
    """

    cause: Cause
    kind: str
    before: Amounts
    after: Amounts
    accounts: int = 0
    details: Row = field(default_factory=dict)

    @property
    def change(self) -> Amounts:
        """The amounts that this cause adds."""
        return (self.after[0] - self.before[0], self.after[1] - self.before[1])


CauseStep = tuple[Cause, Amounts, int]  # the cause, then amounts and accounts of the month after it


def line_pieces(rows: list[Row], context: Context) -> Iterator[Piece]:
    """Differences of lines of a collection figure, from rows of `sql/lines_of_figure.sql`."""
    for row in rows:
        before = _counted(row, context, "before", context.members_before)
        if not (row["has_document_before"] and row["has_line_before"]):
            before = (0, 0)
        details = _pick(row, "document_code", "line_number") | {
            name: row[f"after_{name}"] if row["has_document_after"] else row[f"before_{name}"]
            for name in ("agency_code", "employer_code", "credited_at")
        }
        batch_ids = {
            f"batch_ids_{side}": {
                "document": row[f"{side}_document_batch_id"],
                "line": row[f"{side}_line_batch_id"],
            }
            for side in ("before", "after")
        }
        steps = _line_steps(row, context)
        yield from _walk("line", (before, 0), steps, details | batch_ids)


def _line_steps(row: Row, context: Context) -> Iterator[CauseStep]:
    after_members = context.members_after
    is_before = row["has_document_before"] and row["has_line_before"]
    is_after = row["has_document_after"] and row["has_line_after"]
    end = _counted(row, context, "after", after_members) if is_after else (0, 0)
    document_aside = row["is_document_changed"] and context.was_aside(
        "payments", row["document_code"]
    )
    line_aside = row["is_line_changed"] and context.was_aside(
        "allocations", row["document_code"], row["line_number"]
    )
    if not is_before:
        yield _line_came(row, context, document_aside or line_aside), end, 0
        return
    if not is_after:
        yield "released_from_quarantine" if document_aside or line_aside else "corrected", end, 0
        return
    if row["is_valid_before"] != row["is_valid_after"]:
        yield "released_from_quarantine" if document_aside else "voided", end, 0
        return
    mixed = dict(row)
    mixed["is_valid_after"] = row["is_valid_before"]
    for name in (
        "agency_code", "credited_month", "credited_at", "fund_code", "principal_vnd",
        "interest_vnd",
    ):  # fmt: skip
        mixed[f"after_{name}"] = row[f"before_{name}"]
    yield "re_assigned", _counted(mixed, context, "after", after_members), 0
    mixed["after_agency_code"] = row["after_agency_code"]
    moved: Cause = "released_from_quarantine" if document_aside else "re_assigned"
    yield moved, _counted(mixed, context, "after", after_members), 0
    mixed["after_credited_month"] = row["after_credited_month"]
    mixed["after_credited_at"] = row["after_credited_at"]
    dated: Cause = "released_from_quarantine" if document_aside else "corrected"
    yield dated, _counted(mixed, context, "after", after_members), 0
    yield "released_from_quarantine" if line_aside else "corrected", end, 0


def _line_came(row: Row, context: Context, is_released: bool) -> Cause:
    if is_released:
        return "released_from_quarantine"
    if not row["has_document_before"]:
        is_new = row["after_credited_at"] is not None and (
            row["after_credited_at"] > context.before_at
        )
        return "new" if is_new else "late"
    return "corrected" if row["is_valid_before"] == row["is_valid_after"] else "voided"


def _counted(row: Row, context: Context, side: str, members: frozenset[str]) -> Amounts:
    figure, month = context.figure, row[f"{side}_credited_month"]
    counts = (
        row[f"is_valid_{side}"]
        and row[f"{side}_agency_code"] in members
        and row[f"{side}_fund_code"] in context.funds
        and month is not None
        and figure.year_start <= month <= figure.month
        and figure.is_before_cutoff(row[f"{side}_credited_at"])
    )
    if not counts:
        return (0, 0)
    money = int(row[f"{side}_principal_vnd"])
    if month in context.interest_months:
        money += int(row[f"{side}_interest_vnd"])
    return (money if month == figure.month else 0, money)


def person_pieces(rows: list[Row], context: Context) -> Iterator[Piece]:
    """Persons who joined or left, from rows of `sql/spells_of_figure.sql`."""
    active: dict[str, dict[str, list[Row]]] = {"before": {}, "after": {}}
    for row in rows:
        for side, members in (
            ("before", context.members_before),
            ("after", context.members_after),
        ):
            if _is_active(row, context.figure, side, members):
                active[side].setdefault(row[f"{side}_person_id"], []).append(row)
    came = active["after"].keys() - active["before"].keys()
    went = active["before"].keys() - active["after"].keys()
    for person in sorted(came):
        yield _person(person, active["after"][person], context, (0, 0), _spell_came)
    for person in sorted(went):
        yield _person(person, active["before"][person], context, (1, 1), _spell_went)


def _person(
    person: str,
    spells: list[Row],
    context: Context,
    before: Amounts,
    why: Callable[[Row, Context, str], Cause],
) -> Piece:
    causes = {row["spell_id"]: why(row, context, person) for row in spells}
    telling = min(causes.values(), key=_TELLING.index)
    row = next(row for row in spells if causes[row["spell_id"]] == telling)
    details = {
        "person_id": person,
        **_pick(row, "spell_id", "before_agency_code", "after_agency_code"),
        **_pick(row, "before_from_month", "before_to_month", "after_from_month", "after_to_month"),
        "batch_ids_before": {"spell": row["before_batch_id"]},
        "batch_ids_after": {"spell": row["after_batch_id"]},
    }
    after = (1 - before[0], 1 - before[1])
    return Piece(telling, "person", before, after, details=details)


def _is_active(row: Row, figure: Figure, side: str, members: frozenset[str]) -> bool:
    to_month = row[f"{side}_to_month"]
    return bool(
        row[f"is_valid_{side}"]
        and figure.is_before_cutoff(row[f"{side}_recorded_at"])
        and row[f"{side}_agency_code"] in members
        and row[f"{side}_scheme_code"] == figure.scheme_code
        and row[f"{side}_from_month"] <= figure.month
        and (to_month is None or to_month >= figure.month)
    )


def _spell_came(row: Row, context: Context, _: str) -> Cause:
    if row["is_changed"] and context.was_aside("participations", row["spell_id"]):
        return "released_from_quarantine"
    if row["before_batch_id"] is None:
        # A spell of a month that had ended is late, even if it was recorded only now.
        is_new = (
            row["after_recorded_at"] is not None
            and row["after_recorded_at"] > context.before_at
            and row["after_from_month"] >= context.open_month
        )
        return "new" if is_new else "late"
    if not row["is_valid_before"]:
        return "voided"
    if row["before_agency_code"] not in context.members_before:
        return "re_assigned"
    return "corrected"


def _spell_went(row: Row, context: Context, person: str) -> Cause:
    if row["is_changed"] and context.was_aside("participations", row["spell_id"]):
        return "released_from_quarantine"
    if row["after_batch_id"] is None:
        return "corrected"
    if not row["is_valid_after"]:
        return "voided"
    if row["after_agency_code"] not in context.members_after:
        return "re_assigned"
    is_same = row["after_person_id"] == person and (
        (row["before_scheme_code"], row["before_from_month"])
        == (row["after_scheme_code"], row["after_from_month"])
    )
    if is_same and row["before_to_month"] is None:
        # The spell had no end and has one now: the person left at the end of that month.
        return "new" if row["after_to_month"] >= context.open_month else "late"
    return "corrected"


def account_pieces(rows: list[Row], context: Context) -> Iterator[Piece]:
    """Differences of accounts of an arrears ratio, from rows of `sql/accounts_of_figure.sql`."""
    for row in rows:
        start = _owed(row, context, "before", context.members_before)
        details = {
            **_pick(row, "employer_code", "month", "group_code"),
            **_pick(row, "before_agency_code", "after_agency_code"),
            **_pick(row, "before_stated_at", "after_stated_at"),
            "batch_ids_before": {"account": row["before_batch_id"]},
            "batch_ids_after": {"account": row["after_batch_id"]},
        }
        yield from _walk("account", start, _account_steps(row, context), details)


def _account_steps(row: Row, context: Context) -> Iterator[CauseStep]:
    is_aside = context.was_aside("c12", row["employer_code"], f"{row['month']:%Y-%m}")
    is_open = row["month"] >= context.open_month
    after_members = context.members_after
    end = _owed(row, context, "after", after_members)
    if row["before_agency_code"] is None:
        came: Cause = "new" if is_open else "late"
        yield "released_from_quarantine" if is_aside else came, *end
        return
    restated: Cause = "new" if is_open else "corrected"
    if row["after_agency_code"] is None:
        yield restated, *end
        return
    yield "re_assigned", *_owed(row, context, "before", after_members)
    mixed = row | {"before_agency_code": row["after_agency_code"]}
    is_moved = row["before_agency_code"] != row["after_agency_code"]
    moved: Cause = "released_from_quarantine" if is_aside and is_moved else "re_assigned"
    yield moved, *_owed(mixed, context, "before", after_members)
    yield "released_from_quarantine" if is_aside else restated, *end


def _owed(row: Row, context: Context, side: str, members: frozenset[str]) -> tuple[Amounts, int]:
    if row[f"{side}_agency_code"] not in members:
        return (0, 0), 0
    basis, is_of_month = context.basis, row["month"] == context.figure.month
    arrears = "interest_bearing_arrears_vnd" if basis.is_interest_bearing else "arrears_vnd"
    numerator = int(row[f"{side}_{arrears}"]) if is_of_month else 0
    denominator = 0 if basis.is_by_plan else int(row[f"{side}_receivable_vnd"])
    return (numerator, denominator), int(is_of_month)


def _walk(
    kind: str, start: tuple[Amounts, int], steps: Iterator[CauseStep], details: Row
) -> Iterator[Piece]:
    """The steps that change an amount, as pieces from one step's amounts to the next's."""
    amounts, accounts = start
    for cause, after, accounts_after in steps:
        piece = Piece(cause, kind, amounts, after, accounts_after - accounts, details)
        if after != amounts or piece.accounts:
            yield piece
        amounts, accounts = after, accounts_after


def _pick(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}
