"""Rules against history: ordinary life passes, a jump stops the batch, a person can let it past.

Naive twins: one that judges what a batch delivers, one that takes the mean, one that takes a float
median. Each gets wrong what the rules get right.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import mean
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from chotso.calendar import night_of
from chotso.contracts import contracts
from chotso.ingest import exemptions, history
from chotso.ingest.history import Judgement, StandingTotals
from chotso.ingest.night import extract_all, extract_group
from chotso.ingest.rules import HISTORY_DATES_NEEDED, StandingFacts, history_rules_of
from chotso.registers import CONFIG_DIR
from chotso.sandbox.province import advance, seed
from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.tst import CONTROL_TOTALS
from tests.oracle.worlds import Night, World
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(1800)]

FIRST = date(2021, 10, 21)
NUMBERS = count()
ROWS_RULE, MONEY_RULE = "payments.standing_rows_near_median", "payments.standing_money_near_median"


def rows(url: str, query: str, *values: Any) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query.encode(), values).fetchall()


def standing(warehouse: Product, feed: str) -> tuple[int, Decimal]:
    """What is in force, counted apart from the product."""
    money = contracts()[feed].money
    (found,) = rows(
        warehouse.admin_url,
        f"select count(*), coalesce(sum({money}), 0) as sum from raw.{feed} where known_to is null",
    )
    return found["count"], found["sum"]


def results(warehouse: Product, batch_id: str) -> dict[str, dict[str, Any]]:
    query = "select * from ops.rule_result where batch_id = %s and rule_id like '%%near_median'"
    return {row["rule_id"]: row for row in rows(warehouse.admin_url, query, batch_id)}


def newest(warehouse: Product, feed: str = "payments") -> dict[str, Any]:
    query = "select * from ops.batch where feed = %s order by started_at desc limit 1"
    return rows(warehouse.admin_url, query, feed)[0]


# ── ordinary life ────────────────────────────────────────────────────────────────────────────────


def live(
    warehouse: Product, days: int, arrive: Callable[[datetime], object], first: date = FIRST
) -> None:
    """Nights in a row: nothing is stopped, and what is on record is what stands in force."""
    for number in range(days):
        day = first + timedelta(days=number)
        arrive(night_of(day))
        stopped = [
            text for report in extract_all(warehouse.settings, day) for text in report.stopped
        ]
        assert not stopped, f"{day}: " + "\n".join(stopped)
        kept = rows(
            warehouse.admin_url,
            "select distinct on (feed) feed, standing_rows, standing_money from ops.standing "
            "where business_date = %s order by feed, entry desc",
            day,
        )
        found = {row["feed"]: (row["standing_rows"], row["standing_money"]) for row in kept}
        assert found == {feed: standing(warehouse, feed) for feed in contracts()}
    judged = rows(
        warehouse.admin_url,
        "select count(*) from ops.rule_result where rule_id like '%%near_median' "
        "and is_passed and detail is null",
    )
    assert judged[0]["count"] >= 12 * (days - HISTORY_DATES_NEEDED)


@pytest.mark.slow
def test_ordinary_life_of_a_hostile_world_is_never_stopped(
    running: SandboxServer, tmp_path: Path
) -> None:
    with product(running, "life", tmp_path) as warehouse:
        world = World.create(
            warehouse.source_admin_url, warehouse.drop, 6, reader=SOURCE_LOGIN, plant_unknown=True
        )
        days = [FIRST + timedelta(days=number) for number in range(15)]
        world.nights = [Night(night_of(day), day) for day in days[:-1]]

        def arrive(clock: datetime) -> None:
            if len(world.observations) < len(world.nights):
                world.advance()
                return
            with psycopg.connect(warehouse.source_admin_url) as source:  # a night without anything
                source.execute("update tst.dong_ho set bay_gio = %s", [clock])

        live(warehouse, len(days), arrive)
        assert days[-1] in delivered_naively_stopped(warehouse)


def delivered_naively_stopped(warehouse: Product) -> list[date]:
    """Dates that the twin stops: it judges the rows that a date delivers against their median."""
    delivered = rows(
        warehouse.admin_url,
        "select business_date, sum(rows_delivered) as sum from ops.batch "
        "where feed = 'c12' and status = 'published' group by business_date order by 1",
    )
    stopped = []
    for number, row in enumerate(delivered[HISTORY_DATES_NEEDED:], HISTORY_DATES_NEEDED):
        before = sorted(each["sum"] for each in delivered[:number][-14:])
        middle = before[len(before) // 2]
        if not Decimal("0.8") * middle <= row["sum"] <= 3 * middle:
            stopped.append(row["business_date"])
    return stopped


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "first", "days"),
    [(1, date(2021, 10, 1), 62), (2, date(2021, 12, 10), 70), (3, date(2022, 1, 10), 40)],
)
def test_ordinary_life_of_a_province_is_never_stopped(
    running: SandboxServer, tmp_path: Path, number: int, first: date, days: int
) -> None:
    with product(running, f"life_{number}", tmp_path) as warehouse:
        place: Any = (warehouse.source_admin_url, warehouse.drop)
        quiet: Any = {"state_dir": tmp_path / "state", "progress": lambda _: None}
        seed(*place, persons=500, employers=60, year=2021, seed=number, defects="all", **quiet)
        live(warehouse, days, lambda clock: advance(*place, to=clock, **quiet), first)


# ── a jump ───────────────────────────────────────────────────────────────────────────────────────


class Ledgered:
    """A small source with ten published nights behind it, and hands in it."""

    def __init__(self, warehouse: Product) -> None:
        self.warehouse = warehouse
        self.world = World.create(
            warehouse.source_admin_url, warehouse.drop, 4, reader=SOURCE_LOGIN
        )
        self.world.nights = [Night(night_of(FIRST), FIRST)]
        self.world.advance()
        self.day = FIRST - timedelta(days=1)
        assert not extract_group(warehouse.settings, "registers", FIRST).stopped
        self.run()
        self._repeat_history()

    def _repeat_history(self) -> None:
        """Nine more published dates with the same totals; only the ledger knows of them."""
        with psycopg.connect(self.warehouse.admin_url) as connection:
            for number in range(1, HISTORY_DATES_NEEDED):
                self.day = FIRST + timedelta(days=number)
                connection.execute(
                    """
                    with copied as (
                        insert into ops.batch
                        select (jsonb_populate_record(batch, jsonb_build_object(
                            'batch_id', batch.feed || '_x_' || %(number)s + 100000,
                            'business_date', %(day)s::date))).*
                        from ops.batch as batch
                        where batch.feed_group = 'contributions' and batch.business_date = %(first)s
                        returning batch_id, feed, business_date
                    )

                    insert into ops.standing
                        (batch_id, feed, business_date, standing_rows, standing_money)
                    select copied.batch_id, copied.feed, copied.business_date, standing_rows,
                        standing_money
                    from copied
                    inner join ops.standing as past
                        on past.feed = copied.feed and past.business_date = %(first)s
                    """,
                    {"number": number, "day": self.day, "first": FIRST},
                )

    def change(self, *statements: str) -> None:
        """Change the source a day later; its own control totals follow."""
        self.day += timedelta(days=1)
        with psycopg.connect(self.warehouse.source_admin_url) as connection:
            connection.execute("update tst.dong_ho set bay_gio = %s", [night_of(self.day)])
            for statement in statements:
                connection.execute(statement.encode(), {"now": night_of(self.day)})
            connection.execute("delete from tst.doi_soat")
            connection.execute(CONTROL_TOTALS, [night_of(self.day)])

    def run(self) -> list[str]:
        """The contributions of the day; returns what was stopped."""
        if self.day < FIRST:
            self.day = FIRST
        return extract_group(self.warehouse.settings, "contributions", self.day).stopped

    def damage(self, statement: str) -> None:
        """Change raw behind the loader's back."""
        with psycopg.connect(self.warehouse.admin_url) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def ledgered(running: SandboxServer, tmp_path: Path) -> Iterator[Ledgered]:
    # Great Expectations keeps a pool of connections by URL, so a name is used once
    with product(running, f"jump_{next(NUMBERS)}", tmp_path) as warehouse:
        yield Ledgered(warehouse)


@pytest.fixture
def exempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the register of exemptions that counts in the test."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG_DIR, folder, ignore=shutil.ignore_patterns("feeds"))
    monkeypatch.setattr(exemptions, "CONFIG_DIR", folder)

    def write(rule: str, first: date, last: date) -> None:
        text = (
            f"exemptions:\n  - {{rule: {rule}, reason: nhập dữ liệu huyện mới, approver: Trần B, "
            f"from: {first}, until: {last}}}\n"
        )
        (folder / "exemptions.yml").write_text(text, encoding="utf-8")

    return write


THOUSANDFOLD = (
    "update tst.chung_tu set so_tien = so_tien * 1000, ngay_sua = %(now)s",
    "update tst.phan_bo set tien_goc = tien_goc * 1000, tien_lai = tien_lai * 1000, "
    "ngay_sua = %(now)s",
)


def test_a_jump_blocks_and_says_the_numbers(
    ledgered: Ledgered, exempt: Callable[..., None]
) -> None:
    warehouse = ledgered.warehouse
    before = {feed: standing(warehouse, feed) for feed in ("payments", "allocations")}
    position = rows(warehouse.admin_url, "select * from ops.feed_position order by feed")
    ledgered.change(*THOUSANDFOLD)
    stopped = [text for text in ledgered.run() if "is blocked" in text]
    assert {text.split("_")[0] for text in stopped} == {"payments", "allocations"}
    assert {feed: standing(warehouse, feed) for feed in before} == before
    assert rows(warehouse.admin_url, "select * from ops.feed_position order by feed") == position
    batch = newest(warehouse)
    assert batch["status"] == "blocked"
    money = before["payments"][1]
    for said in (MONEY_RULE, f"đồng in force {money * 1000}", f"median {money} of 10 published",
                 "allowed", "config/exemptions.yml"):  # fmt: skip
        assert said in stopped[0] if said.startswith("config") else said in batch["reason"], said
    kept = results(warehouse, batch["batch_id"])
    assert not kept[MONEY_RULE]["is_passed"]
    assert kept[ROWS_RULE]["is_passed"]
    assert rows(warehouse.admin_url, "select 1 from ops.standing where batch_id = %s",
                batch["batch_id"]) == []  # fmt: skip
    other = rows(
        warehouse.admin_url,
        "select count(*) from ops.rule_result where batch_id = %s and rule_id not like '%%median'",
        batch["batch_id"],
    )
    assert other[0]["count"] > 5, "what the other rules found is on record too"

    # neither an expired exemption, nor one to come, nor another rule's, nor another feed's
    day = ledgered.day + timedelta(days=1)  # of the source's clock
    for rule, first, last in (
        (MONEY_RULE, day - timedelta(days=9), day - timedelta(days=1)),
        (MONEY_RULE, day + timedelta(days=1), day + timedelta(days=9)),
        (ROWS_RULE, day, day),
        ("allocations.standing_money_near_median", day, day),
    ):
        exempt(rule, first, last)
        assert any(text.startswith("payments") for text in ledgered.run())
        assert newest(warehouse)["status"] == "blocked"

    exempt(MONEY_RULE, day, day)
    assert not any(text.startswith("payments") for text in ledgered.run())
    batch = newest(warehouse)
    assert batch["status"] == "published"
    result = results(warehouse, batch["batch_id"])[MONEY_RULE]
    assert not result["is_passed"]
    assert f"exempt until {day}, approved by Trần B: nhập dữ liệu huyện mới" in result["detail"]
    assert standing(warehouse, "payments")[1] == money * 1000

    # The jump is in the history now, and moves no median: back to normal passes, the mean's
    # twin would stop it.
    past = [money] * 9 + [money * 1000]
    assert money < Decimal("0.8") * Decimal(mean(past)) - 10**9


def test_a_source_that_loses_a_fifth_and_more_is_blocked(ledgered: Ledgered) -> None:
    before = standing(ledgered.warehouse, "payments")
    ledgered.change(
        "create table tst.kept as select * from tst.chung_tu",
        "delete from tst.chung_tu where mod(hashtext(so_chung_tu), 2) = 0",
        "delete from tst.phan_bo as line where not exists "
        "(select from tst.chung_tu as document where document.so_chung_tu = line.so_chung_tu)",
    )
    settings = ledgered.warehouse.settings
    stopped = extract_group(settings, "contributions", ledgered.day, full=True).stopped
    assert any("payments" in text and ROWS_RULE in text for text in stopped)
    assert standing(ledgered.warehouse, "payments") == before


def test_nine_published_dates_judge_nothing(ledgered: Ledgered) -> None:
    ledgered.damage("delete from ops.standing where business_date = '2021-10-22'")
    ledgered.change(*THOUSANDFOLD)
    assert not [text for text in ledgered.run() if "is blocked" in text]
    batch = newest(ledgered.warehouse)
    assert batch["status"] == "published"
    kept = results(ledgered.warehouse, batch["batch_id"])
    assert kept[MONEY_RULE]["detail"] == "not judged: 9 of 10 published dates"


def test_dates_of_before_the_fourteen_days_count_no_more(ledgered: Ledgered) -> None:
    ledgered.day += timedelta(days=5)  # of the ten dates, nine lie within
    ledgered.change(*THOUSANDFOLD)
    assert not [text for text in ledgered.run() if "is blocked" in text]


def test_a_night_without_changes_carries_the_totals_on_and_counts_nothing(
    ledgered: Ledgered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*_: object) -> StandingTotals:
        raise AssertionError("a table was counted")

    monkeypatch.setattr(history, "count", counted)
    ledgered.change()
    assert not ledgered.run()
    kept = rows(
        ledgered.warehouse.admin_url,
        "select standing_rows, standing_money from ops.standing where batch_id = %s",
        newest(ledgered.warehouse)["batch_id"],
    )
    assert [tuple(row.values()) for row in kept] == [standing(ledgered.warehouse, "payments")]


HALF_GONE = "delete from raw.payments where mod(hashtext(so_chung_tu), 2) = 0"
ONE_MORE = (
    "insert into tst.chung_tu select 'NEW-1', ma_don_vi, ma_co_quan, hinh_thuc, ngay_ghi_co, "
    "1, trang_thai, %(now)s, %(now)s from tst.chung_tu limit 1"
)


@pytest.mark.parametrize("is_naive", [False, True])
def test_a_batch_that_mends_some_of_a_damage_is_let_past(
    ledgered: Ledgered, monkeypatch: pytest.MonkeyPatch, is_naive: bool
) -> None:
    def let_nothing(judgements: list[Judgement], before: StandingTotals) -> list[Judgement]:
        return judgements

    if is_naive:
        monkeypatch.setattr(history, "let_mend", let_nothing)
    ledgered.day += timedelta(days=1)  # past a Sunday, whose night reads all and mends all
    ledgered.damage(HALF_GONE)
    ledgered.change(ONE_MORE)
    stopped = [text for text in ledgered.run() if ROWS_RULE in text]
    first = rows(
        ledgered.warehouse.admin_url,
        "select * from ops.batch where feed = 'payments' and business_date = %s "
        "order by started_at limit 1",
        ledgered.day,
    )[0]
    assert bool(stopped) == is_naive
    assert first["status"] == ("blocked" if is_naive else "published")
    if not is_naive:
        assert "let past" in results(ledgered.warehouse, first["batch_id"])[ROWS_RULE]["detail"]


# ── the median ───────────────────────────────────────────────────────────────────────────────────

FLOAT_MEDIAN = "select percentile_cont(0.5) within group (order by v) from unnest(%s::numeric[]) v"


def test_the_median_is_exact_where_a_float_is_not(running: SandboxServer) -> None:
    rule = history_rules_of("payments")[1]
    assert rule.tolerance is not None
    middle = 2**53 + 1
    past: list[int | Decimal] = [middle] * 11
    highest = 3 * middle + rule.tolerance.slack_above
    with psycopg.connect(running.admin_url) as connection:
        for total, finds in ((highest, False), (highest + 1, True)):
            query = rule.history_query(StandingFacts(total, past))
            assert bool(connection.execute(query.encode()).fetchall()) == finds
        row = connection.execute(FLOAT_MEDIAN, [past]).fetchone()
    assert row is not None
    assert int(row[0]) != middle, "the float's median is another number"
    assert history.median(past) == middle
    assert history.median([3, Decimal("1")]) == 2
    assert history.median([3, Decimal("2")]) * 2 == 5
