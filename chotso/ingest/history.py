"""Compares the rows and đồng in force of a feed with those of the days before.

Rules of level `history` judge standing totals: rows and đồng in force in `raw.<feed>`. What a batch
delivers does not matter, so a night without changes or files passes. The rules run inside the
publishing transaction, on its connection. Great Expectations judges the batch before that. It has a
connection of its own and cannot see rows that are not committed.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import psycopg
from psycopg import sql

from chotso.calendar import local_date
from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.ingest.exemptions import exemption_of
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.rules import (
    HISTORY_DATES_NEEDED,
    HISTORY_DAYS,
    Rule,
    StandingFacts,
    history_rules_of,
)
from chotso.ingest.validate import RuleResult


@dataclass(frozen=True)
class StandingTotals:
    """Rows in force of a feed, and their đồng by the contract's `money`."""

    rows: int
    money: Decimal

    def total(self, rule: Rule) -> int | Decimal:
        """The total that this rule judges."""
        return self.money if rule.name.startswith("standing_money_") else self.rows


@dataclass(frozen=True)
class Judgement:
    """The result of a rule against history, and whether it stops the batch."""

    result: RuleResult
    standing: int | Decimal
    history: list[int | Decimal]
    stops: bool


class OutOfRangeError(ChotsoError):
    """A batch would move a standing total too far from its history; see `judgements`."""

    def __init__(self, batch_id: str, judgements: list[Judgement]) -> None:
        self.judgements = judgements
        broken = [each.result for each in judgements if each.stops]
        super().__init__(
            "; ".join(
                f"rule {each.rule.id}: {each.rule.sentence_en} {each.detail}" for each in broken
            ),
            kept=f"the landing of {batch_id}; what was published before stands.",
            next_step=broken[0].rule.next_action,
        )


def standing_after(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, changed: int
) -> StandingTotals:
    """The feed's standing totals after this batch, inside the publishing transaction.

    If the batch changed no row version, the last totals are used again without counting.
    """
    if changed == 0 and (last := _last(conn, batch.feed)) is not None:
        return last
    return count(conn, contract)


def count(conn: psycopg.Connection, contract: Contract) -> StandingTotals:
    """Count the rows in force that this connection sees."""
    # Rules keep each row below 10^15 đồng, so the sum fits into bigint. Over ten million rows that
    # takes less than half the time of numeric.
    money = contract.money.replace("::numeric", "::bigint")
    row = conn.execute(
        sql.SQL(
            "select count(*), coalesce(sum({money}), 0)::numeric from {raw} where known_to is null"
        ).format(money=sql.SQL(money), raw=sql.Identifier("raw", contract.feed))
    ).fetchone()
    assert row is not None
    return StandingTotals(*row)


def _last(conn: psycopg.Connection, feed: str) -> StandingTotals | None:
    row = conn.execute(
        "select standing_rows, standing_money from ops.standing where feed = %s "
        "order by entry desc limit 1",
        [feed],
    ).fetchone()
    return StandingTotals(*row) if row else None


def remember(conn: psycopg.Connection, batch: LandedBatch, standing: StandingTotals) -> None:
    """Insert a batch's standing totals, inside the publishing transaction."""
    conn.execute(
        "insert into ops.standing "
        "(batch_id, feed, business_date, standing_rows, standing_money) "
        "values (%s, %s, %s, %s, %s)",
        [batch.batch_id, batch.feed, batch.business_date, standing.rows, standing.money],
    )


def judge(
    conn: psycopg.Connection, batch: LandedBatch, standing: StandingTotals
) -> list[Judgement]:
    """Apply every rule against history to standing totals, in register order.

    Raises:
        ChotsoError: A rule is broken and `config/exemptions.yml` cannot be read.
    """
    rules = history_rules_of(batch.feed)
    past = _past(conn, batch) if rules else []
    return [_judge(conn, batch, rule, standing, past) for rule in rules]


def _judge(
    conn: psycopg.Connection,
    batch: LandedBatch,
    rule: Rule,
    standing: StandingTotals,
    past: list[StandingTotals],
) -> Judgement:
    now, history = standing.total(rule), [each.total(rule) for each in past]
    query = rule.history_query(StandingFacts(now, history))
    row = conn.execute(query.encode()).fetchone()
    if row is not None:
        exemption = exemption_of(rule.id, local_date(batch.known_at))
        detail = f"{row[1]}; {exemption.in_words}" if exemption else str(row[1])
        return Judgement(RuleResult(rule, 1, detail), now, history, stops=exemption is None)
    few = len(history) < HISTORY_DATES_NEEDED
    detail = f"not judged: {len(history)} of {HISTORY_DATES_NEEDED} published dates" if few else ""
    return Judgement(RuleResult(rule, 0, detail or None), now, history, stops=False)


def _past(conn: psycopg.Connection, batch: LandedBatch) -> list[StandingTotals]:
    """The totals after the last batch of each published date, of the days before.

    If a date is published late, its totals are still compared with the days before the newest date.
    """
    found = conn.execute(
        """
        with newest as (
            select greatest(max(business_date), %(date)s) as business_date
            from ops.standing
            where feed = %(feed)s
        )

        select distinct on (past.business_date) past.standing_rows, past.standing_money
        from ops.standing as past
        cross join newest
        where
            past.feed = %(feed)s
            and past.business_date >= newest.business_date - %(days)s::int
            and past.business_date < newest.business_date
        order by past.business_date, past.entry desc
        """,
        {"feed": batch.feed, "date": batch.business_date, "days": HISTORY_DAYS},
    )
    return [StandingTotals(*row) for row in found]


def let_mend(judgements: list[Judgement], before: StandingTotals) -> list[Judgement]:
    """The same judgements, but a total that was already out of range and got no worse passes.

    If rows of `raw` were damaged, a batch may mend only a part. The rest of the damage must not
    stop it.
    """
    return [_let_mend(each, before.total(each.result.rule)) for each in judgements]


def _let_mend(judgement: Judgement, before: int | Decimal) -> Judgement:
    if not judgement.stops:
        return judgement
    middle = median(judgement.history)
    if abs(Fraction(judgement.standing) - middle) > abs(Fraction(before) - middle):
        return judgement
    detail = f"{judgement.result.detail}; let past: it was {before} before this batch"
    return replace(judgement, result=replace(judgement.result, detail=detail), stops=False)


def median(totals: list[int | Decimal]) -> Fraction:
    """The exact median of at least one total."""
    ordered = sorted(map(Fraction, totals))
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
