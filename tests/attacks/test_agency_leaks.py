"""What a login of one agency learns of others' rows by EXPLAIN, errors, statistics and time.

PostgreSQL asks leakproof conditions of a query before a view's or a policy's own, and tells in many
ways how often it did. So foreign rows must not be in what an agency queries at all. The naive twin
is the row-level security of before, on a table of the same rows: the same attacks read it.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import LiteralString, cast
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from chotso.build.expose import expose
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from chotso.warehouse.migrate import migrate
from tests.warehouse.build_warehouse import Warehouse, any_server, new_warehouse

pytestmark = [pytest.mark.warehouse, pytest.mark.proof]

LOGIN, PASSWORD = "attack_one_agency", "x"
ROWS = 8_000
"""Of each agency: 07201, whose login attacks, and 07202, which is attacked."""
FOREIGN = range(1, 36)
TWIN = "twin.debt"

# Employer `F<n>` is another agency's. Its secrets: whether it met, its class, a text, an amount.
DEBTS = f"""
select
    agency.code as agency_code, agency.letter || n as employer_code, date '2021-12-01' as month,
    n % 3 = 0 as is_met, 'class' || n % 5 as debt_class_code,
    agency.letter || ' owes ' || md5(n::text) as explanation_vi, n * 7 as amount, n::numeric as vnd,
    agency.letter = 'F' as is_foreign
from generate_series(1, {ROWS}) as n
cross join (values ('07201', 'O'), ('07202', 'F')) as agency (code, letter)
"""
FROZEN = (
    "insert into frozen.release select 's', 's', 'original', null, true, now(), now(), "
    "repeat('a', 64), null, repeat('b', 64), now(), '1', 'sealed'",
    "insert into frozen.employer_arrears (release_id, agency_code, employer_code, month, "
    "is_name_withheld, debt_class_code, employer_name, arrears_vnd) select 's', agency_code, "
    "employer_code, month, is_met, debt_class_code, explanation_vi, amount from marts_store.fct_debt",
    "insert into frozen.ranking (release_id, agency_code, participant_type, participant_code, "
    "is_considered, explanation_vi, total_points, rank_number) select 's', agency_code, 'agency', "
    "employer_code, is_met, explanation_vi, amount, amount from marts_store.fct_debt",
    "insert into frozen.attainment (release_id, agency_code, month, metric_code, is_met, "
    "agency_name, actual_month) select 's', agency_code, month, employer_code, is_met, "
    "explanation_vi, amount from marts_store.fct_debt",
    "analyze frozen.employer_arrears, frozen.ranking, frozen.attainment, marts_store.fct_debt",
    # as it was before: row-level security on the table that holds everybody's rows
    "create schema twin",
    "create table twin.debt as select * from marts_store.fct_debt",
    "create index on twin.debt (employer_code)",
    "alter table twin.debt enable row level security",
    "create policy own_agency on twin.debt for select using ((select guard.own_agencies()) is null "
    "or agency_code = any ((select guard.own_agencies())::text[]))",
    "grant usage on schema twin to public",
    "grant select on twin.debt to public",
    "analyze twin.debt",
)


@dataclass(frozen=True)
class Target:
    """A relation with a column that names a row, and columns that are to be guessed."""

    name: str
    key: str
    met: str
    text: str
    number: str


TARGETS = (
    Target("marts.fct_debt", "employer_code", "is_met", "explanation_vi", "amount"),
    Target("marts.fct_nightly_attainment", "employer_code", "is_met", "explanation_vi", "amount"),
    Target("frozen.current_employer_arrears", "employer_code", "is_name_withheld",
           "employer_name", "arrears_vnd"),
    Target("frozen.own_employer_arrears", "employer_code", "is_name_withheld",
           "employer_name", "arrears_vnd"),
    Target("frozen.current_ranking", "participant_code", "is_considered", "explanation_vi",
           "rank_number"),
    Target("frozen.own_ranking", "participant_code", "is_considered", "explanation_vi",
           "rank_number"),
    Target("frozen.current_attainment", "metric_code", "is_met", "agency_name", "actual_month"),
    Target("frozen.own_attainment", "metric_code", "is_met", "agency_name", "actual_month"),
)  # fmt: skip
THE_TWIN = Target(TWIN, "employer_code", "is_met", "explanation_vi", "amount")
EMPTY = {"arrears_ratio", "officer_attainment", "late_change"}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with any_server() as servers, new_warehouse(servers, tmp_path_factory.mktemp("leak")) as made:
        with psycopg.connect(made.admin_url) as admin:
            admin.execute(
                "insert into raw.agencies (ma_co_quan, batch_id, known_from, known_to) values "
                "('07201', 'x', now(), null), ('07202', 'x', now(), null)"
            )
        with connect(made.settings) as conn:
            for mart in ("fct_debt", "fct_nightly_attainment"):
                conn.execute(
                    f"create table marts_build.{mart} as select {DEBTS.strip()[7:]}".encode()
                )
                conn.execute(
                    f"alter table marts_build.{mart} add primary key (employer_code)".encode()
                )
            conn.execute(
                "alter table marts_build.fct_nightly_attainment "
                "add business_date date default '2021-12-30'"
            )
            row = conn.execute(
                "insert into ops.build (business_date, as_known_at, target_schema, config, "
                "config_sha256, code_version, status) values ('2021-12-30', now(), 'marts_build', "
                "'{}', '', '', 'running') returning build_id"
            ).fetchone()
            assert row is not None
            expose(conn, "marts_build", row[0])
            conn.commit()
        migrate(made.settings)
        with psycopg.connect(made.admin_url) as admin:
            with locks.hold(admin, "migrate"):
                for statement in FROZEN:
                    admin.execute(statement.encode())
                admin.execute(
                    f"create role {LOGIN} login password '{PASSWORD}' "
                    "in role chotso_reader_07201".encode()
                )
                admin.commit()
            try:
                yield made
            finally:
                admin.rollback()
                admin.execute(f"drop role {LOGIN}".encode())
                admin.commit()


@pytest.fixture
def agency(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A real login's session."""
    parts = urlsplit(warehouse.admin_url)
    netloc = f"{LOGIN}:{PASSWORD}@{parts.hostname}:{parts.port}"
    with psycopg.connect(urlunsplit(parts._replace(netloc=netloc)), autocommit=True) as conn:
        yield conn


def lines(conn: psycopg.Connection, statement: str) -> str:
    rows = conn.execute(cast(LiteralString, statement)).fetchall()
    return "\n".join(str(row[0]) for row in rows)


def plan_of(conn: psycopg.Connection, target: Target, condition: str) -> str:
    """Plan, estimates and counts; what was asked for itself is taken out."""
    query = f"select from {target.name} where {condition}"
    text = "".join(
        lines(conn, f"explain ({options}) {query}")
        for options in (
            "verbose, costs",
            "analyze, verbose, costs, timing off, summary off, buffers off",
        )
    )
    return re.sub(r"'[^']*'|\(NOT (\S+\.\S+)\)|\b\d+\.0\b", r"\1", text)


def counted(conn: psycopg.Connection, target: Target, condition: str) -> str:
    """What the session's own counters say that the query touched."""
    with conn.transaction():
        conn.execute(
            cast(LiteralString, f"select from {target.name} where {condition}")
        ).fetchall()
        return lines(
            conn,
            "select (schemaname, relname, seq_tup_read, idx_scan, idx_tup_fetch)::text "
            "from pg_stat_xact_user_tables order by 1",
        )


def guesses(target: Target, n: int) -> list[tuple[str, str]]:
    """Pairs of conditions of one form; whoever tells them apart has read something of row F<n>."""
    row, text = f"{target.key} = 'F{n}'", f"F owes {_md5(n)}"
    return [
        (f"{row} and {target.met}", f"{row} and not {target.met}"),
        (f"{row} and {target.text} = '{text}'", f"{row} and {target.text} = '{text[::-1]}'"),
        (
            f"{row} and {target.text} >= '{text[:9]}' and {target.text} < '{text[:9]}~'",
            f"{row} and {target.text} >= 'G{text[:9]}' and {target.text} < 'G{text[:9]}~'",
        ),
        (f"{row} and {target.number} = '{n * 7}'", f"{row} and {target.number} = '{n * 7 + 1}'"),
        (row, f"{target.key} = 'X{n}'"),
    ]


def _md5(n: int) -> str:
    import hashlib

    return hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()


def read(
    conn: psycopg.Connection,
    target: Target,
    channel: Callable[[psycopg.Connection, Target, str], str],
) -> int:
    """How many of the foreign rows give away something through this channel."""
    return sum(
        any(channel(conn, target, a) != channel(conn, target, b) for a, b in guesses(target, n))
        for n in FOREIGN
    )


def test_peek(warehouse, agency):
    for t in (TARGETS[0], TARGETS[2], TARGETS[3], THE_TWIN):
        for c in guesses(t, 3)[0]:
            print(plan_of(agency, t, c)); print()
    print(counted(agency, TARGETS[0], guesses(TARGETS[0], 3)[0][0]))
    print(counted(agency, TARGETS[2], guesses(TARGETS[2], 3)[0][0]))
    with psycopg.connect(warehouse.admin_url) as c:
        c.execute("set role chotso_reader")
        for t in TARGETS[:3]:
            print(lines(c, f"explain analyze select * from {t.name} where {t.key}='F3'"))
    for t in (TARGETS[0], TARGETS[2], THE_TWIN):
        b=time.time(); print(t.name, read(agency,t,plan_of), read(agency,t,counted), time.time()-b)
    assert 0
