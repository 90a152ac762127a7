"""What a login of one agency learns of others' rows by EXPLAIN, errors, statistics and time.

PostgreSQL asks leakproof conditions of a query before a view's or a policy's own, and tells in many
ways how often it did. So foreign rows must not be in what an agency queries at all. The naive twin
is the row-level security of before, on a table of the same rows: the same attacks read it.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from chotso.build.expose import expose
from chotso.migrate import migrate
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from tests.worlds.build_warehouse import Warehouse, any_server, new_warehouse

pytestmark = [pytest.mark.warehouse, pytest.mark.proof]

LOGIN, PASSWORD = "attack_one_agency", "x"
ROWS = 2_000
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
NAMELESS = DEBTS.strip().removeprefix("select").replace("agency.code as agency_code,", "")
"""The same rows where nothing says whose they are: agencies find none."""
FROZEN = (
    "insert into frozen.release select 's', 's', 'original', null, true, now(), now(), "
    "repeat('a', 64), null, repeat('b', 64), now(), '1', 'sealed'",
    "insert into frozen.employer_arrears (release_id, agency_code, employer_code, month, "
    "is_name_withheld, debt_class_code, employer_name, arrears_vnd) select 's', agency_code, "
    "employer_code, month, is_met, debt_class_code, explanation_vi, amount "
    "from marts_store.fct_debt",
    "insert into frozen.ranking (release_id, agency_code, participant_type, participant_code, "
    "is_considered, explanation_vi, total_points, rank_number) select 's', agency_code, 'agency', "
    "employer_code, is_met, explanation_vi, amount, amount from marts_store.fct_debt",
    "insert into frozen.attainment (release_id, agency_code, month, metric_code, is_met, "
    "agency_name, actual_month) select 's', agency_code, month, employer_code, is_met, "
    "explanation_vi, amount from marts_store.fct_debt",
    # a vacuum between two guesses would change plans, and with them what the session counts
    *(
        f"alter table {table} set (autovacuum_enabled = off)"
        for table in (
            "frozen.employer_arrears",
            "frozen.ranking",
            "frozen.attainment",
            "frozen.release",
            "marts_store.fct_debt",
            "marts_store.rpt_points",
            "marts_store.fct_nightly_attainment",
        )
    ),
    "analyze frozen.employer_arrears, frozen.ranking, frozen.attainment, marts_store.fct_debt",
    # as it was before: row-level security on the table that holds everybody's rows
    "create schema twin",
    "create table twin.debt as select * from marts_store.fct_debt",
    "create index on twin.debt (employer_code)",
    "create index on twin.debt (explanation_vi)",
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
    Target("marts.rpt_points", "employer_code", "is_met", "explanation_vi", "amount"),
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
            conn.execute(f"create table marts_build.rpt_points as select {NAMELESS}".encode())
            conn.execute("alter table marts_build.rpt_points add primary key (employer_code)")
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
    rows = conn.execute(statement).fetchall()
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
    return re.sub(r"'[^']*'|(?<== )\d+|\(NOT (\S+)\)", r"\1", text)


def counted(conn: psycopg.Connection, target: Target, condition: str) -> str:
    """What the session's own counters, which anybody may read, say that the query touched."""
    with conn.transaction():
        before = _counters(conn)
        conn.execute(f"select from {target.name} where {condition}")
        after = _counters(conn)
    return str({name: [n - m for n, m in zip(after[name], before[name], strict=True)]
                for name in after})  # fmt: skip


def _counters(conn: psycopg.Connection) -> dict[str, list[int]]:
    rows = conn.execute(
        "select relid::text, seq_tup_read, coalesce(idx_scan, 0), coalesce(idx_tup_fetch, 0) "
        "from pg_stat_xact_user_tables"
    ).fetchall()
    return {name: counts for name, *counts in rows}


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
    return hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest()


Channel = Callable[[psycopg.Connection, Target, str], str]


def read(conn: psycopg.Connection, target: Target, channel: Channel) -> int:
    """How many of the foreign rows give away something through this channel."""
    return sum(
        any(channel(conn, target, a) != channel(conn, target, b) for a, b in guesses(target, n))
        for n in FOREIGN
    )


CHANNELS: dict[str, Channel] = {"explain": plan_of, "counters": counted}


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS.keys())
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_tells_a_right_guess_from_a_wrong_one(
    agency: psycopg.Connection, target: Target, channel: Channel
) -> None:
    assert read(agency, target, channel) == 0


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS.keys())
def test_the_naive_policy_gives_every_foreign_row_away(
    agency: psycopg.Connection, channel: Channel
) -> None:
    assert agency.execute("select distinct agency_code from twin.debt").fetchall() == [("07201",)]
    assert read(agency, THE_TWIN, channel) == len(FOREIGN)


def test_the_attack_opens_every_relation_that_an_agency_may(agency: psycopg.Connection) -> None:
    """A new one fails here until it stands in TARGETS."""
    assert agency.execute("select from marts.rpt_points").fetchall() == []
    rows = agency.execute(
        "select class.oid::regclass::text, class.relkind from pg_class as class "
        "inner join pg_attribute as field on field.attrelid = class.oid "
        "where field.attname = 'agency_code' and not field.attisdropped "
        "and class.relnamespace::regnamespace::text not in ('twin', 'pg_catalog') "
        "and class.relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.has_schema_privilege("
        "class.relnamespace, 'usage') and pg_catalog.has_any_column_privilege(class.oid, 'select')"
    ).fetchall()
    assert {kind for _, kind in rows} == {"v"}
    empty = {f"frozen.own_{name}" for name in EMPTY}
    empty |= {f"frozen.current_{name}" for name in EMPTY - {"late_change"}}
    of_agencies = {target.name for target in TARGETS} - {"marts.rpt_points"}
    assert {name for name, _ in rows} == of_agencies | empty
    for name, _ in rows:
        seen = agency.execute(
            f"select array_agg(distinct agency_code), count(*) from {name}"
        ).fetchone()
        assert seen == ((None, 0) if name in empty else (["07201"], ROWS)), name


def test_errors_come_of_own_rows_alone(agency: psycopg.Connection) -> None:
    for target in TARGETS:
        query = f"select from {target.name} where 1 / ({target.number}::int - %s) > 0"
        for n in FOREIGN:  # amounts of own rows end before
            agency.execute((query), [ROWS * 7 + n])


@pytest.mark.parametrize("catalog", ["pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"])
def test_statistics_of_values_are_not_to_be_read(agency: psycopg.Connection, catalog: str) -> None:
    query = f"select count(*) from {catalog} where schemaname in ('marts_store', 'frozen') "
    query += "and tablename not in ('release', 'certification')"
    assert agency.execute(query).fetchone() == (0,)
    for secret in ("pg_statistic", "pg_statistic_ext_data"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            agency.execute(f"select from {secret}")


def faster(conn: psycopg.Connection, target: Target, text: str) -> float:
    """How often a wrong guess is answered before a right one; one half is guessing."""
    right = f"select from {target.name} where {text} >= 'F owes ' and {text} < 'F owes~'"
    times: tuple[list[float], list[float]] = ([], [])
    for round_ in range(120):
        query = right if round_ % 2 else right.replace("F owes", "G owes")
        begun = time.perf_counter()
        conn.execute(query)
        times[round_ % 2].append(time.perf_counter() - begun)
    wrongs, rights = times[0][5:], times[1][5:]
    return sum(wrong < right for wrong in wrongs for right in rights) / (len(wrongs) * len(rights))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_time_tells_no_more_than_guessing(agency: psycopg.Connection, target: Target) -> None:
    # what leaks tells every time; a busy machine tells something now and then
    assert any(abs(faster(agency, target, target.text) - 0.5) < 0.25 for _ in range(5))


def test_the_naive_policy_is_told_by_time(agency: psycopg.Connection) -> None:
    assert any(faster(agency, THE_TWIN, THE_TWIN.text) > 0.8 for _ in range(10))


def test_functions_give_nobody_another_agency_s_rows(agency: psycopg.Connection) -> None:
    columns = lines(
        agency,
        "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' "
        "order by attnum) from pg_attribute "
        "where attrelid = 'frozen.ranking'::regclass and attnum > 0",
    )
    query = f"select distinct agency_code from frozen.own_ranking(%s) as own ({columns})"
    for reader in ("chotso_reader_07202", "chotso_reader", "postgres", "chotso_owner"):
        rows = agency.execute(query, [reader]).fetchall()
        assert rows == ([("07201",)] if reader == "postgres" else [])  # who is in every group
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        agency.execute("select from marts_store.own_fct_debt('chotso_reader_07202')")


def test_a_view_of_an_agency_s_shows_nobody_more(
    warehouse: Warehouse, agency: psycopg.Connection
) -> None:
    """Whoever is in no group of readers was once taken for a reader of everything."""
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        here = f"temporary on database {admin.info.dbname}"
        admin.execute(f"grant chotso_certifier to {LOGIN}; grant {here} to {LOGIN}".encode())
        try:
            agency.execute(
                "create temporary view mine as select agency_code from marts.fct_debt; "
                "grant select on mine to chotso_certifier; set role chotso_certifier"
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                agency.execute("select from mine")
        finally:
            admin.execute(
                f"revoke chotso_certifier from {LOGIN}; revoke {here} from {LOGIN}".encode()
            )


def test_a_plan_kept_from_a_full_reader_fails(warehouse: Warehouse) -> None:
    query = "select distinct agency_code from marts.fct_debt"
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute("set plan_cache_mode = force_generic_plan")
        conn.execute(f"set role chotso_reader; prepare kept as {query}")
        assert len(conn.execute("execute kept").fetchall()) == 2
        conn.execute("set role chotso_reader_07201")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was made for a reader"):
            conn.execute("execute kept")
        conn.rollback()
        conn.execute("set role chotso_reader_07201")
        assert conn.execute(query).fetchall() == [("07201",)]


@pytest.mark.parametrize(
    "target", [each for each in TARGETS if "own_" not in each.name], ids=lambda each: each.name
)
def test_a_full_reader_s_conditions_reach_the_index(warehouse: Warehouse, target: Target) -> None:
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute("set role chotso_reader")
        conn.execute("set enable_seqscan = off")
        release = "release_id = 's' and " if target.name.startswith("frozen.") else ""
        found = lines(
            conn, f"explain select * from {target.name} where {release}{target.key} = 'F3'"
        )
        seen = lines(conn, f"select count(*) from {target.name}")
        conn.execute(
            "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; "
            "set min_parallel_table_scan_size = 0; reset enable_seqscan"
        )
        assert "Gather" in lines(conn, f"explain select count(*) from {target.name}")
    assert re.search(rf"Index Cond: .*\b{target.key} = 'F3'", found)
    assert "own_" not in found
    assert "Append" not in found
    assert seen == str(2 * ROWS)
