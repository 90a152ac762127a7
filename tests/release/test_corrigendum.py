"""A corrigendum on a real PostgreSQL: a new linked release; what it corrects stays as it was."""

import csv
import dataclasses
import json
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.registers import load_registers
from chotso.release.bundle import writer as bundle
from chotso.release.data.canonical import canonical_json
from chotso.release.seal import freeze as freezing
from chotso.release.seal.checks import Override
from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.freeze import FreezeReport
from chotso.release.seal.parts import Parts, PeriodToFreeze
from chotso.settings import Settings
from chotso.verifier.verify import verify
from tests.worlds import freeze_world as world
from tests.worlds.children import Child
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
from tests.worlds.product import Product

pytestmark = [pytest.mark.long, pytest.mark.warehouse]

SPRINT, PLAN = PERIODS
WHY = "Chứng từ ghi nhận muộn"
WHO = "Trần Thị Thử"
LATER = CUTOFF + timedelta(days=4)
COLLECTED = 4_600_000_000_000


def fresh(made: Product, releases: Path) -> Settings:
    """A sealed original, and a night of January known after it."""
    settings = world.fresh(made, releases)
    seal(settings)
    learn(settings, LATER)
    return settings


@pytest.fixture
def settings(made: Product, tmp_path: Path) -> Settings:
    return fresh(made, tmp_path / "releases")


def learn(settings: Settings, known_at: datetime) -> None:
    with world.connect(settings) as conn:
        world.insert_batch(conn, "payments", date(2022, 1, 4), known_at, None)


def parts_with(collected: int = COLLECTED, then: str = "") -> Parts:
    """The world's parts, by which more was collected; `then` is run in the build's schema."""

    def build(settings: Settings, **given: Any) -> object:
        made = world.build(settings, **given, collected=collected)
        with as_admin(settings) as conn:
            conn.execute(f"set local search_path = {given['schema']}; {then}".encode())
        return made

    return dataclasses.replace(PARTS, build=build)


def correct(settings: Settings, parts: Parts | None = None, **given: Any) -> FreezeReport:
    words: dict[str, Any] = {"reason": WHY, "author": WHO, **given}
    return corrigendum(settings, SPRINT, parts=parts or parts_with(), **words)


def changes_of(report: FreezeReport) -> list[dict[str, str]]:
    with (report.bundle / "data/changes.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def release(settings: Settings, release_id: str) -> dict[str, Any]:
    with as_admin(settings) as conn, conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = cursor.execute(
            "select * from frozen.release where release_id = %s", [release_id]
        ).fetchone()
    assert row is not None
    return row


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_corrigendum_is_a_release_of_its_own(settings: Settings) -> None:
    original, before = seal(settings), bytes_of(settings.releases_dir / SPRINT)
    report = correct(settings)
    assert (report.release_id, report.already_sealed) == (f"{SPRINT}-c1", False)
    assert verify(report.bundle, report.root_sha256).status == "verified"
    assert verify(settings.releases_dir, report.root_sha256).status == "verified"
    assert verify(original.bundle, original.root_sha256).status == "verified"
    assert bytes_of(original.bundle) == before
    made = manifest(report)
    assert made["correction"] == {
        "author": WHO, "corrected_root": original.root_sha256, "reason": WHY
    }  # fmt: skip
    assert (made["kind"], made["corrects"]) == ("corrigendum", SPRINT)
    assert made["previous_root"] == original.root_sha256
    assert manifest(original)["correction"] is None
    row, old = release(settings, report.release_id), release(settings, SPRINT)
    assert (row["cutoff_at"], row["as_known_at"]) == (CUTOFF, LATER)
    assert (row["correction_reason"], row["correction_author"]) == (WHY, WHO)
    assert (row["is_current"], old["is_current"]) == (True, False)
    assert {**old, "is_current": True} == {
        **old, "is_current": True, "root_sha256": original.root_sha256, "status": "sealed"
    }  # fmt: skip
    of_one = 3 * 12 * len(load_registers().metrics.metrics)
    assert count(settings, "select count(*) from frozen.current_attainment") == of_one
    assert count(settings, "select count(*) from frozen.attainment") == 2 * of_one
    assert count(settings, "select count(*) from pg_namespace where nspname ~ '^freeze_'") == 0


def test_every_changed_figure_stands_in_it_before_and_after(settings: Settings) -> None:
    report = correct(settings)
    rows = changes_of(report)
    attainment = [row for row in rows if row["table_name"] == "attainment"]
    # agencies, months, metrics that change; and January's two collections in the month
    assert len(attainment) == 3 * 12 * 3 + 3 * 2
    assert Counter(row["column_name"] for row in attainment) == {
        "actual_to_date": 3 * 12 * 3, "actual_month": 3 * 2
    }  # fmt: skip
    assert {int(row["value_after"]) - int(row["value_before"]) for row in attainment} == {
        COLLECTED - 4_500_000_000_000
    }
    assert {row["change_code"] for row in rows} == {"changed"}
    assert {row["table_name"] for row in rows} == {"attainment", "officer_attainment"}
    assert len(rows) == len(attainment) + 12 * 2 + 1
    assert '["072","2021-01-01","collection_total"]' in {row["row_key"] for row in attainment}


def test_without_a_changed_figure_there_is_no_corrigendum(settings: Settings) -> None:
    with pytest.raises(ChotsoError, match="Nothing to correct"):
        correct(settings, PARTS)
    assert count(settings, "select count(*) from frozen.release") == 1
    assert release(settings, SPRINT)["is_current"]
    assert sorted(path.name for path in settings.releases_dir.iterdir()) == [SPRINT]
    assert count(settings, "select count(*) from pg_namespace where nspname ~ '^freeze_'") == 0
    assert count(settings, "select count(*) from ops.freeze where reason ~ 'Nothing to'") == 1
    assert correct(settings).release_id == f"{SPRINT}-c1"


def test_what_readers_do_not_see_is_told_and_corrects_nothing(settings: Settings) -> None:
    then = "update dim_metric set metric_name_en = 'x'; update fct_plan_target set plan_value = 1"
    only_plans = "update fct_plan_target set plan_value = 1"
    with pytest.raises(ChotsoError, match="Nothing to correct"):
        correct(settings, parts_with(4_500_000_000_000, only_plans))
    tables = {row["table_name"] for row in changes_of(correct(settings, parts_with(then=then)))}
    assert {"plans", "metrics", "attainment"} <= tables


def test_months_after_those_of_the_corrected_release_stay_out(settings: Settings) -> None:
    january = (
        "insert into fct_monthly_attainment select agency_code, '2022-01-01', metric_code, 1, 1, "
        "null, null, null, null, null, null, 0, known_at, agency_key, null, 'none', 0 "
        "from fct_monthly_attainment where month = '2021-12-01'"
    )
    report = correct(settings, parts_with(then=january))
    assert {row["change_code"] for row in changes_of(report)} == {"changed"}
    assert "2022-01-01" not in (report.bundle / "data/attainment.csv").read_text("utf-8")


def test_the_same_again_changes_nothing_and_restores(settings: Settings) -> None:
    first = correct(settings)
    shutil.rmtree(first.bundle)
    again = correct(settings, reason=f"  {WHY} ")
    assert (again.root_sha256, again.already_sealed) == (first.root_sha256, True)
    assert verify(first.bundle, first.root_sha256).status == "verified"
    with pytest.raises(ChotsoError, match="Nothing to correct: every figure of sprint-2021-q4-c1"):
        correct(settings, reason="Lý do khác")


def test_a_corrigendum_corrects_the_one_before_it(made: Product, settings: Settings) -> None:
    first = correct(settings)
    between = seal(settings, PLAN)
    learn(settings, LATER + timedelta(days=1))
    second = correct(settings, parts_with(4_700_000_000_000))
    assert second.release_id == f"{SPRINT}-c2"
    row = release(settings, second.release_id)
    assert (row["corrects"], row["previous_root"]) == (first.release_id, between.root_sha256)
    correction = manifest(second)["correction"]
    assert isinstance(correction, dict)
    assert correction["corrected_root"] == first.root_sha256
    assert {
        row["value_before"] for row in changes_of(second) if "2021-12-01" in row["row_key"]
    } == {str(COLLECTED)}
    assert verify(settings.releases_dir, second.root_sha256).status == "verified"
    assert verify(first.bundle, first.root_sha256).status == "verified"
    assert count(settings, "select count(*) from frozen.current_release") == 2
    assert seal(settings).release_id == SPRINT  # a freeze of a corrected period changes nothing


def test_nothing_sealed_nothing_corrected(made: Product, tmp_path: Path) -> None:
    settings = world.fresh(made, tmp_path / "releases")
    with pytest.raises(ChotsoError, match="no sealed release"):
        correct(settings)
    assert count(settings, "select count(*) from ops.freeze") == 0


@pytest.mark.parametrize("given", [{"reason": " \t"}, {"author": ""}])
def test_a_corrigendum_says_why_and_who(settings: Settings, given: dict[str, Any]) -> None:
    with pytest.raises(ChotsoError, match="A corrigendum needs"):
        correct(settings, **given)
    assert count(settings, "select count(*) from ops.freeze") == 1


def test_a_corrigendum_never_moves_the_cutoff(settings: Settings) -> None:
    moved = PeriodToFreeze(SPRINT, CUTOFF + timedelta(hours=1))
    parts = dataclasses.replace(parts_with(), period=lambda period_id: moved)
    with pytest.raises(ChotsoError, match="restore the cutoff"):
        correct(settings, parts)


UNCLASSIFIED = "update fct_reconciliation set category_code = null"
BOTH = Override("reconciliation_classified", "Đã báo cáo", "Trần Thị Thử", "Lê Văn Mẫu")


def test_what_is_not_met_stops_it_until_newer_knowledge_mends_it(settings: Settings) -> None:
    with pytest.raises(ChotsoError, match="reconciliation_classified"):
        correct(settings, parts_with(then=UNCLASSIFIED))
    with pytest.raises(ChotsoError, match="override-reason"):  # the same build is judged again
        correct(settings)
    learn(settings, LATER + timedelta(hours=1))
    report = correct(settings)
    assert release(settings, report.release_id)["as_known_at"] == LATER + timedelta(hours=1)


def test_an_override_holds_for_the_knowledge_that_it_was_given_for(settings: Settings) -> None:
    broken = parts_with(then=UNCLASSIFIED)
    nothing_else = parts_with(4_500_000_000_000, UNCLASSIFIED)
    with pytest.raises(ChotsoError, match="Nothing to correct"):
        correct(settings, nothing_else, override=BOTH)
    learn(settings, LATER + timedelta(hours=1))
    with pytest.raises(ChotsoError, match="reconciliation_classified"):
        correct(settings, broken)
    report = correct(settings, broken, override=BOTH)
    assert "Lê Văn Mẫu" in (report.bundle / "data/checks.csv").read_text("utf-8")


def test_a_changed_copy_of_what_is_corrected_is_found(settings: Settings) -> None:
    with past_the_guards(settings) as conn:
        conn.execute(
            "update frozen.bundle_file set content = content || 'x'::bytea "
            "where path = 'data/attainment.csv'"
        )
    with pytest.raises(ChotsoError, match="not what was sealed"):
        correct(settings)
    assert count(settings, "select count(*) from frozen.release") == 1


# --- what the database itself refuses

ROW = {
    "release_id": f"{SPRINT}-c1", "period_id": SPRINT, "kind": "corrigendum", "corrects": SPRINT,
    "is_current": True, "cutoff_at": CUTOFF, "as_known_at": LATER, "root_sha256": "a" * 64,
    "data_root": "a" * 64, "sealed_at": LATER, "code_version": "x", "status": "sealed",
    "correction_reason": WHY, "correction_author": WHO,
}  # fmt: skip
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "without a reason": ({"correction_reason": None}, "corrigendum_says_why"),
    "a blank author": ({"correction_author": " "}, "release_correction_author_check"),
    "not current": ({"is_current": False}, "corrects_the_current_one"),
    "of nothing": ({"corrects": "no-such"}, "corrects_the_current_one"),
    "of another period": (
        {"period_id": PLAN, "release_id": f"{PLAN}-c1"}, "corrects_the_current_one"
    ),
    "another cutoff": (
        {"cutoff_at": CUTOFF + timedelta(seconds=1)}, "corrects_the_current_one"
    ),
    "an original with a reason": (
        {"kind": "original", "release_id": "other", "period_id": "other", "corrects": None},
        "corrigendum_says_why",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "forged",
    [
        {"corrects": PLAN},
        {"correction": {"reason": "khác", "author": WHO}},
        {"correction": {"reason": WHY, "author": "khác"}},
        {"correction": {"reason": WHY, "author": WHO, "corrected_root": "0" * 64}},
        {"correction": None},
    ],
)
def test_what_the_manifest_says_of_the_correction_is_what_was_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, forged: dict[str, Any]
) -> None:
    def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
        for path, content in bundle.contents(folder):
            is_manifest = path == "manifest.json"
            yield path, canonical_json(json.loads(content) | forged) if is_manifest else content

    monkeypatch.setattr(freezing, "contents", contents)
    with pytest.raises(psycopg.errors.RaiseException, match="not that of the freeze"):
        correct(settings)
    assert release(settings, SPRINT)["is_current"]


def insert(conn: psycopg.Connection, settings: Settings, **changes: Any) -> None:
    row = {**ROW, "previous_root": release(settings, SPRINT)["root_sha256"], **changes}
    conn.execute(
        f"insert into frozen.release ({', '.join(row)}) "
        f"values ({', '.join(['%s'] * len(row))})".encode(),
        list(row.values()),
    )


@pytest.mark.parametrize(("changes", "constraint"), REFUSED.values(), ids=REFUSED.keys())
def test_the_table_of_releases_refuses(
    settings: Settings, changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as error, past_the_guards(settings) as conn:
        insert(conn, settings, **changes)
    assert error.value.diag.constraint_name == constraint
    assert release(settings, SPRINT)["is_current"]


def test_the_loader_ends_a_release_only_by_a_corrigendum(settings: Settings) -> None:
    for statement in (
        "update frozen.release set is_current = false",
        "select frozen.supersede()",
        "alter table frozen.release disable trigger supersede",
        "drop trigger supersede on frozen.release",
    ):
        with (
            world.connect(settings) as conn,
            pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.SyntaxError,
                           psycopg.errors.FeatureNotSupported)),
            conn.transaction(),
        ):  # fmt: skip
            conn.execute(statement.encode())
    assert release(settings, SPRINT)["is_current"]


# --- killed, and many at once

FAILPOINTS = [
    "corrigendum.begin", "corrigendum.known", "freeze.extracted", "fake.half-built",
    "freeze.build-returned", "freeze.built", "freeze.checked", "freeze.writing",
    "freeze.manifest-written", "freeze.staged", "freeze.sealing", "freeze.sealed",
    "freeze.placed", "freeze.cleaned",
]  # fmt: skip
AFTER_THE_SEAL = FAILPOINTS[-3:]
# a slice: before anything, half built, in the seal, after it; `make proofs` kills at every one
_SLICE = {"corrigendum.begin", "fake.half-built", "freeze.sealing", "freeze.sealed"}
KILLED_AT = [
    name if name in _SLICE else pytest.param(name, marks=pytest.mark.slow) for name in FAILPOINTS
]


def root_of_correction(settings: Settings) -> str:
    return correct(settings).root_sha256


@pytest.fixture(scope="module")
def root(made: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    return correct(fresh(made, tmp_path_factory.mktemp("undisturbed"))).root_sha256


def check_one(settings: Settings, root: str) -> None:
    assert count(settings, "select count(*) from frozen.release") == 2
    assert count(settings, "select count(*) from frozen.current_release") == 1
    assert verify(settings.releases_dir, root).status == "verified"
    names = sorted(path.name for path in settings.releases_dir.iterdir())
    assert names == [SPRINT, f"{SPRINT}-c1"]
    assert count(settings, "select count(*) from pg_namespace where nspname ~ '^freeze_'") == 0


@pytest.mark.faults
@pytest.mark.parametrize("name", KILLED_AT)
def test_killed_and_run_again(root: str, settings: Settings, name: str) -> None:
    child = Child(root_of_correction, settings, failpoint=name)
    _, err = child.ended(timeout=120)
    assert child.exitcode == -signal.SIGKILL, err
    sealed = count(settings, "select count(*) from frozen.release") == 2
    assert sealed == (name in AFTER_THE_SEAL)
    assert release(settings, SPRINT)["is_current"] != sealed
    if sealed:
        learn(settings, LATER + timedelta(hours=1))  # the retry still is of the one begun
    report = correct(settings)
    assert (report.root_sha256, report.already_sealed) == (root, sealed)
    check_one(settings, root)


@pytest.mark.faults
def test_many_at_once_seal_one(root: str, settings: Settings) -> None:
    children = [Child(root_of_correction, settings) for _ in range(5)]
    outputs = [child.ended(timeout=300) for child in children]
    assert [out.strip() for out, _ in outputs] == [root] * 5, outputs
    check_one(settings, root)
