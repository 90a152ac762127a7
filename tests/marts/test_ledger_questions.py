"""What the DAGs ask the ledger: are the registers through, and which dates need a build."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from chotso.calendar import night_of
from chotso.contracts import contracts
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
) -> None:
    """Batches of these feeds in the ledger, begun `age` ago."""
    with psycopg.connect(warehouse.admin_url) as connection:
        for feed in feeds:
            connection.execute(
                """
                insert into ops.batch (batch_id, feed, feed_group, business_date, status,
                    read_mode, rows_delivered, rows_accepted, rows_quarantined, money_delivered,
                    money_accepted, money_quarantined, known_at, final_of, code_version, started_at)
                values (gen_random_uuid()::text, %s, %s, %s, %s, 'changes', 0, 0, 0, 0, 0, 0,
                    %s, %s, 'test', clock_timestamp() - %s)
                """,
                [
                    feed,
                    contracts()[feed].group,
                    day,
                    status,
                    known_at or night_of(day),
                    final_of,
                    age,
                ],
            )


def build(
    warehouse: Product, as_known_at: datetime, status: str, schema: str = "marts_build"
) -> None:
    with psycopg.connect(warehouse.admin_url) as connection:
        connection.execute(
            """
            insert into ops.build (business_date, as_known_at, target_schema, config,
                config_sha256, code_version, status)
            values ('2021-12-30', %s, %s, '{}', 'x', 'test', %s)
            """,
            [as_known_at, schema, status],
        )


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
