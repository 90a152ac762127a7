"""The freeze on a real PostgreSQL: what is sealed, once, and what stands in the way of it."""

import csv
import dataclasses
import functools
import hashlib
import io
import shutil
import subprocess
import sys
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import psycopg
import pypdfium2
import pytest

from chotso.errors import ChotsoError
from chotso.registers import load_registers
from chotso.release.bundle.inputs import MadeBy, made_by
from chotso.release.data.tables import FROZEN
from chotso.release.seal.freeze import freeze
from chotso.release.seal.parts import PeriodToFreeze
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.verifier.verify import verify
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import (
    CUTOFF,
    PARTS,
    PERIODS,
    as_admin,
    count,
    manifest,
    past_the_guards,
    seal,
)
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse]

SPRINT, PLAN = PERIODS
ALL_BUT_PAYMENTS = [feed for feed in world.FEEDS if feed != "payments"]


@pytest.fixture
def warehouse(made: Product, tmp_path: Path) -> Product:
    return dataclasses.replace(made, settings=world.fresh(made, tmp_path / "releases"))


@pytest.fixture
def settings(warehouse: Product) -> Settings:
    return warehouse.settings


def test_a_release_is_sealed_and_its_bundle_verifies(settings: Settings) -> None:
    report = seal(settings)
    assert (report.release_id, report.already_sealed) == (SPRINT, False)
    assert report.bundle == settings.releases_dir / SPRINT
    assert verify(report.bundle, report.root_sha256).status == "verified"
    assert verify(settings.releases_dir, report.root_sha256).status == "verified"
    row = as_row(settings, "select * from frozen.current_release")
    assert row["root_sha256"] == report.root_sha256
    assert (row["kind"], row["status"], row["is_current"]) == ("original", "sealed", True)
    assert (row["cutoff_at"], row["as_known_at"]) == (CUTOFF, CUTOFF)
    assert (row["previous_root"], row["sealed_at"]) == (None, CUTOFF)
    assert row["data_root"] == manifest(report)["data_root"]
    assert as_row(settings, "select state, attempt_count, reason from ops.freeze") == {
        "state": "placed",
        "attempt_count": 1,
        "reason": None,
    }


def test_the_bundle_carries_its_own_verifier(settings: Settings) -> None:
    report = seal(settings)
    done = subprocess.run(
        [sys.executable, "-I", report.bundle / "verify.py", "--anchor", report.root_sha256],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_frozen_tables_hold_every_row_that_the_bundle_holds(settings: Settings) -> None:
    report = seal(settings)
    counts = {
        "attainment": 3 * 12 * len(load_registers().metrics.metrics),
        "arrears_ratio": 3 * 12 * 2,
        "employer_arrears": 4 * 12,
        "officer_attainment": 12 * 3,
        "ranking": 1,
    }
    assert counts.keys() == {spec.name for spec in FROZEN}
    for table, rows in counts.items():
        text = (report.bundle / f"data/{table}.csv").read_text("utf-8")
        records = list(csv.DictReader(io.StringIO(text)))
        with as_admin(settings) as conn, conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            stored = cursor.execute(f"select * from frozen.{table}").fetchall()
        assert len(records) == len(stored) == rows
        assert {row.pop("release_id") for row in stored} == {SPRINT}
        assert sorted(map(as_text, stored)) == sorted(
            tuple(sorted((name, value) for name, value in record.items())) for record in records
        )


RATIOS = ("ratio", "attainment_ratio", "months_owed_count", "total_points", "full_points")


def as_text(row: dict[str, object]) -> tuple[tuple[str, str], ...]:
    """A database row as its canonical fields, by the reader's own hand."""
    fields = {}
    for name, value in row.items():
        if value is None:
            fields[name] = r"\N"
        elif isinstance(value, bool):
            fields[name] = str(value).lower()
        elif isinstance(value, datetime):
            fields[name] = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        elif name in RATIOS or (
            row.get("kind_code") == "ratio"
            and name
            in ("actual_month", "actual_to_date", "plan_in_force", "plan_original", "plan_final")
        ):
            fields[name] = f"{value:.9f}"
        else:
            fields[name] = str(value)
    return tuple(sorted(fields.items()))


def test_names_are_the_release_s_own_and_in_nfc(settings: Settings) -> None:
    report = seal(settings)
    lines = (report.bundle / "data/attainment.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("agency_code,agency_name,parent_agency_code,parent_agency_name,")
    office = [line for line in lines if line.startswith("07200,")]
    assert office[0].startswith('07200,"Văn phòng, BHXH tỉnh",072,Tây Ninh,2021-01-01,arrears')
    with as_admin(settings) as conn:
        names = conn.execute("select distinct agency_name from frozen.current_attainment")
        assert {row[0] for row in names} == {"Tây Ninh", "Văn phòng, BHXH tỉnh", 'Tân "Biên"'}


def test_a_person_s_name_is_no_employer_s_name_in_a_release(settings: Settings) -> None:
    withheld = dataclasses.replace(
        PARTS, period=lambda period_id: PeriodToFreeze(period_id, CUTOFF, ("DL",))
    )
    report = freeze(settings, SPRINT, parts=withheld)
    with (report.bundle / "data/employer_arrears.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    named = {(row["employer_code"], row["employer_name"], row["is_name_withheld"]) for row in rows}
    assert named == {
        ("TA0001A", "Công ty Giả định 1", "false"),
        ("DL00001", r"\N", "true"),
        ("TA0072A", "Công ty Giả định 2", "false"),
        ("TA0201A", "Công ty Giả định 3", "false"),
    }
    everything = b"".join(path.read_bytes() for path in report.bundle.rglob("*") if path.is_file())
    assert "Người thu".encode() not in everything


def test_a_release_holds_the_ranking_of_its_own_period(settings: Settings) -> None:
    for period in (SPRINT, PLAN):
        report = seal(settings, period)
        for name in ("ranking", "ranking_points"):
            lines = (report.bundle / f"data/{name}.csv").read_text("utf-8").splitlines()
            assert len(lines) == 2


def test_a_sealed_period_is_shown_and_not_changed(settings: Settings) -> None:
    first = seal(settings)
    before = digest(settings)
    parts = dataclasses.replace(PARTS, build=must_not_run, final_extract=must_not_run)
    again = freeze(settings, SPRINT, parts=parts)
    assert again == dataclasses.replace(first, already_sealed=True)
    assert digest(settings) == before


def must_not_run(*arguments: object, **named: object) -> NoReturn:
    raise AssertionError("a sealed period is neither extracted nor built again")


def test_nothing_is_sealed_before_the_cutoff(warehouse: Product) -> None:
    world.set_clock(warehouse.source_admin_url, CUTOFF - timedelta(hours=1, microseconds=1))
    with pytest.raises(ChotsoError, match=r"has not come: by the source's clock 1:00:00 are left"):
        seal(warehouse.settings)
    assert count(warehouse.settings, "select count(*) from ops.freeze") == 0
    assert count(warehouse.settings, "select count(*) from frozen.release") == 0
    assert not warehouse.settings.releases_dir.exists()


def test_the_cutoff_itself_is_late_enough(warehouse: Product) -> None:
    world.set_clock(warehouse.source_admin_url, CUTOFF)
    assert seal(warehouse.settings).release_id == SPRINT


def test_the_second_period_follows_the_first_in_the_chain(settings: Settings) -> None:
    first, second = seal(settings, SPRINT), seal(settings, PLAN)
    assert manifest(second)["previous_root"] == first.root_sha256
    assert verify(settings.releases_dir, second.root_sha256).status == "verified"
    assert verify(settings.releases_dir, first.root_sha256).status == "failed"


def test_a_feed_that_was_not_extracted_at_the_cutoff_stops_the_seal(settings: Settings) -> None:
    half = functools.partial(world.final_extract, feeds=ALL_BUT_PAYMENTS)
    parts = dataclasses.replace(PARTS, final_extract=half)
    with pytest.raises(ChotsoError, match=r"Not extracted at or after .*: payments\."):
        freeze(settings, SPRINT, parts=parts)
    assert count(settings, "select count(*) from frozen.release") == 0
    row = as_row(settings, "select state, as_known_at, reason from ops.freeze")
    assert (row["state"], row["as_known_at"]) == ("started", None)
    assert "payments was blocked" in str(row["reason"])
    assert seal(settings).already_sealed is False


def test_the_instant_of_the_final_extract_is_kept_by_every_retry(warehouse: Product) -> None:
    def fail(*arguments: object, **named: object) -> object:
        raise ChotsoError("The build failed.", next_step="mend it.")

    with pytest.raises(ChotsoError, match="The build failed"):
        freeze(warehouse.settings, SPRINT, parts=dataclasses.replace(PARTS, build=fail))
    world.set_clock(warehouse.source_admin_url, CUTOFF + timedelta(hours=3))
    assert manifest(seal(warehouse.settings))["as_known_at"] == "2021-12-31T10:00:00.000000Z"
    row = as_row(warehouse.settings, "select sealed_at from frozen.release")
    assert row["sealed_at"] == CUTOFF + timedelta(hours=3)


@pytest.mark.parametrize("code", ["the same", "other"])
def test_a_retry_takes_up_the_build_only_of_the_same_code(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def stop(*arguments: object) -> object:
        raise ChotsoError("The disk is full.", next_step="make room.")

    with monkeypatch.context() as broken:
        broken.setattr("chotso.release.seal.staging.write_bundle", stop)
        with pytest.raises(ChotsoError, match="disk is full"):
            seal(settings)
    parts = dataclasses.replace(PARTS, build=must_not_run)
    if code == "the same":
        assert freeze(settings, SPRINT, parts=parts).release_id == SPRINT
        return
    parts = dataclasses.replace(parts, made_by=other_code)
    with pytest.raises(AssertionError, match="neither extracted nor built again"):
        freeze(settings, SPRINT, parts=parts)


def test_a_cutoff_that_moves_after_the_final_extract_stops_the_seal(settings: Settings) -> None:
    def fail(*arguments: object, **named: object) -> NoReturn:
        raise ChotsoError("The build failed.", next_step="mend it.")

    with pytest.raises(ChotsoError, match="The build failed"):
        freeze(settings, SPRINT, parts=dataclasses.replace(PARTS, build=fail))
    earlier = PeriodToFreeze(SPRINT, CUTOFF - timedelta(hours=1))
    with pytest.raises(ChotsoError, match="restore the cutoff"):
        freeze(settings, SPRINT, parts=dataclasses.replace(PARTS, period=lambda _: earlier))
    assert seal(settings).already_sealed is False


@pytest.mark.parametrize("sealed", [False, True])
def test_a_releases_folder_that_cannot_be_written(settings: Settings, sealed: bool) -> None:
    if sealed:
        shutil.rmtree(seal(settings).bundle)
        settings.releases_dir.rmdir()
    settings.releases_dir.write_bytes(b"in the way")
    with pytest.raises(ChotsoError, match="cannot be written: File exists") as error:
        seal(settings)
    assert "CHOTSO_RELEASES_DIR" in error.value.next_step
    settings.releases_dir.unlink()
    assert seal(settings).already_sealed is sealed


def other_code() -> MadeBy:
    return dataclasses.replace(world.made_by(), code_sha256="c" * 64)


def test_configuration_that_changes_during_the_build_stops_the_seal(settings: Settings) -> None:
    answers = iter([world.made_by(), other_code()])
    parts = dataclasses.replace(PARTS, made_by=lambda: next(answers))
    with pytest.raises(ChotsoError, match="configuration changed while"):
        freeze(settings, SPRINT, parts=parts)
    assert seal(settings).already_sealed is False


def test_the_manifest_says_what_the_release_was_made_from(settings: Settings) -> None:
    content = manifest(seal(settings))
    with world.connect(settings) as conn:  # read again, and nothing new came
        world.insert_batch(conn, "payments", date(2021, 12, 31), CUTOFF, None, rows_changed=0)
    inputs = content["inputs"]
    assert isinstance(inputs, list)
    assert [(each["feed"], each["business_date"]) for each in inputs] == [
        (feed, day) for day in ("2021-12-30", "2021-12-31") for feed in world.FEEDS
    ]
    assert inputs[len(world.FEEDS)] == {
        "feed": "agencies", "business_date": "2021-12-31", "delivery_name": "KE_HOACH_Tây.xlsx",
        "known_at": "2021-12-31T10:00:00.000000Z", "sha256": ("agencies" * 64)[:64],
        "delivery_sha256": None, "rows_delivered": 2, "money_delivered": "5",
    }  # fmt: skip
    assert content["final_extract"] == [
        {"business_date": "2021-12-31", "feed": feed, "known_at": "2021-12-31T10:00:00.000000Z"}
        for feed in world.FEEDS
    ]
    periods = world.made_by().configuration["config/periods.yml"]
    hashed = hashlib.sha256(periods).hexdigest()
    assert content["configuration"] == [{"path": "config/periods.yml", "sha256": hashed}]
    assert content["code"] == {"version": "0.1.0+abc", "sha256": "a" * 64}
    assert content["lock_sha256"] == "b" * 64
    assert (settings.releases_dir / SPRINT / "config/periods.yml").read_bytes() == periods


def test_the_real_code_configuration_and_rules_are_found() -> None:
    made = made_by()
    assert {"config/periods.yml", "config/feeds/payments.yml"} <= set(made.configuration)
    assert made.manifest_part()["code"]["sha256"] in made.code_sha256
    assert len(made.sha256()) == len(made.lock_sha256) == 64


def test_no_place_host_batch_or_wall_clock_stands_in_the_bundle(settings: Settings) -> None:
    report = seal(settings)
    with as_admin(settings) as conn:
        batches = [row[0] for row in conn.execute("select batch_id from ops.batch")]
    forbidden = [*batches, str(settings.home), str(settings.releases_dir), "127.0.0.1",
                 settings.warehouse_url.rpartition("/")[2], time.strftime("%Y-%m-%dT")]  # fmt: skip
    for path in report.bundle.rglob("*"):
        if path.is_file() and path.name not in ("verify.py", "SPEC.md"):
            text = text_of(path)
            assert not [each for each in forbidden if each in text], path


def text_of(path: Path) -> str:
    """All that a file says: a workbook's parts, a document's raw bytes, texts and properties."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as parts:
            return "".join(parts.read(name).decode("utf-8") for name in parts.namelist())
    if path.suffix == ".pdf":
        document = pypdfium2.PdfDocument(path)
        pages = [page.get_textpage().get_text_range() for page in document]
        raw = path.read_bytes().decode("latin-1")
        return "".join(pages) + str(document.get_metadata_dict()) + raw
    return path.read_text("utf-8")


def test_a_column_that_the_release_would_lose_stops_the_seal(settings: Settings) -> None:
    def wider(settings: Settings, **named: object) -> object:
        world.build(settings, **named)  # type: ignore[arg-type]
        with world.connect(settings) as conn:
            conn.execute(f"alter table {named['schema']}.fct_arrears_ratio add column more text")
        return None

    with pytest.raises(ChotsoError, match=r"fct_arrears_ratio has columns .* lose: more"):
        freeze(settings, SPRINT, parts=dataclasses.replace(PARTS, build=wider))
    assert count(settings, "select count(*) from frozen.release") == 0


def test_a_build_without_figures_is_not_sealed(settings: Settings) -> None:
    def empty(settings: Settings, **named: object) -> object:
        world.build(settings, **named)  # type: ignore[arg-type]
        with world.connect(settings) as conn:
            conn.execute(f"delete from {named['schema']}.fct_monthly_attainment")
        return None

    with pytest.raises(ChotsoError, match="no rows in fct_monthly_attainment"):
        freeze(settings, SPRINT, parts=dataclasses.replace(PARTS, build=empty))


def test_the_same_figures_give_the_same_root_elsewhere(
    running: SandboxServer, settings: Settings, tmp_path: Path
) -> None:
    here = seal(settings)
    with product(running, f"other_{time.monotonic_ns()}", tmp_path / "other folder") as other:
        world.prepare(other.settings, other.source_admin_url)
        with psycopg.connect(other.admin_url, autocommit=True) as conn:
            name = conn.info.dbname
            conn.execute(f"alter database {name} set timezone = 'America/St_Johns'")
            conn.execute(f"alter database {name} set datestyle = 'German'")
        child = world.run_elsewhere(other.settings, TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8",
                                PYTHONHASHSEED="7")  # fmt: skip
        out, err = child.communicate(timeout=120)
    assert out.strip() == here.root_sha256, err


def test_other_figures_give_another_root(
    running: SandboxServer, settings: Settings, tmp_path: Path
) -> None:
    def more(settings: Settings, **named: object) -> object:
        return world.build(settings, **named, collected=4_500_000_000_001)  # type: ignore[arg-type]

    here = seal(settings)
    with product(running, f"other_{time.monotonic_ns()}", tmp_path / "other") as other:
        world.prepare(other.settings, other.source_admin_url)
        there = freeze(other.settings, SPRINT, parts=dataclasses.replace(PARTS, build=more))
    assert there.root_sha256 != here.root_sha256


# --- a lost or damaged bundle


def test_a_lost_bundle_is_restored_to_the_byte(settings: Settings) -> None:
    report = seal(settings)
    before = files(report.bundle)
    shutil.rmtree(report.bundle)
    assert seal(settings).already_sealed
    assert files(report.bundle) == before
    assert verify(report.bundle, report.root_sha256).status == "verified"


def test_a_damaged_bundle_is_set_aside_and_restored_with_what_stood_beside_it(
    settings: Settings,
) -> None:
    report = seal(settings)
    (report.bundle / "certifications").mkdir()
    (report.bundle / "certifications" / "a.json").write_bytes(b"{}")
    (report.bundle / "signature.pdf").write_bytes(b"signed")
    damaged = report.bundle / "data/attainment.csv"
    damaged.write_bytes(damaged.read_bytes().replace(b"072,T", b"072,X"))
    seal(settings)
    assert (report.bundle / "signature.pdf").read_bytes() == b"signed"
    aside = settings.releases_dir / f".damaged-{SPRINT}-1"
    assert b"072,X" in (aside / "data/attainment.csv").read_bytes()
    # What a person laid beside it is carried over, judged by `verify`, and no damage of the bundle.
    found = verify(settings.releases_dir, report.root_sha256)
    assert [(each.code, each.path) for each in found.findings] == [
        ("certification", f"{SPRINT}/certifications/a.json")
    ]
    seal(settings)
    assert not (settings.releases_dir / f".damaged-{SPRINT}-2").exists()
    (report.bundle / "certifications" / "a.json").unlink()
    assert verify(settings.releases_dir, report.root_sha256).status == "verified"


def test_a_warehouse_copy_that_was_changed_is_never_put_in_place(settings: Settings) -> None:
    report = seal(settings)
    with past_the_guards(settings) as conn:
        conn.execute(
            "update frozen.bundle_file set content = content || '\\x00' where path = 'SPEC.md'"
        )
    assert seal(settings).already_sealed  # the folder is sound: nothing is restored
    shutil.rmtree(report.bundle)
    with pytest.raises(ChotsoError, match="so is the warehouse's copy"):
        seal(settings)
    assert not report.bundle.exists()


def test_a_warehouse_copy_that_names_files_outside_is_refused(settings: Settings) -> None:
    report = seal(settings)
    with past_the_guards(settings) as conn:
        conn.execute(
            "insert into frozen.bundle_file values (%s, '../../planted', '')", [report.release_id]
        )
    shutil.rmtree(report.bundle)
    with pytest.raises(ChotsoError, match="files outside its folder"):
        seal(settings)
    assert not list(settings.releases_dir.parent.rglob("planted"))


# --- rehearsals


def test_a_rehearsal_runs_on_any_day_and_stands_outside_the_chain(warehouse: Product) -> None:
    settings = warehouse.settings
    world.set_clock(warehouse.source_admin_url, CUTOFF - timedelta(days=10))
    first, second = seal(settings, rehearse=True), seal(settings, rehearse=True)
    assert first.release_id == f"rehearsal-{SPRINT}-1"
    assert second.release_id == f"rehearsal-{SPRINT}-2"
    of_two = 2 * 3 * 12 * len(load_registers().metrics.metrics)
    assert first.bundle == settings.releases_dir / "rehearsal" / first.release_id
    assert verify(first.bundle, first.root_sha256).status == "verified"
    assert count(settings, "select count(*) from frozen.release") == 0
    assert count(settings, "select count(*) from rehearsal.attainment") == of_two
    world.set_clock(warehouse.source_admin_url, CUTOFF)
    real = seal(settings)
    assert manifest(real)["previous_root"] is None
    assert verify(settings.releases_dir, real.root_sha256).status == "verified"


# --- what the tables themselves refuse


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ("'second', 'sprint-2021-q4', 'original', null, false", "release_fits_its_kind"),
        ("'x', 'x', 'original', null, true, null", "one_chain"),
        ("'plan-c1', 'plan', 'original', null, false", "release_fits_its_kind"),
        ("'a-c1', 'a-c1', 'original', null, false", "period_is_plain"),
        ("'rehearsal-a', 'rehearsal-a', 'original', null, false", "period_is_plain"),
        ("'sprint-2021-q4-c1', 'sprint-2021-q4', 'corrigendum', 'sprint-2021-q4', true",
         "corrects_the_current_one"),
    ],
)  # fmt: skip
def test_the_table_of_releases_refuses(settings: Settings, columns: str, constraint: str) -> None:
    report = seal(settings)
    if columns.count(",") == 4:
        columns += f", '{report.root_sha256}'"
    with (
        pytest.raises(psycopg.errors.IntegrityError) as error,
        past_the_guards(settings) as conn,
    ):
        conn.execute(
            f"""
            insert into frozen.release (release_id, period_id, kind, corrects, is_current,
                previous_root, cutoff_at, as_known_at, root_sha256, data_root, sealed_at,
                code_version, status)
            values ({columns}, now(), now(), repeat('a', 64), repeat('a', 64), now(), 'x', 'sealed')
            """.encode()
        )
    assert error.value.diag.constraint_name == constraint


@pytest.mark.parametrize("table", ["release", "attainment", "arrears_ratio", "bundle_file"])
def test_the_loader_can_neither_update_nor_delete_nor_truncate(
    settings: Settings, table: str
) -> None:
    seal(settings)
    for statement in (
        f"update frozen.{table} set release_id = release_id", f"delete from frozen.{table}",
        f"truncate frozen.{table} cascade", f"drop table frozen.{table} cascade",
    ):  # fmt: skip
        with (
            world.connect(settings) as conn,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            conn.transaction(),
        ):
            conn.execute(statement.encode())


def test_everything_in_the_frozen_schemas_is_described_in_both_languages(
    settings: Settings,
) -> None:
    with as_admin(settings) as conn:
        rows = conn.execute(
            """
            select attrelid::regclass::text || '.' || attname, col_description(attrelid, attnum)
            from pg_attribute
            inner join pg_class on pg_class.oid = attrelid and relkind = 'r'
            where attnum > 0 and not attisdropped
                and (relnamespace = 'frozen'::regnamespace or attrelid = 'ops.freeze'::regclass)
            """
        ).fetchall()
    assert not [name for name, text in rows if not text or " — " not in text]


def as_row(settings: Settings, query: str) -> dict[str, object]:
    with as_admin(settings) as conn, conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = cursor.execute(query.encode()).fetchone()
    assert row is not None
    return row


def digest(settings: Settings) -> list[object]:
    tables = ["release", "attainment", "arrears_ratio", "bundle_file"]
    with as_admin(settings) as conn:
        return [
            conn.execute(
                f"select md5(string_agg(t::text, '|' order by t::text)) from frozen.{each} t"
            ).fetchone()
            for each in tables
        ]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
