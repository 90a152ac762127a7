"""`chotso_operator` reads views of the ledger alone; they say what `chotso status` says."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_group
from chotso.ingest.rules import register
from chotso.sandbox.server import SandboxServer
from chotso.status import Status, status_of
from chotso.warehouse import locks
from chotso.watch.rounds import look_once
from tests.worlds.quarantine_world import (
    DAY,
    NAME,
    SHORT_NUMBER,
    QuarantineWorld,
    account,
    quarantine_world,
)

pytestmark = pytest.mark.warehouse

VIEWS = {"status_label", "builds", "nights", "rule_outcomes", "control_total_report",
         "source_clock", "freshness", "next_cutoffs", "disk_use", "incidents",
         "build_nodes"}  # fmt: skip
PERIOD = "sprint-2021-q4"
SEALED = (
    "insert into frozen.release select %s, %s, 'original', null, true, now(), now(), "
    "repeat('a', 64), null, repeat('b', 64), now(), '1', 'sealed'"
)


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A night with a row set aside, a file refused, and a build."""
    with quarantine_world(running, "operators", tmp_path_factory.mktemp("operators") / "w") as made:
        made.payment("A1", 5_000_000)
        made.line("A1", 1, 5_000_000)
        made.spell(1, SHORT_NUMBER)
        made.accounts({"07201": [account("TA0001A", 7_000_000)]})
        made.extract()
        run_build(made.settings)
        (made.warehouse.drop / "C12_202110_20211101T210000.xlsx").write_bytes(b"no workbook")
        assert extract_group(made.settings, "c12", DAY).stopped
        look_once(made.settings)
        yield made


@pytest.fixture(scope="module")
def status(world: QuarantineWorld) -> Status:
    return status_of(world.settings)


def read(world: QuarantineWorld, query: str) -> list[dict[str, Any]]:
    """What a session that is the operator's alone reads."""
    with psycopg.connect(world.warehouse.admin_url, row_factory=psycopg.rows.dict_row) as conn:
        conn.execute("set role chotso_operator")
        return conn.execute(query.encode()).fetchall()


def test_an_operator_reads_these_views_and_nothing_else(world: QuarantineWorld) -> None:
    relations = world.rows(
        "select nspname as schema, relname as name, has_schema_privilege('chotso_operator', "
        "schema.oid, 'usage') and has_any_column_privilege('chotso_operator', class.oid, 'select') "
        "as is_read from pg_class as class inner join pg_namespace as schema "
        "on schema.oid = relnamespace where relkind in ('r', 'p', 'v', 'm', 'f') "
        "and nspname !~ '^(pg_.*|information_schema)$'"
    )
    found = {(row["schema"], row["name"]) for row in relations if row["is_read"]}
    assert found == {("ops", name) for name in VIEWS}
    for name in VIEWS:
        assert read(world, f"select * from ops.{name}"), name
    held = world.rows(
        "select privilege_type from pg_class, aclexplode(relacl) "
        "where grantee = 'chotso_operator'::regrole"
    )
    assert {row["privilege_type"] for row in held} == {"SELECT"}


def test_no_view_has_a_row_its_key_or_a_person(world: QuarantineWorld) -> None:
    shown = str([read(world, f"select * from ops.{name}") for name in sorted(VIEWS)])
    for secret in (NAME, SHORT_NUMBER, "TA0001A", ".xlsx", "Nguyễn"):
        assert secret not in shown
    columns = world.rows(
        "select attname::text as name from pg_attribute where attnum > 0 and attrelid = any("
        "select ('ops.' || name)::regclass from unnest(array['nights', 'builds', 'freshness', "
        "'next_cutoffs', 'disk_use', 'rule_outcomes', 'control_total_report']) as name)"
    )
    assert {"row_key", "reason", "detail", "delivery_name"}.isdisjoint(c["name"] for c in columns)


def test_a_night_is_what_status_says(world: QuarantineWorld, status: Status) -> None:
    (night,) = read(world, "select * from ops.nights")
    assert night["business_date"] == DAY
    assert night["feeds"] == len(status.feeds)
    for name in ("batches", "rows_delivered", "rows_quarantined", "money_delivered"):
        assert night[name] == sum(feed[name] or 0 for feed in status.feeds), name
    assert night["rows_quarantined"] == status.quarantine["rows"] == 1
    assert night["batches_stopped"] == len(status.stopped) == 1
    assert (night["status"], night["build_status"]) == ("stopped", "exposed")
    assert (night["status_vi"], night["build_status_vi"]) == ("Có lô bị dừng", "Đã hiển thị")
    passed = (night["ended_at"] - night["started_at"]).total_seconds()
    assert 0 < night["duration_seconds"] <= passed + 1


def test_the_build_is_the_one_that_readers_see(world: QuarantineWorld, status: Status) -> None:
    (build,) = read(world, "select * from ops.builds where exposed_at is not null")
    assert status.exposed is not None
    assert build["build_id"] == status.exposed["build_id"]
    assert (build["kind"], build["status"]) == ("night", "exposed")
    world.act(
        "insert into ops.build (business_date, as_known_at, target_schema, config, config_sha256, "
        "code_version, status) select '2021-11-01', now(), schema, '{}', '', '', 'running' "
        "from unnest(array['scratch_x', 'freeze_x']) as schema"
    )
    world.act(
        'insert into ops."freeze" (release_id, period_id, is_rehearsal, state, cutoff_at, '
        "business_date, target_schema) values ('r', 'r', true, 'started', now(), '2021-11-01', "
        "'freeze_x')"
    )
    kinds = read(world, "select kind, kind_vi from ops.builds where status = 'running' order by 1")
    assert [tuple(row.values()) for row in kinds] == [
        ("rehearsal", "Bản dựng diễn tập"), ("scratch", "Bản dựng nháp"),
    ]  # fmt: skip


def test_control_totals_are_those_of_status(world: QuarantineWorld, status: Status) -> None:
    compared = read(world, "select * from ops.control_total_report where is_newest")
    found: dict[str, int] = {}
    for row in compared:
        found[row["status"]] = found.get(row["status"], 0) + 1
    assert found == status.control_totals != {}
    assert all((row["difference_rows"], row["difference_money"]) == (0, 0) for row in compared)
    world.act(
        "insert into ops.control_total (checked_batch_id, feed, month, known_at, source_rows, "
        "source_money, warehouse_rows, warehouse_money, status) select batch_id, feed, "
        "'2021-11-01', now(), 5, 70, 3, 40, 'different' from ops.batch where feed = 'payments'"
    )
    (other,) = read(world, "select * from ops.control_total_report where status = 'different'")
    assert (other["difference_rows"], other["difference_money"]) == (2, 30)
    assert (other["feed_vi"], other["status_vi"]) == ("Chứng từ thu", "Lệch")


def test_rules_are_told_in_their_own_words(world: QuarantineWorld, status: Status) -> None:
    (broken,) = read(world, "select * from ops.rule_outcomes where status = 'set_aside'")
    (rule,) = (each for each in register() if each.id == broken["rule_id"])
    told = ("sentence_vi", "sentence_en", "severity", "next_action_vi", "next_action_en")
    assert {name: broken[name] for name in told} == {name: getattr(rule, name) for name in told}
    assert (broken["feed"], broken["feed_vi"]) == ("participations", "Quá trình tham gia")
    assert broken["failed_rows"] == status.quarantine["rows"]
    everything = read(world, "select * from ops.rule_outcomes where status = 'passed'")
    assert everything
    assert all(row["sentence_vi"] and row["feed_en"] for row in everything)


def test_freshness_goes_by_the_source_s_clock(world: QuarantineWorld, status: Status) -> None:
    fresh = {row["feed"]: row for row in read(world, "select * from ops.freshness")}
    known = {feed["feed"]: feed["known_at"] for feed in status.feeds}
    assert {name: row["known_at"] for name, row in fresh.items() if row["known_at"]} == known
    assert fresh["payments"]["status"] == "fresh"
    assert fresh["payments"]["age_hours"] < 1
    assert fresh["c12"]["status"] == "irregular"
    with psycopg.connect(world.warehouse.admin_url) as conn:
        query = "select status from ops.freshness where feed = 'payments'"
        for hours, wanted in ((37, "late"), (73, "stale")):
            conn.execute(
                "update ops.batch set started_at = clock_timestamp() - make_interval(hours => %s)",
                [hours],
            )
            assert conn.execute(query).fetchone() == (wanted,)
            conn.rollback()
        conn.execute("update ops.batch set status = 'failed' where feed = 'payments'")
        assert conn.execute(query).fetchone() == ("never",)
        conn.rollback()


def test_cutoffs_are_in_the_state_that_status_says(world: QuarantineWorld, status: Status) -> None:
    shown = {row["period_id"]: row for row in read(world, "select * from ops.next_cutoffs")}
    assert {name: row["cutoff_at"] for name, row in shown.items()} == {
        cutoff["period_id"]: cutoff["cutoff_at"] for cutoff in status.cutoffs
    }
    assert {cutoff["state"] for cutoff in status.cutoffs} == {"not due by what is known"}
    assert {row["state"] for row in shown.values()} == {"not_due"}
    assert {row["days_left"] for row in shown.values()} == {59}  # from 2 November on
    with psycopg.connect(world.warehouse.admin_url) as conn:
        query = "select state, days_left, release_id from ops.next_cutoffs where period_id = %s"
        conn.execute("update ops.batch set known_at = '2021-12-31T10:00:00Z'")
        assert conn.execute(query, [PERIOD]).fetchone() == ("due", 0, None)
        with locks.hold(conn, "migrate"):
            conn.execute(SEALED, [PERIOD, PERIOD])
            assert conn.execute(query, [PERIOD]).fetchone() == ("sealed", None, PERIOD)
            conn.rollback()


def test_the_disk_is_told_by_schema(world: QuarantineWorld) -> None:
    used = {row["schema_name"]: row for row in read(world, "select * from ops.disk_use")}
    assert {"raw", "ops", "quarantine", "frozen", "marts_store", "marts_build"} <= used.keys()
    total = {row["database_bytes"] for row in used.values()}
    assert len(total) == 1
    assert 0 < sum(row["bytes"] for row in used.values()) <= total.pop()


def test_views_and_columns_are_described_in_both_languages(world: QuarantineWorld) -> None:
    told = world.rows(
        "select class.relname as view, obj_description(class.oid, 'pg_class') as said, "
        "field.attname as name, col_description(class.oid, field.attnum) as told "
        "from pg_class as class inner join pg_attribute as field on field.attrelid = class.oid "
        "where class.relnamespace = 'ops'::regnamespace and class.relkind = 'v' "
        "and field.attnum > 0"
    )
    assert {row["view"] for row in told} == VIEWS
    for row in told:
        assert " — " in str(row["said"]), row
        assert " — " in str(row["told"]), row
