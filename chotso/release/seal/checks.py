"""Preconditions of a seal, as the warehouse evaluates them, and overrides by two persons."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from chotso.characters import spelled_out
from chotso.errors import ChotsoError
from chotso.ingest.missing import lacks_rows
from chotso.release.state import Freeze

# For each check: its name, and what an operator does if it is not met.
CHECKS = {
    "feeds_extracted": (
        "Mọi nguồn đã được trích từ thời điểm chốt trở đi",
        "Every feed was extracted at or after the cutoff",
        "mend what stopped these feeds, then run the freeze again; this cannot be overridden",
    ),
    "control_totals_equal": (
        "Số đối soát của nguồn khớp từng tháng",
        "The source's control totals are equal, month by month",
        "compare these months with the source's owner (ops.difference), then run the freeze again",
    ),
    "no_register_row_missing": (
        "Không dòng danh mục nào bị thiếu ở nguồn",
        "No register row in force is missing at the source",
        "have the rows or the right to read them restored, or close them (`chotso missing close`), "
        "then run the freeze again: it reads anew",
    ),
    "no_blocking_rule_failed": (
        "Không tệp hoặc bảng nào của lần trích cuối bị chặn",
        "No delivery of the final extract was stopped by a rule",
        "have these deliveries corrected and delivered again; take what is none out of the folder, "
        "or `chotso quarantine waive` its batch; then run the freeze again",
    ),
    "reconciliation_classified": (
        "Đối chiếu C12 với chứng từ đã phân loại hết",
        "The reconciliation of accounts with payments is classified whole",
        "look at fct_reconciliation in the freeze's schema; a new cause needs a new category",
    ),
    "everything_counts": (
        "Mọi số liệu đã nhận đều thuộc một tỉnh",
        "Everything accepted counts at a province",
        "look at int_uncounted_facts in the freeze's schema; have the agencies' parents and levels "
        "put right in the register, then run the freeze again",
    ),
    "quarantined_money_below_limit": (
        "Tiền đang bị giữ lại dưới giới hạn của kỳ",
        "Money set aside is within the period's limit",
        "see `chotso quarantine list`: have the rows corrected, replay or waive them, then run the "
        "freeze again",
    ),
}


@dataclass(frozen=True)
class Override:
    """A check that two persons let pass, and why."""

    check_code: str
    reason: str
    first_name: str
    second_name: str


@dataclass(frozen=True)
class Check:
    """A precondition and its result; it is overridden if two persons let it pass."""

    check_code: str
    is_met: bool
    observed: str
    wanted: str
    override_reason: str | None = None
    first_name: str | None = None
    second_name: str | None = None

    @property
    def row(self) -> dict[str, object]:
        """The check as a row of `data/checks.csv`."""
        name_vi, name_en, _ = CHECKS[self.check_code]
        names = None if self.first_name is None else f"{self.first_name}; {self.second_name}"
        return {
            "check_code": self.check_code,
            "name_vi": name_vi,
            "name_en": name_en,
            "is_met": self.is_met,
            "observed": self.observed,
            "wanted": self.wanted,
            "is_overridden": names is not None,
            "override_reason": self.override_reason,
            "overridden_by": names,
        }


def override_of(check_code: str, reason: str | None, names: Sequence[str]) -> Override:
    """An override, checked as an operator enters it.

    Raises:
        ChotsoError: No such check, no reason, or not the names of two persons.
    """
    kept = "nothing was overridden."
    if check_code not in CHECKS or check_code == "feeds_extracted":
        allowed = ", ".join(code for code in CHECKS if code != "feeds_extracted")
        raise ChotsoError(
            f"{check_code!r} cannot be overridden.", kept=kept, next_step=f"name one of {allowed}."
        )
    plain = [" ".join(unicodedata.normalize("NFC", spelled_out(name)).split()) for name in names]
    if len({name.casefold() for name in plain if name}) != 2 or len(plain) != 2:
        raise ChotsoError(
            "An override needs the names of two persons.",
            kept=kept,
            next_step="give --by twice, with two different names.",
        )
    if not reason or not reason.strip():
        raise ChotsoError(
            "An override needs a reason, which is printed on the report.",
            kept=kept,
            next_step="give --reason.",
        )
    said = unicodedata.normalize("NFC", spelled_out(" ".join(reason.split())))
    return Override(check_code, said, plain[0], plain[1])


def evaluate(
    conn: psycopg.Connection, freeze: Freeze, override: Override | None = None
) -> list[Check]:
    """All preconditions of a built freeze with their overrides, ordered by code.

    Raises:
        ChotsoError: A check is neither met nor overridden, or one is overridden that is met.
    """
    with conn.transaction():
        found = checks_of(conn, freeze)
        if override is not None:
            _record(conn, freeze, override, found)
            found = checks_of(conn, freeze)
    if unmet := [each for each in found if not each.is_met and each.override_reason is None]:
        lines = [
            f"{each.check_code}: {each.observed}; wanted: {each.wanted}. "
            f"Next: {CHECKS[each.check_code][2]}."
            for each in unmet
        ]
        raise ChotsoError(
            "\n".join([f"{freeze.release_id} is not sealed; not met:", *lines]),
            kept="the final extract and the build; nothing was sealed.",
            next_step="do what is named above. Two persons may let a check pass: "
            + (
                "`--override CHECK --override-reason TEXT --override-by NAME --override-by NAME`."
                if freeze.corrects
                else "`chotso freeze PERIOD --override CHECK --reason TEXT --by NAME --by NAME`."
            ),
        )
    return found


def checks_of(conn: psycopg.Connection, freeze: Freeze) -> list[Check]:
    """All preconditions as they are, ordered by code; nothing is refused."""
    with conn.cursor(row_factory=class_row(Check)) as cursor:
        return cursor.execute(
            """
            select
                checked.*,
                override.reason as override_reason,
                override.first_name,
                override.second_name
            from ops.freeze_checks(%s) as checked
            left join ops.freeze_override as override
                on
                    override.release_id = %s
                    and override.check_code = checked.check_code
                    and override.as_known_at = %s
                    and not checked.is_met
            order by checked.check_code
            """,
            [freeze.release_id, freeze.release_id, freeze.as_known_at],
        ).fetchall()


def _record(
    conn: psycopg.Connection, freeze: Freeze, override: Override, found: list[Check]
) -> None:
    if any(each.check_code == override.check_code and each.is_met for each in found):
        raise ChotsoError(
            f"{override.check_code} of {freeze.release_id} is met: there is nothing to override.",
            kept="nothing was overridden or sealed.",
            next_step="run the freeze without --override.",
        )
    conn.execute(
        """
        insert into ops.freeze_override (release_id, check_code, reason, first_name, second_name,
            as_known_at)
        values (%s, %s, %s, %s, %s, %s)
        on conflict do nothing
        """,
        [
            freeze.release_id, override.check_code, override.reason, override.first_name,
            override.second_name, freeze.as_known_at,
        ],
    )  # fmt: skip


def must_read_anew(conn: psycopg.Connection, freeze: Freeze) -> bool:
    """Whether a final extract lacked register rows, without an override.

    Such an extract is incomplete and is read again. A corrigendum has no extract.
    """
    if freeze.state == "started" or freeze.corrects is not None or freeze.as_known_at is None:
        return False
    with conn.transaction():
        passed = conn.execute(
            "select from ops.freeze_override where release_id = %s and as_known_at = %s "
            "and check_code = 'no_register_row_missing'",
            [freeze.release_id, freeze.as_known_at],
        ).fetchone()
        return passed is None and lacks_rows(conn, freeze.as_known_at)
