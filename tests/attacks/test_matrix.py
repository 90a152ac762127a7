"""Thirty logins, every operation, every frozen object: each cell as matrix.csv says."""

from collections import Counter
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from tests.attacks import grants, matrix
from tests.attacks.matrix import Cells
from tests.attacks.roles import ATTACKERS, Attacker, made, session
from tests.attacks.sealed_world import SealedWorld
from tests.proofs import IS_FULL, record

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(1800)]

# The slice leaves out the tables that are guarded by the same lines as these, and the attackers
# whose column is another's; every operation is tried.
SLICE_OF_TABLES = {"frozen.release", "frozen.attainment", "frozen.certification",
                   "rehearsal.release"}  # fmt: skip
SLICE_OF_ATTACKERS = {"nobody", "certifier", "loader", "database_owner", "write_all_data",
                      "grantee", "heir_of_owner"}  # fmt: skip
# What an attacker may be let: to read, and to make things of its own. Never this:
FORBIDDEN = "CHANGES"
# Before 16 whoever has CREATEROLE grants themselves any role but a superuser, and alters it; what
# the owner could then do to a row or a table is that attacker's column: nothing.
BEFORE_16 = {
    (("other", operation, matrix.EVERYTHING), "createrole")
    for operation in ("grant oneself the owner", "grant oneself the loader",
                      "grant oneself the certifier", "make the owner a login",
                      "make a member of the owner")
}  # fmt: skip


@pytest.fixture(scope="module")
def objects(world: SealedWorld) -> matrix.Objects:
    matrix.prepare(world.admin)
    return matrix.objects_of(world.admin)


def test_every_object_of_the_warehouse_has_its_line(
    world: SealedWorld, objects: matrix.Objects
) -> None:
    """A new table, view or function fails here until matrix.csv says what becomes of it."""
    wanted = {line for line, _ in matrix.attacks(objects)}
    standing = {
        line
        for line in matrix.committed()
        if line[1] not in (*matrix.operations.COPIES, *matrix.operations.AT_ONCE)
    }
    assert standing == wanted


def test_every_role_of_the_product_attacks(world: SealedWorld) -> None:
    """A new group role fails here until an attacker is given it."""
    given = " ".join(part for attacker in ATTACKERS for part in attacker.given)
    rows = world.admin.execute(
        "select rolname from pg_roles where rolname ~ '^chotso_' and not rolcanlogin "
        "and (rolname !~ '^chotso_reader_' or rolname = 'chotso_reader_07201')"  # one for all
    ).fetchall()
    assert rows
    assert [role for (role,) in rows if f"grant {role} to" not in given] == []


def test_every_right_is_as_committed(world: SealedWorld, objects: matrix.Objects) -> None:
    """A grant more, or a table that nobody was thought of for, fails until grants.csv says so."""
    committed = grants.PAGE.read_text("utf-8")
    if world.admin.info.server_version < 170000:  # the page is of 18
        committed = committed.replace(" maintain", "")
    if world.admin.info.server_version < 160000:
        committed = committed.replace("chotso_loader,membership,pg_use_reserved_connections,\n", "")
    assert grants.written(world.admin) == committed


TABLES = ("attainment", "arrears_ratio", "employer_arrears", "officer_attainment", "ranking",
          "late_change")  # fmt: skip
CURRENT = tuple(f"current_{name}" for name in TABLES if name != "late_change")
LIMITED = (*CURRENT, *(f"own_{name}" for name in TABLES))


def agencies(conn: psycopg.Connection, relation: str) -> set[str]:
    query = sql.SQL("select distinct agency_code from {}").format(
        sql.Identifier("frozen", relation)
    )
    return {row[0] for row in conn.execute(query)}


def by_name(name: str) -> Attacker:
    (found,) = (attacker for attacker in ATTACKERS if attacker.name == name)
    return found


def test_an_agency_reads_its_own_figures_and_no_other_s(
    world: SealedWorld, objects: matrix.Objects
) -> None:
    limited = world.admin.execute(
        "select relname::text from pg_class inner join pg_attribute on attrelid = pg_class.oid "
        "where relnamespace = 'frozen'::regnamespace and relkind in ('r', 'v') "
        "and attname = 'agency_code'"
    ).fetchall()
    assert {name for (name,) in limited} == {*TABLES, *LIMITED}
    agency = by_name("agency_reader")
    with made(world.admin, agency), session(world.admin_url, agency) as conn:
        read = {relation: agencies(conn, relation) for relation in LIMITED}
        assert read["own_attainment"] == read["current_attainment"] == {"07201"}
        assert set().union(*read.values()) == {"07201"}
        tables = [f"frozen.{name}" for name in TABLES]
        for relation in (
            *tables, "frozen.bundle_file", "frozen.late_run", "rehearsal.attainment"
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select from {relation}".encode())
        assert conn.execute("select release_id from frozen.current_release").fetchall()


def test_a_function_of_the_reader_s_own_sees_no_other_agency(
    world: SealedWorld, objects: matrix.Objects
) -> None:
    agency, seen = by_name("agency_reader"), set()
    with made(world.admin, agency), session(world.admin_url, agency) as conn:
        conn.add_notice_handler(lambda notice: seen.add(notice.message_primary))
        conn.execute(
            "create function pg_temp.peek(code text) returns boolean language plpgsql "
            "cost 0.0000001 as $f$ begin raise notice '%', code; return true; end $f$"
        )
        conn.execute("select from frozen.current_attainment where pg_temp.peek(agency_code)")
    assert seen == {"07201"}


@pytest.mark.parametrize(
    ("name", "more", "wanted"),
    [
        ("no_agency_reader", (), set()),
        ("agency_reader", ("chotso_reader_07200",), {"07200", "07201"}),
        ("agency_reader", ("chotso_reader",), {"072", "07200", "07201"}),
        ("agency_reader", ("chotso_certifier",), {"07201"}),
        ("reader", (), {"072", "07200", "07201"}),
        ("auditor", (), {"072", "07200", "07201"}),
        ("read_all_data", (), {"072", "07200", "07201"}),
    ],
)
def test_groups_of_readers_add_up(
    world: SealedWorld, name: str, more: tuple[str, ...], wanted: set[str]
) -> None:
    attacker = by_name(name)
    given = (*attacker.given, *(f"grant {group} to {{me}}" for group in more))
    attacker = replace(attacker, given=given)
    with made(world.admin, attacker), session(world.admin_url, attacker) as conn:
        assert agencies(conn, "current_attainment") == wanted
        if len(wanted) == 3:
            assert agencies(conn, "attainment") == wanted
        elif wanted:
            assert agencies(conn, "own_attainment") == wanted


def test_nobody_but_a_superuser_changes_anything() -> None:
    cells = matrix.committed()
    supers = {attacker.name for attacker in ATTACKERS if attacker.is_super}
    changing = [
        (line, who)
        for line, outcomes in cells.items()
        for who, outcome in outcomes.items()
        if outcome == FORBIDDEN and who not in supers
    ]
    assert changing == []
    assert len(ATTACKERS) - len(supers) >= 15
    assert len({(kind, operation) for kind, operation, _ in cells}) >= 60


def test_every_cell_is_as_committed(world: SealedWorld, objects: matrix.Objects) -> None:
    committed = matrix.committed()
    names = {
        attacker.name for attacker in ATTACKERS
        if IS_FULL or attacker.name in SLICE_OF_ATTACKERS
        if attacker.since <= world.admin.info.server_version
    }  # fmt: skip
    tried = objects if IS_FULL else matrix.only_tables(objects, SLICE_OF_TABLES)
    found = matrix.tried(world, names, tried)
    if world.admin.info.server_version < 180000:
        # the table is that of 18: in older ones some other hand refuses
        changing = {
            (line, who) for line, outcomes in found.items() for who, outcome in outcomes.items()
            if outcome == FORBIDDEN and who != "superuser"
        }  # fmt: skip
        assert changing <= BEFORE_16
        return
    assert wrong(found, committed) == []
    counted: Counter[str] = Counter(
        outcome for outcomes in found.values() for outcome in outcomes.values()
    )
    record(
        "Attack matrix",
        roles=len(names), operations=len({line[:2] for line in found}), cells=counted.total(),
        refused_by_grants=counted["denied"], refused_by_guards=counted["sealed"],
        other_refusals=counted["fails"], let_and_harmless=counted["done"],
        changed_by_a_superuser=counted[FORBIDDEN], changed_by_others=0,
    )  # fmt: skip


def wrong(found: Cells, committed: Cells) -> list[str]:
    return [
        f"{line}: {who} found {outcome}, committed {committed.get(line, {}).get(who)}"
        for line, outcomes in found.items()
        for who, outcome in outcomes.items()
        if committed.get(line, {}).get(who) != outcome
    ]


def test_the_table_notices_a_guard_that_is_gone(
    world: SealedWorld, objects: matrix.Objects
) -> None:
    """The naive twin: grants alone stop neither pg_write_all_data nor whoever was granted all."""
    tables = matrix.only_tables(objects, {"frozen.bundle_file"})
    with matrix.locks.hold(world.admin, "migrate"):
        world.admin.execute("alter table frozen.bundle_file disable trigger a_guard")
        world.admin.commit()
    try:
        found = matrix.tried(world, {"write_all_data", "grantee"}, tables)
    finally:
        with matrix.locks.hold(world.admin, "migrate"):
            world.admin.execute("select guard.protect()")
            world.admin.commit()
    changing = {
        (line[1], who)
        for line, outcomes in found.items()
        for who, outcome in outcomes.items()
        if outcome == FORBIDDEN
    }
    assert {
        ("delete", "write_all_data"),
        ("delete", "grantee"),
        ("truncate", "grantee"),
    } <= changing
