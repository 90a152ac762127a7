"""The situation of each runbook: how it is made, what is shown of it, and how it is mended."""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg

from chotso.ingest.night import extract_all
from chotso.warehouse.connect import connect
from chotso.watch.fault import TaskFailure
from chotso.watch.rounds import look_once
from tests.worlds.forger import forge
from tests.worlds.freeze_world import PERIODS
from tests.worlds.quarantine_world import DAY, QuarantineWorld
from tests.worlds.watched import (
    a_build_that_waits,
    leave_a_batch,
    leave_a_build,
    rename_column,
)

NEXT = DAY + timedelta(days=1)
SPRINT = PERIODS[0]
AWAY = "postgresql://nobody:x@127.0.0.1:1/none?connect_timeout=2"
Life = Iterator[None]
"""What happens to a world: made up to the first yield, mended up to the second, then put back."""


@dataclass
class Scene:
    """A world in an incident's situation, and what a person would type in.

    Attributes:
        world: The warehouse and its source.
        env: The variables of the person's shell.
        values: What stands in place of a page's examples.
        rows: What each query of the page must show, in their order; None where it may show nothing.
        exits: Exit statuses other than 0, by how the command begins.
    """

    world: QuarantineWorld
    env: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    rows: list[str | None] = field(default_factory=list)
    exits: dict[str, int] = field(default_factory=dict)


NOT_WELL = {"chotso status": 1}


def away(scene: Scene, variable: str, setting: str, value: str) -> Life:
    """A place that is gone while the night is tried."""
    before = scene.env[variable]
    scene.env[variable] = value
    if variable != "CHOTSO_WAREHOUSE_URL":
        extract_all(scene.world.settings.model_copy(update={setting: value}), DAY)
    yield
    scene.env[variable] = before
    yield
    scene.world.extract()


def warehouse_away(scene: Scene) -> Life:
    scene.exits = NOT_WELL
    yield from away(scene, "CHOTSO_WAREHOUSE_URL", "warehouse_url", AWAY)


def source_away(scene: Scene) -> Life:
    scene.exits = NOT_WELL
    scene.rows = ["Chứng từ thu", "failed"]
    yield from away(scene, "CHOTSO_SOURCE_URL", "source_url", AWAY)


def drop_folder_away(scene: Scene) -> Life:
    gone = str(scene.world.settings.home / "gone")
    scene.exits = NOT_WELL | {"ls -ld": 2}
    yield from away(scene, "CHOTSO_DROP_URL", "drop_url", gone)


def airflow_away(scene: Scene) -> Life:
    scene.exits = {"chotso freeze": 1}
    yield
    yield


def disk_nearly_full(scene: Scene) -> Life:
    scene.world.act("select pg_create_physical_replication_slot('chotso_backup', true)")
    scene.rows = ["marts_store", "chotso_backup", ""]
    yield
    yield
    assert not scene.world.rows("select from pg_replication_slots"), "the statement dropped it"


def clock_differs(scene: Scene) -> Life:
    scene.rows = ["server_now"]
    yield
    yield


def warehouse_restored(scene: Scene) -> Life:
    folder = max((Path(scene.world.settings.landing_url) / "agencies").iterdir())
    lost = folder / "agencies_20211101_987654"
    lost.mkdir()
    known = (scene.world.clock + timedelta(minutes=1)).isoformat()
    (lost / "manifest.json").write_text(f'{{"known_at": "{known}"}}', encoding="utf-8")
    scene.exits = NOT_WELL | {"chotso verify": 1}
    scene.rows = [DAY.isoformat(), None]
    yield
    scene.world.tick()
    yield
    (lost / "manifest.json").unlink()
    lost.rmdir()


def route_failed(scene: Scene) -> Life:
    routes = scene.world.settings.home / "routes"
    routes.write_text("desk json://127.0.0.1:1/\n", encoding="utf-8")
    routes.chmod(0o644)
    scene.env["CHOTSO_ALERT_ROUTES_FILE"] = str(routes)
    (scene.world.settings.home / "alerts.jsonl").touch()
    scene.exits = NOT_WELL
    yield
    yield
    del scene.env["CHOTSO_ALERT_ROUTES_FILE"]
    assert routes.stat().st_mode & 0o777 == 0o600


def night_not_begun(scene: Scene) -> Life:
    scene.world.tick(days=1, minutes=6)
    scene.values["2021-12-31"] = NEXT.isoformat()
    scene.rows = [DAY.isoformat()]
    yield
    yield
    (night,) = scene.world.rows("select * from ops.nights where business_date = %s", NEXT)
    assert (night["status"], night["build_status"]) == ("published", "exposed")


def night_not_ended(scene: Scene) -> Life:
    day = scene.world.rows("select max(business_date) as day from ops.batch")[0]["day"]
    scene.values["2021-12-31"] = day.isoformat()
    late = "started_at = started_at - interval '5 hours', first_build_id = null"
    scene.world.act(f"update ops.batch set {late} where business_date = %s", day)
    scene.exits = NOT_WELL
    scene.rows = ["published", "exposed"]
    yield
    scene.world.tick()
    yield


def task_failed(scene: Scene) -> Life:
    failure = TaskFailure("extract_plans", "land", DAY, "it failed", "clear it")
    look_once(scene.world.settings, failure)
    yield
    yield
    scene.world.act("truncate ops.incident, ops.incident_notice")


def landing_failed(scene: Scene) -> Life:
    bad = scene.world.settings.model_copy(update={"source_url": AWAY})
    extract_all(bad, DAY)
    scene.world.act("update ops.batch set started_at = started_at - interval '10 minutes'")
    scene.exits = NOT_WELL
    scene.rows = ["does not answer"]
    yield
    yield
    scene.world.extract()


def extract_hangs(scene: Scene) -> Life:
    leave_a_batch(scene.world)
    scene.rows = ["payments_20211101_999999"]
    yield
    yield
    left = "select status from ops.batch where batch_id = 'payments_20211101_999999'"
    assert scene.world.rows(left) == [{"status": "failed"}], "as the page says"


def batch_blocked(scene: Scene) -> Life:
    world = scene.world
    world.source("create table kept_assignments as table tst.phan_cong")
    world.source("delete from tst.phan_cong")
    rename_column(world, "tien_goc", "tien_khac")
    extract_all(world.settings, DAY)
    scene.rows = ["assignments", "tien_goc"]
    yield
    rename_column(world, "tien_khac", "tien_goc")
    world.source("insert into tst.phan_cong table kept_assignments")
    world.source("drop table kept_assignments")
    yield
    world.extract()


def file_refused(scene: Scene) -> Life:
    path = scene.world.warehouse.drop / "C12_202110_20211101T230000.xlsx"
    path.write_bytes(b"no workbook")
    stray = scene.world.warehouse.drop / "ghi-chu.txt"
    stray.write_bytes(b"whose?")
    extract_all(scene.world.settings, DAY)
    (batch,) = scene.world.rows(
        "select batch_id from ops.batch where delivery_name = %s", path.name
    )
    scene.values["c12_20211231_000412"] = str(batch["batch_id"])
    scene.rows = [path.name, stray.name]
    yield
    stray.unlink()
    yield
    path.unlink()


def register_rows_missing(scene: Scene) -> Life:
    world = scene.world
    world.insert("can_bo", ma_can_bo="CB002", ho_ten="Cán bộ thử", ma_co_quan="07201",
                 ngay_sua=world.clock)  # fmt: skip
    world.tick()
    world.extract("registers")
    with psycopg.connect(world.warehouse.source_admin_url) as conn:
        conn.execute("delete from tst.can_bo where ma_can_bo = 'CB002'")
    world.tick()
    extract_all(world.settings, DAY)
    scene.values["CB001"] = "CB002"
    yield
    yield
    assert not world.rows("select from ops.missing_row where status = 'missing'")


def control_totals_differ(scene: Scene) -> Life:
    with psycopg.connect(scene.world.warehouse.source_admin_url) as conn:
        conn.execute("update tst.doi_soat set so_dong = so_dong + 1 where bang = 'chung_tu'")
    extract_all(scene.world.settings, DAY)
    scene.rows = ["different", None]
    yield
    scene.world.source("select 1")
    yield


def build_failed(scene: Scene) -> Life:
    leave_a_build(scene.world)
    scene.world.act(
        "update ops.build set status = 'failed', reason = 'model fct_plan_target: x', "
        "finished_at = clock_timestamp() where status = 'running'"
    )
    scene.rows = ["model fct_plan_target: x"]
    yield
    yield


def build_hangs(scene: Scene) -> Life:
    leave_a_build(scene.world)
    scene.rows = ["running", "=Lock"]
    yield from a_lock(scene)


def lock_waited_for(scene: Scene) -> Life:
    scene.rows = ["pg_dump", None, "True"]
    yield from a_lock(scene)


def a_lock(scene: Scene) -> Life:
    url = scene.world.warehouse.admin_url
    with (
        closing(psycopg.connect(url, application_name="pg_dump")) as holder,
        a_build_that_waits(scene.world, holder) as waiter,
    ):
        scene.values["12345"] = str(holder.info.backend_pid)
        waiting = "select from pg_stat_activity where wait_event_type = 'Lock'"
        for _ in range(300):
            if scene.world.rows(waiting):
                break
            time.sleep(0.1)
        yield
        yield
        waiter.kill()


def quarantine(scene: Scene) -> Life:
    (row,) = scene.world.rows("select id from quarantine.row where status = 'open'")
    scene.values["17"] = str(row["id"])
    folder = scene.world.settings.home / "rows-set-aside"
    scene.values["/tmp/rows-set-aside"] = shlex.quote(str(folder))
    scene.exits = {"chotso quarantine replay": 1}  # the row stays open
    yield
    yield


def quarantine_money(scene: Scene) -> Life:
    scene.rows = ["Quá trình tham gia"]
    yield from quarantine(scene)


def watch_silent(scene: Scene) -> Life:
    looked = scene.world.settings.home / "watch" / "looked"
    looked.parent.mkdir(exist_ok=True)
    looked.touch()
    os.utime(looked, (0, 0))
    yield
    yield
    assert looked.stat().st_mtime > time.time() - 600, "it looked"


def freeze_would_fail(scene: Scene) -> Life:
    scene.world.act("revoke select on frozen.release from chotso_auditor")
    yield
    yield


def as_it_is(scene: Scene) -> Life:
    """A period that is sealed, and its release."""
    scene.rows = ["sealed", SPRINT]
    yield
    yield


def releases_unchecked(scene: Scene) -> Life:
    anchors = scene.world.settings.home / "anchors"
    scene.env["CHOTSO_ANCHOR_FILE"] = str(anchors)
    scene.exits = {'chotso verify "': 1}
    yield
    anchors.write_text(f"{SPRINT} {root_of(scene)}\n", encoding="utf-8")
    yield


def release_differs(scene: Scene) -> Life:
    anchors = scene.world.settings.home / "anchors"
    anchors.write_text(f"{SPRINT} {root_of(scene)}\n", encoding="utf-8")
    scene.env["CHOTSO_ANCHOR_FILE"] = str(anchors)
    # unanchored; --deep wants the archive that this release was not made from
    # (tests/release/test_verify_deep_command.py)
    scene.exits = {'chotso verify "': 1, "python3 -I": 1}
    where = "where metric_code = 'collection_total'"
    forge(scene.world.settings, f"update frozen.attainment set is_met = true {where}")
    yield
    forge(scene.world.settings, f"update frozen.attainment set is_met = null {where}")
    yield


def root_of(scene: Scene) -> str:
    with connect(scene.world.settings) as conn:
        row = conn.execute("select root_sha256 from frozen.release").fetchone()
    assert row is not None
    return str(row[0])


SEALED: dict[str, Callable[[Scene], Life]] = {
    "freeze-due": as_it_is,
    "releases-unchecked": releases_unchecked,
    "release-differs": release_differs,
}
"""Pages whose commands want a sealed release."""
NIGHTS: dict[str, Callable[[Scene], Life]] = {
    "quarantine-money": quarantine_money,
    "quarantine-old": quarantine,
    "warehouse-away": warehouse_away,
    "source-away": source_away,
    "drop-folder-away": drop_folder_away,
    "airflow-away": airflow_away,
    "disk-nearly-full": disk_nearly_full,
    "clock-differs": clock_differs,
    "warehouse-restored": warehouse_restored,
    "route-failed": route_failed,
    "task-failed": task_failed,
    "landing-failed": landing_failed,
    "extract-hangs": extract_hangs,
    "batch-blocked": batch_blocked,
    "file-refused": file_refused,
    "register-rows-missing": register_rows_missing,
    "control-totals-differ": control_totals_differ,
    "build-failed": build_failed,
    "build-hangs": build_hangs,
    "lock-waited-for": lock_waited_for,
    "watch-silent": watch_silent,
    "freeze-would-fail": freeze_would_fail,
    "night-not-ended": night_not_ended,
    "night-not-begun": night_not_begun,
}
"""Pages whose commands want a night; money first, as waiving ends it; the next night last."""
