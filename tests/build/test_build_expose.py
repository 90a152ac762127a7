"""The switch: readers see the old night or the new one, whatever they are in the middle of."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from chotso import PROJECT_ROOT
from chotso.build.expose import expose, tidy
from chotso.errors import ChotsoError
from chotso.warehouse.connect import connect
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse

pytestmark = [pytest.mark.warehouse]

SCRIPTS = PROJECT_ROOT / "chotso" / "warehouse" / "sql"
READ = "select sum(amount_vnd), count(*) from marts.fct_small"


@pytest.fixture
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


def night(warehouse: Warehouse, amount: int, columns: str = "") -> int:
    """Builds a small mart by hand as dbt would, and exposes it; returns the generation."""
    with connect(warehouse.settings) as conn:
        build_id = built(conn, amount, columns)
        changed = expose(conn, "marts_build", build_id)
        conn.commit()
        tidy(conn, changed)
    return build_id


def built(conn: psycopg.Connection, amount: int, columns: str = "") -> int:
    conn.execute("drop table if exists marts_build.fct_small")
    conn.execute(
        f"""
        create table marts_build.fct_small as
        select agency_code, {amount}::numeric as amount_vnd {columns}
        from unnest(array['072', '07201']) as agency_code
        """  # type: ignore[arg-type, unused-ignore]
    )
    conn.execute("alter table marts_build.fct_small add primary key (agency_code)")
    conn.execute("comment on table marts_build.fct_small is 'Bảng nhỏ — a small table'")
    conn.execute("comment on column marts_build.fct_small.amount_vnd is 'Số tiền — amount'")
    row = conn.execute(
        "insert into ops.build (business_date, as_known_at, target_schema, config, config_sha256, "
        "code_version, status) values ('2021-12-31', now(), 'marts_build', '{}', '', '', 'running')"
        " returning build_id"
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0])


@contextmanager
def reader(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A BI session: only `chotso_reader`, one snapshot for the whole transaction."""
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute("set role chotso_reader")
        conn.execute("set statement_timeout = '10s'")
        conn.commit()
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield conn


def test_a_reader_in_the_middle_keeps_its_night_and_the_next_one_sees_the_new(
    warehouse: Warehouse,
) -> None:
    night(warehouse, 10)
    with reader(warehouse) as early, reader(warehouse) as late:
        assert early.execute(READ).fetchone() == (20, 2)
        night(warehouse, 100)
        assert early.execute(READ).fetchone() == (20, 2)
        assert late.execute(READ).fetchone() == (200, 2)
        night(warehouse, 1_000)
        night(warehouse, 10_000)
        assert early.execute(READ).fetchone() == (20, 2)
        assert late.execute(READ).fetchone() == (200, 2)
        early.commit()
        assert early.execute(READ).fetchone() == (20_000, 2)


def test_the_naive_switch_shows_an_empty_table_to_such_a_reader(warehouse: Warehouse) -> None:
    """The twin that must fail: TRUNCATE and insert is no switch."""
    night(warehouse, 10)
    with warehouse.world() as world:
        world.admin.execute("create table marts.naive as select 10 as amount_vnd")
        world.admin.execute("grant select on marts.naive to chotso_reader")
    with reader(warehouse) as early:
        early.execute(READ).fetchone()
        with warehouse.world() as world:
            world.admin.execute("truncate marts.naive")
            world.admin.execute("insert into marts.naive values (100)")
        assert early.execute("select sum(amount_vnd) from marts.naive").fetchone() == (None,)


def test_rows_that_did_not_change_are_not_touched(warehouse: Warehouse) -> None:
    view = "select oid, xmin::text from pg_class where oid = 'marts.fct_small'::regclass"
    stored = (
        "select agency_code, generation, ctid::text from marts_store.fct_small order by generation"
    )
    night(warehouse, 1)
    first = warehouse.rows(view), warehouse.rows(stored)
    night(warehouse, 1)
    assert (warehouse.rows(view), warehouse.rows(stored)) == first
    with connect(warehouse.settings) as conn:
        build_id = built(conn, 1)
        conn.execute("update marts_build.fct_small set amount_vnd = 2 where agency_code = '072'")
        expose(conn, "marts_build", build_id)
    kept, changed = warehouse.rows(stored)
    assert kept == next(row for row in first[1] if row[0] == "07201")
    assert changed[:2] == ("072", build_id)
    assert warehouse.rows(READ) == [(3, 2)]


def test_a_row_that_is_equal_and_written_otherwise_is_replaced(warehouse: Warehouse) -> None:
    """Releases and readers see digits: 1.0 is not 1.00."""
    night(warehouse, 1)
    with connect(warehouse.settings) as conn:
        build_id = built(conn, 1)
        conn.execute("update marts_build.fct_small set amount_vnd = 1.00")
        expose(conn, "marts_build", build_id)
    seen = warehouse.rows("select distinct amount_vnd::text from marts.fct_small")
    assert seen == [("1.00",)]


def test_rows_that_left_are_gone_and_rows_that_came_are_there(warehouse: Warehouse) -> None:
    night(warehouse, 1)
    with connect(warehouse.settings) as conn:
        build_id = built(conn, 1, columns=", null::text as note")
        conn.execute(
            "update marts_build.fct_small set agency_code = '07202' where agency_code = '072'"
        )
        expose(conn, "marts_build", build_id)
    seen = warehouse.rows("select agency_code, note from marts.fct_small order by 1")
    assert seen == [("07201", None), ("07202", None)]


def test_an_upgrade_keeps_what_readers_see_and_makes_the_keys_anew(warehouse: Warehouse) -> None:
    """Before, the generation before was stored as well, and keys began with the generation."""
    shown = night(warehouse, 10)
    with warehouse.world() as world:
        world.admin.execute(
            "drop index marts_store.fct_small_agency_code_idx;"
            "create unique index on marts_store.fct_small (generation, agency_code);"
            f"insert into marts_store.fct_small select {shown - 1}, agency_code, 7 "
            "from marts_store.fct_small"
        )
        world.admin.execute((SCRIPTS / "085_changed_rows.sql").read_bytes())
    assert warehouse.rows(READ) == [(20, 2)]
    night(warehouse, 10)
    assert warehouse.rows(READ) == [(20, 2)]
    keys = "select columns from ops.indexes_of('marts_store.fct_small'::regclass) where is_unique"
    assert warehouse.rows(keys) == [("agency_code",)]


def test_an_open_reader_holds_up_no_switch_and_none_holds_up_a_reader(
    warehouse: Warehouse,
) -> None:
    night(warehouse, 1)
    with reader(warehouse) as early, connect(warehouse.settings) as conn:
        early.execute(READ).fetchone()
        build_id = built(conn, 2)
        with conn.transaction():
            expose(conn, "marts_build", build_id)
            with reader(warehouse) as during:  # the switch is done and not committed
                assert during.execute(READ).fetchone() == (2, 2)
        with reader(warehouse) as after:
            assert after.execute(READ).fetchone() == (4, 2)


def test_a_reader_at_any_moment_sees_one_whole_night(warehouse: Warehouse) -> None:
    night(warehouse, 1)
    seen: set[tuple[object, ...]] = set()
    done = threading.Event()

    def look() -> None:
        with reader(warehouse) as conn:
            while not done.is_set():
                row = conn.execute(READ).fetchone()
                assert row is not None
                seen.add(tuple(row))
                conn.commit()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for amount in range(2, 8):
            night(warehouse, amount)
    finally:
        done.set()
        watcher.join()
    assert seen <= {(2 * amount, 2) for amount in range(1, 8)}
    assert (14, 2) in seen or len(seen) > 1


def test_a_mart_that_gained_a_column_shows_it_and_one_that_changed_type_is_refused(
    warehouse: Warehouse,
) -> None:
    night(warehouse, 1)
    night(warehouse, 2, ", true as is_new")
    assert warehouse.rows("select agency_code, amount_vnd, is_new from marts.fct_small")[0] == (
        "072", 2, True,
    )  # fmt: skip
    night(warehouse, 3)
    assert warehouse.rows("select * from marts.fct_small order by 1") == [("072", 3), ("07201", 3)]
    with pytest.raises(ChotsoError, match="changed the type of is_new"):
        night(warehouse, 4, ", 1 as is_new")
    assert warehouse.rows("select * from marts.fct_small order by 1") == [("072", 3), ("07201", 3)]


def test_descriptions_and_rights_reach_the_view(warehouse: Warehouse) -> None:
    night(warehouse, 1)
    assert warehouse.rows(
        "select obj_description('marts.fct_small'::regclass), "
        "col_description('marts.fct_small'::regclass, 2), "
        "has_table_privilege('chotso_reader', 'marts.fct_small', 'select'), "
        "has_table_privilege('chotso_reader', 'marts.fct_small', 'insert')"
    ) == [("Bảng nhỏ — a small table", "Số tiền — amount", True, False)]


def nightly(warehouse: Warehouse, business_date: str, amount: int) -> None:
    """The same with a mart that keeps its nights."""
    with connect(warehouse.settings) as conn:
        build_id = built(conn, amount)
        conn.execute("drop table if exists marts_build.fct_nightly_attainment")
        conn.execute(
            "create table marts_build.fct_nightly_attainment as "
            f"select date '{business_date}' as business_date, {amount} as amount_vnd"  # type: ignore[arg-type, unused-ignore]
        )
        conn.execute(
            "alter table marts_build.fct_nightly_attainment add primary key (business_date)"
        )
        conn.commit()
        changed = expose(conn, "marts_build", build_id)
        conn.commit()
        tidy(conn, changed)


def test_what_every_night_showed_is_kept_and_a_night_replaces_only_itself(
    warehouse: Warehouse,
) -> None:
    nights = "select business_date::text, amount_vnd from marts.fct_nightly_attainment order by 1"
    nightly(warehouse, "2021-12-28", 1)
    nightly(warehouse, "2021-12-29", 2)
    with reader(warehouse) as early:
        assert early.execute(nights).fetchall() == [("2021-12-28", 1), ("2021-12-29", 2)]
        nightly(warehouse, "2021-12-29", 20)
        nightly(warehouse, "2021-12-30", 3)
        nightly(warehouse, "2021-12-31", 4)
        assert early.execute(nights).fetchall() == [("2021-12-28", 1), ("2021-12-29", 2)]
    assert warehouse.rows(nights) == [
        ("2021-12-28", 1),
        ("2021-12-29", 20),
        ("2021-12-30", 3),
        ("2021-12-31", 4),
    ]


def shown(warehouse: Warehouse, known_at: str, amount: int, *, is_refresh: bool) -> None:
    """A night or a refresh by hand, with the marts that keep them; the date is that of the day."""
    day = known_at.partition("T")[0]
    tables = {
        "fct_nightly_attainment": ("business_date", f"select date '{day}' as business_date"),
        "fct_intraday_attainment": (
            "known_at",
            f"select timestamptz '{known_at}' as known_at where {is_refresh}",
        ),
        "rpt_pace": (
            "business_date",
            f"select date '{day}' as business_date, true as is_latest_night, {amount} as amount",
        ),
    }
    with connect(warehouse.settings) as conn:
        build_id = built(conn, amount)
        conn.execute(
            "update ops.build set business_date = %s, is_refresh = %s where build_id = %s",
            [day, is_refresh, build_id],
        )
        for table, (key, query) in tables.items():
            conn.execute(f"drop table if exists marts_build.{table}")  # type: ignore[arg-type, unused-ignore]
            conn.execute(f"create table marts_build.{table} as {query}")  # type: ignore[arg-type, unused-ignore]
            conn.execute(f"alter table marts_build.{table} add primary key ({key})")  # type: ignore[arg-type, unused-ignore]
        conn.commit()
        expose(conn, "marts_build", build_id)
        conn.commit()


def test_a_refresh_is_kept_for_seven_dates_and_is_no_night(warehouse: Warehouse) -> None:
    nights = "select business_date::text from marts.fct_nightly_attainment order by 1"
    instants = (
        "select to_char(known_at at time zone 'UTC', 'DD HH24:MI') "
        "from marts.fct_intraday_attainment order by 1"
    )
    pace = "select business_date::text, amount, is_latest_night from marts.rpt_pace order by 1"
    shown(warehouse, "2021-12-29T20:00Z", 1, is_refresh=False)
    shown(warehouse, "2021-12-30T08:00Z", 2, is_refresh=True)
    with reader(warehouse) as early:
        assert early.execute(instants).fetchall() == [("30 08:00",)]
        shown(warehouse, "2021-12-30T08:15Z", 3, is_refresh=True)
        shown(warehouse, "2021-12-30T08:15Z", 4, is_refresh=True)
        assert early.execute(instants).fetchall() == [("30 08:00",)], "its own snapshot"
    assert warehouse.rows(nights) == [("2021-12-29",)]
    assert warehouse.rows(instants) == [("30 08:00",), ("30 08:15",)]
    assert warehouse.rows(pace) == [("2021-12-29", 1, False), ("2021-12-30", 4, True)]

    # the night of the 30th never came
    shown(warehouse, "2022-01-04T08:00Z", 5, is_refresh=True)
    assert warehouse.rows(pace) == [("2021-12-29", 1, False), ("2022-01-04", 5, True)]
    shown(warehouse, "2022-01-05T20:00Z", 6, is_refresh=False)
    assert warehouse.rows(nights) == [("2021-12-29",), ("2022-01-05",)]
    assert warehouse.rows(pace) == [("2021-12-29", 1, False), ("2022-01-05", 6, True)]
    assert warehouse.rows(instants) == [("04 08:00",), ("30 08:00",), ("30 08:15",)]
    shown(warehouse, "2022-01-06T20:00Z", 7, is_refresh=False)
    assert warehouse.rows(instants) == [("04 08:00",)], "the 30th is no longer among the last seven"


def test_a_mart_whose_grain_became_finer_gets_its_new_key(warehouse: Warehouse) -> None:
    """As an upgrade brings it: one row per version where there was one per code."""
    night(warehouse, 10)
    with connect(warehouse.settings) as conn:
        build_id = built(conn, 10, columns=", agency_code || '|first' as agency_key")
        conn.execute(
            """
            alter table marts_build.fct_small
            drop constraint fct_small_pkey, alter column agency_key set not null
            """
        )
        conn.execute("insert into marts_build.fct_small values ('072', 5, '072|2025-07-01')")
        conn.execute("alter table marts_build.fct_small add primary key (agency_key)")
        conn.commit()
        expose(conn, "marts_build", build_id)
        conn.commit()
    assert warehouse.rows(READ) == [(25, 3)]
    with pytest.raises(psycopg.errors.UniqueViolation), warehouse.world() as world:
        world.admin.execute(
            "insert into marts_store.fct_small select * from marts_store.fct_small "
            "where agency_key is not null"
        )


def test_a_mart_is_vacuumed_when_many_of_its_rows_have_changed(warehouse: Warehouse) -> None:
    def shown(changed_rows: int) -> list[str]:
        with connect(warehouse.settings) as conn:
            build_id = built(conn, 1)
            conn.execute("drop table if exists marts_build.fct_large")
            conn.execute(
                "create table marts_build.fct_large as select number as number, "
                "case when number <= %s then %s else 0 end as amount_vnd "
                "from generate_series(1, 2000) as number",
                [changed_rows, build_id],
            )
            conn.execute("alter table marts_build.fct_large add primary key (number)")
            conn.commit()
            changed = expose(conn, "marts_build", build_id)
            conn.commit()
            assert "fct_large" in changed
            return [table for table in tidy(conn, changed) if table == "fct_large"]

    assert shown(1) == ["fct_large"], "it has no statistics yet"
    assert [shown(20) for _ in range(3)] == [[], [], ["fct_large"]], "what wears it adds up"
    assert shown(20) == []
    assert shown(1500) == ["fct_large"]
