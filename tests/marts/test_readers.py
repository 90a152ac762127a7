"""Twenty BI sessions read through thirty switches: none fails, sees nothing, or sees a mixture."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel, sql

from chotso.build.expose import expose, tidy
from chotso.warehouse.connect import connect
from tests.proofs import record, size
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse

pytestmark = [pytest.mark.proof, pytest.mark.warehouse]

READERS = 20
SWITCHES = size(30, 300)
TABLES = ("fct_small", "fct_large", "dim_small")
ROWS = {"fct_small": 3, "fct_large": 4_000, "dim_small": 2}


@pytest.fixture
def warehouse(servers: Servers, tmp_path: Path) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path) as made:
        yield made


def build(conn: psycopg.Connection, schema: str, night: int) -> None:
    """Marts in which every row says which night it is of."""
    for table in TABLES:
        name = sql.Identifier(schema, table)
        conn.execute(sql.SQL("drop table if exists {}").format(name))
        conn.execute(
            sql.SQL(
                "create table {} as select row_number, {} as night "
                "from generate_series(1, {}) as row_number"
            ).format(name, sql.Literal(night), sql.Literal(ROWS[table]))
        )
        conn.execute(sql.SQL("alter table {} add primary key (row_number)").format(name))


def switch(warehouse: Warehouse, night: int) -> None:
    with connect(warehouse.settings) as conn:
        build(conn, "marts_build", night)
        row = conn.execute(
            "insert into ops.build (business_date, as_known_at, target_schema, config, "
            "config_sha256, code_version, status) values ('2021-12-31', now(), 'marts_build', "
            "'{}', '', '', 'running') returning build_id"
        ).fetchone()
        assert row is not None
        conn.commit()
        changed = expose(conn, "marts_build", row[0])
        conn.commit()
        tidy(conn, changed)


def rename(warehouse: Warehouse, night: int) -> None:
    """The naive twin: the new tables take the old ones' names, all in one transaction."""
    with psycopg.connect(warehouse.admin_url) as admin:
        for schema in ("naive", "naive_next"):
            admin.execute(f"create schema if not exists {schema} authorization chotso_loader")
    with connect(warehouse.settings) as conn:
        build(conn, "naive_next", night)
        conn.commit()
        conn.execute("grant usage on schema naive to chotso_reader")
        for table in TABLES:
            conn.execute(f"drop table if exists naive.{table}".encode())
            conn.execute(f"alter table naive_next.{table} set schema naive".encode())
            conn.execute(f"grant select on naive.{table} to chotso_reader".encode())
        conn.commit()


@contextmanager
def readers(warehouse: Warehouse, schema: str) -> Iterator[Counter[str]]:
    """Sessions, half of them REPEATABLE READ, that read until the block ends; what they saw."""
    seen: Counter[str] = Counter()
    guard, ended = threading.Lock(), threading.Event()

    def read(number: int) -> None:
        with psycopg.connect(warehouse.admin_url) as conn:
            conn.execute("set role chotso_reader")
            conn.execute("set statement_timeout = '10s'")
            conn.commit()
            is_repeatable = number % 2 == 0
            if is_repeatable:
                conn.isolation_level = IsolationLevel.REPEATABLE_READ
            while not ended.is_set():
                try:
                    found = one_look(conn, schema, is_repeatable, pause=number * 0.001)
                except psycopg.Error as error:
                    conn.rollback()
                    found = f"failed: {type(error).__name__}"
                with guard:
                    seen[found] += 1

    threads = [threading.Thread(target=read, args=[number]) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def one_look(
    conn: psycopg.Connection, schema: str, is_repeatable: bool, pause: float
) -> str:  # fmt: skip
    """One transaction of a dashboard: a query over all marts at once, then each by itself."""
    together = sql.SQL(" union all ").join(
        sql.SQL("select night, count(*) from {} group by night").format(
            sql.Identifier(schema, table)
        )
        for table in TABLES
    )
    with conn.transaction():
        conn.execute("select 1")  # a snapshot is taken here, and the switch may come after it
        time.sleep(pause)
        looks = [conn.execute(together).fetchall()]
        for table in TABLES:
            query = sql.SQL("select night, count(*) from {} group by night")
            time.sleep(pause / 3)
            looks.append(conn.execute(query.format(sql.Identifier(schema, table))).fetchall())
    expected = [sorted(ROWS.values()), *([rows] for rows in ROWS.values())]
    if any(not look for look in looks):
        return "empty"
    if any(
        sorted(row[1] for row in look) != want for look, want in zip(looks, expected, strict=True)
    ):
        return "mixed"
    if any(len({row[0] for row in look}) > 1 for look in looks):
        return "mixed"
    # READ COMMITTED sees one night in each statement, REPEATABLE READ one in the transaction
    if is_repeatable and len({row[0] for look in looks for row in look}) > 1:
        return "mixed"
    return "whole"


def test_readers_see_one_whole_night_through_every_switch(warehouse: Warehouse) -> None:
    switch(warehouse, 0)
    with readers(warehouse, "marts") as seen:
        for night in range(1, SWITCHES + 1):
            switch(warehouse, night)
    assert set(seen) == {"whole"}, seen
    assert seen["whole"] > READERS * 3
    record(
        "Readers through the switch",
        readers=READERS, switches=SWITCHES, transactions=seen["whole"], failed=0, empty=0, mixed=0,
    )  # fmt: skip


def test_the_naive_rename_shows_readers_something_else(warehouse: Warehouse) -> None:
    rename(warehouse, 0)
    with readers(warehouse, "naive") as seen:
        for night in range(1, 200):
            rename(warehouse, night)
            if set(seen) > {"whole"}:
                break
    assert set(seen) > {"whole"}, seen
