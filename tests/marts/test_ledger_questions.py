"""What the DAGs ask the ledger: are the registers through, and which dates need a build."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from chotso.build.counted import count_in
from chotso.calendar import night_of
from chotso.contracts import contracts
from chotso.errors import ChotsoError
from chotso.orchestration.due import build_date, missing
from chotso.orchestration.night import dates_to_request, is_built, registers_state
from chotso.sandbox.server import SandboxServer
from tests.worlds.product import Product, product

pytestmark = pytest.mark.warehouse

DAY, NEXT = date(2021, 12, 30), date(2021, 12, 31)
REGISTERS = ("agencies", "officers", "employers", "assignments")


@pytest.fixture(scope="module")
def empty(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("ledger")
    with product(running, "ledger", folder) as made:
        yield made


@pytest.fixture
def warehouse(empty: Product) -> Iterator[Product]:
    yield empty
    with psycopg.connect(empty.admin_url) as connection:
        connection.execute("truncate ops.batch, ops.build cascade")


def write(
    warehouse: Product,
    day: date,
    feeds: tuple[str, ...],
    status: str = "published",
    *,
    known_at: datetime | None = None,
    final_of: str | None = None,
    age: timedelta = timedelta(),
    reason: str | None = None,
) -> None:
    """Batches of these feeds in the ledger, begun `age` ago."""
    with psycopg.connect(warehouse.admin_url) as connection:
        for feed in feeds:
            connection.execute(
                """
                insert into ops.batch (batch_id, feed, feed_group, business_date, status,
                    read_mode, rows_delivered, rows_accepted, rows_quarantined, money_delivered,
                    money_accepted, money_quarantined, known_at, final_of, reason, code_version,
                    started_at)
                values (gen_random_uuid()::text, %s, %s, %s, %s, 'changes', 0, 0, 0, 0, 0, 0,
                    %s, %s, %s, 'test', clock_timestamp() - %s)
                """,
                [
                    feed,
                    contracts()[feed].group,
                    day,
                    status,
                    known_at or night_of(day),
                    final_of,
                    reason,
                    age,
                ],
            )


def build(
    warehouse: Product, as_known_at: datetime, status: str, schema: str = "marts_build"
) -> None:
    """A build that counts what is published now."""
    with psycopg.connect(warehouse.admin_url) as connection:
        row = connection.execute(
            """
            insert into ops.build (business_date, as_known_at, target_schema, config,
                config_sha256, code_version, status)
            values ('2021-12-30', %s, %s, '{}', 'x', 'test', %s)
            returning build_id
            """,
            [as_known_at, schema, status],
        ).fetchone()
        assert row is not None
        count_in(connection, row[0])


def test_registers_are_through_when_each_was_dealt_with(warehouse: Product) -> None:
    settings = warehouse.settings
    assert registers_state(settings, DAY) is None
    write(warehouse, DAY, REGISTERS[:3])
    assert registers_state(settings, DAY) is None, "one is missing"
    write(warehouse, DAY, REGISTERS[3:], "running")
    assert registers_state(settings, DAY) is None, "one is in work"
    write(warehouse, DAY, REGISTERS[3:])
    assert registers_state(settings, DAY) == "published"
    assert registers_state(settings, NEXT) is None


def test_a_blocked_register_holds_nobody_up(warehouse: Product) -> None:
    write(warehouse, DAY, REGISTERS[:3])
    write(warehouse, DAY, REGISTERS[3:], "blocked")
    assert registers_state(warehouse.settings, DAY) == "stopped"


def test_a_failed_register_is_given_time_to_be_tried_again(warehouse: Product) -> None:
    write(warehouse, DAY, REGISTERS[:3])
    write(warehouse, DAY, REGISTERS[3:], "failed", age=timedelta(minutes=10))
    assert registers_state(warehouse.settings, DAY) is None
    with psycopg.connect(warehouse.admin_url) as connection:
        connection.execute("update ops.batch set started_at = started_at - interval '1 hour'")
    assert registers_state(warehouse.settings, DAY) == "stopped"


def test_the_extract_of_a_freeze_is_not_the_night_of_its_date(warehouse: Product) -> None:
    write(warehouse, NEXT, REGISTERS, final_of="sprint-2021-q4")
    assert registers_state(warehouse.settings, NEXT) is None


def test_a_whole_date_is_requested_until_a_build_has_seen_it(warehouse: Product) -> None:
    settings = warehouse.settings
    assert dates_to_request(settings) == []
    write(warehouse, DAY, tuple(contracts())[1:])
    assert dates_to_request(settings) == [], "a feed is missing"
    write(warehouse, DAY, tuple(contracts())[:1])
    assert dates_to_request(settings) == [DAY]
    build(warehouse, night_of(DAY), "running")
    assert dates_to_request(settings) == [DAY], "a running build may have been killed"
    build(warehouse, night_of(DAY), "built", schema="freeze_sprint_2021_q4")
    assert dates_to_request(settings) == [DAY], "nobody reads that one"
    build(warehouse, night_of(DAY), "exposed")
    assert dates_to_request(settings) == []
    with psycopg.connect(warehouse.admin_url) as connection:
        assert is_built(connection, DAY)
        assert not is_built(connection, NEXT)


def test_a_date_with_a_blocked_feed_is_built_with_what_is_there(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts())[1:])
    write(warehouse, DAY, tuple(contracts())[:1], "blocked")
    assert dates_to_request(warehouse.settings) == [DAY]


def test_a_date_in_work_is_left_alone_unless_its_run_is_long_gone(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts())[1:])
    write(warehouse, DAY, tuple(contracts())[:1], "running", age=timedelta(minutes=5))
    assert dates_to_request(warehouse.settings) == []
    with psycopg.connect(warehouse.admin_url) as connection:
        connection.execute("update ops.batch set started_at = started_at - interval '4 hours'")
    assert dates_to_request(warehouse.settings) == [DAY]


def test_a_build_that_failed_waits_for_a_person_until_news_come(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts()))
    build(warehouse, night_of(DAY), "failed", schema="freeze_sprint_2021_q4")
    assert dates_to_request(warehouse.settings) == [DAY], "that was not the night's build"
    build(warehouse, night_of(DAY), "failed")
    assert dates_to_request(warehouse.settings) == []
    write(warehouse, DAY, ("payments",), known_at=night_of(DAY) + timedelta(hours=2))
    assert dates_to_request(warehouse.settings) == [DAY]


def test_what_came_under_a_clock_that_stands_still_is_built_too(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts()))
    build(warehouse, night_of(DAY), "exposed")
    assert dates_to_request(warehouse.settings) == []
    write(warehouse, DAY, ("c12",))
    assert dates_to_request(warehouse.settings) == [DAY], "a mended file, known at the same instant"
    with psycopg.connect(warehouse.admin_url) as connection:
        assert not is_built(connection, DAY)
    build(warehouse, night_of(DAY), "exposed")
    assert dates_to_request(warehouse.settings) == []
    with psycopg.connect(warehouse.admin_url) as connection:
        assert is_built(connection, DAY)


def test_what_was_read_early_and_published_late_is_built_too(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts()), known_at=night_of(DAY) + timedelta(minutes=5))
    build(warehouse, night_of(DAY) + timedelta(minutes=5), "exposed")
    write(warehouse, DAY, ("plans",))
    assert dates_to_request(warehouse.settings) == [DAY]


def test_a_killed_build_has_built_nothing(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts()))
    build(warehouse, night_of(DAY), "running")
    assert dates_to_request(warehouse.settings) == [DAY]
    with psycopg.connect(warehouse.admin_url) as connection:
        assert not is_built(connection, DAY)
    build(warehouse, night_of(DAY), "exposed")
    assert dates_to_request(warehouse.settings) == [], "a later build counts the same batches"
    with psycopg.connect(warehouse.admin_url) as connection:
        assert is_built(connection, DAY)


def test_a_date_from_before_a_feed_existed_is_settled_without_it(warehouse: Product) -> None:
    known = tuple(contracts())
    write(warehouse, NEXT, known)
    build(warehouse, night_of(NEXT), "exposed")
    write(warehouse, DAY, known[1:], known_at=night_of(NEXT))
    assert dates_to_request(warehouse.settings) == [DAY], "the first feed begins at the next date"


def test_a_feed_that_never_came_is_not_waited_for_for_ever(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts())[1:])
    assert dates_to_request(warehouse.settings) == []
    with psycopg.connect(warehouse.admin_url) as connection:
        connection.execute("update ops.batch set started_at = started_at - interval '4 hours'")
    assert dates_to_request(warehouse.settings) == [DAY]


def test_batches_of_a_feed_that_is_gone_count_for_nothing(warehouse: Product) -> None:
    write(warehouse, DAY, tuple(contracts())[1:])
    with psycopg.connect(warehouse.admin_url) as connection:
        connection.execute("update ops.batch set feed = 'gone' where feed = 'plans'")
    write(warehouse, DAY, ("plans",))
    assert dates_to_request(warehouse.settings) == []
    write(warehouse, DAY, tuple(contracts())[:1])
    assert dates_to_request(warehouse.settings) == [DAY]


def test_what_is_missing_of_the_newest_date_is_named(warehouse: Product) -> None:
    settings = warehouse.settings
    assert missing(settings) == []
    write(warehouse, DAY, tuple(contracts()))
    assert missing(settings) == []
    write(warehouse, DAY, ("c12",), "failed", reason="a later try")
    assert missing(settings) == [], "it has come"
    write(warehouse, NEXT, ("c12",), "failed", reason="the folder is gone")
    write(warehouse, NEXT, tuple(feed for feed in contracts() if feed not in ("c12", "plans")))
    assert missing(settings) == [
        "c12, 2021-12-31: failed: the folder is gone",
        "plans, 2021-12-31: no landing was begun",
    ]


def test_a_build_that_nobody_named_a_date_for_takes_the_newest(warehouse: Product) -> None:
    with pytest.raises(ChotsoError, match="Nothing has been published yet"):
        build_date(warehouse.settings, None)
    write(warehouse, DAY, ("plans",))
    write(warehouse, NEXT, ("plans",), "failed")
    assert build_date(warehouse.settings, None) == DAY
    assert build_date(warehouse.settings, "2021-12-31") == NEXT
