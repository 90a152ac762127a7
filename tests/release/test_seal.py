"""The one way into `frozen`: what the loader may lay down and ask for, and what it is refused."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.registers import load_registers
from chotso.release import state
from chotso.release.bundle import writer as bundle
from chotso.release.data.changes import Changes
from chotso.release.data.tables import FROZEN
from chotso.release.seal import freeze as release
from chotso.release.seal import registered, staging
from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.parts import Parts
from chotso.settings import Settings
from chotso.verifier.verify import canonical_json, verify_bundle
from tests.worlds import freeze_world as world
from tests.worlds import inventions
from tests.worlds.freeze_world import PERIODS, count, seal

pytestmark = [pytest.mark.warehouse]

SPRINT = PERIODS[0]
Files = list[tuple[str, bytes]]


def changed(files: Files, path: str, content: bytes) -> Files:
    return [(name, content if name == path else before) for name, before in files]


def with_manifest(before: Files, **changes: Any) -> Files:
    manifest = json.loads(dict(before)["manifest.json"]) | changes
    return changed(before, "manifest.json", canonical_json(manifest))


def without_entry(files: Files) -> Files:
    manifest = json.loads(dict(files)["manifest.json"])
    return with_manifest(files, files=manifest["files"][1:])


FORGED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "a file left out": (lambda files: files[:1] + files[2:], "files of .* are not those"),
    "a file too many": (lambda files: [*files, ("data/more.csv", b"x\n")], "not those"),
    "a file changed": (lambda files: changed(files, "verify.py", b"verified()"), "not those"),
    "a byte appended": (
        lambda files: changed(files, "SPEC.md", dict(files)["SPEC.md"] + b"\n"), "not those"
    ),
    "a file no longer listed": (without_entry, "not those"),
    "no manifest": (lambda files: [f for f in files if f[0] != "manifest.json"], "no manifest"),
    "another period": (lambda f: with_manifest(f, period_id="plan-2021-m09-12"), "not that of"),
    "another release": (lambda f: with_manifest(f, release_id="x"), "not that of"),
    "a rehearsal for real": (lambda f: with_manifest(f, kind="rehearsal"), "not that of"),
    "another cutoff": (
        lambda f: with_manifest(f, cutoff_at="2021-12-31T17:00:00.000000Z"), "not that of"
    ),
    "other knowledge": (
        lambda f: with_manifest(f, as_known_at="2022-01-31T10:00:00.000000Z"), "not that of"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("forge", "told"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_bundle_is_not_sealed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, forge: Callable[[Files], Files], told: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(release, "contents", lambda folder: forge(list(bundle.contents(folder))))
        with pytest.raises(psycopg.errors.RaiseException, match=told):
            seal(settings)
    nothing_was_sealed(settings)
    assert not seal(settings).already_sealed


def nothing_was_sealed(settings: Settings) -> None:
    for table in ("release", "bundle_file", *(spec.name for spec in FROZEN)):
        assert count(settings, f"select count(*) from frozen.{table}") == 0
    for table in ("file", *(spec.name for spec in FROZEN)):
        assert count(settings, f"select count(*) from sealing.{table}") == 0


@dataclasses.dataclass(frozen=True)
class Laid:
    """A freeze that stands before its seal: what it would lay down."""

    freeze: state.Freeze
    written: bundle.Written
    sealed_at: datetime
    files: Files


def before_the_seal(settings: Settings, folder: Path, patch: pytest.MonkeyPatch) -> Laid:
    found: list[Laid] = []

    def stop(
        conn: Any, freeze: Any, written: Any, sealed_at: Any, files: Any, progress: Any
    ) -> None:
        kept = Path(shutil.copytree(written.folder, folder))
        found.append(
            Laid(freeze, dataclasses.replace(written, folder=kept), sealed_at, list(files))
        )
        raise ChotsoError("not yet", next_step="go on.")

    with patch.context() as patched:
        patched.setattr(state, "seal", stop)
        with pytest.raises(ChotsoError, match="not yet"):
            seal(settings)
    return found[0]


def test_no_invented_bundle_is_sealed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One after the other against one build: a refused one leaves nothing behind."""
    laid = before_the_seal(settings, tmp_path / "laid", monkeypatch)
    passed = {}
    with world.connect(settings) as conn:
        for name, (invent, told) in inventions.BUNDLES.items():
            try:
                with conn.transaction():
                    files = invent(laid.files)
                    state.seal(conn, laid.freeze, laid.written, laid.sealed_at, files)
            except psycopg.errors.RaiseException as refused:
                if not re.search(told, str(refused)):
                    passed[name] = str(refused)
            else:
                passed[name] = "sealed"
    assert passed == {}
    # the naive way: whoever holds all the files can make them agree with one another
    for number, name in enumerate(("another plan", "invented inputs", "fewer known issues")):
        bundle.write_files(tmp_path / str(number), inventions.BUNDLES[name][0](laid.files))
        assert verify_bundle(tmp_path / str(number)).findings == []
    nothing_was_sealed(settings)
    assert not seal(settings).already_sealed


@pytest.fixture
def short_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    world.shorten_reports(monkeypatch)


@pytest.mark.parametrize(
    ("change", "told"), inventions.BUILDS.values(), ids=inventions.BUILDS.keys()
)
@pytest.mark.usefixtures("short_reports")
def test_figures_that_do_not_follow_from_raw_are_not_sealed(
    settings: Settings, change: str, told: str
) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=told):
        release.freeze(settings, SPRINT, parts=inventions.built_then(change))
    nothing_was_sealed(settings)


@pytest.mark.parametrize("change", inventions.RELATIONS.values(), ids=inventions.RELATIONS.keys())
@pytest.mark.usefixtures("short_reports")
def test_what_would_run_the_loader_s_code_is_not_read(settings: Settings, change: str) -> None:
    with pytest.raises((psycopg.errors.RaiseException, ChotsoError)) as refused:
        release.freeze(settings, SPRINT, parts=inventions.built_then(change))
    assert "plain table" in str(refused.value) or "lacks what a release" in str(refused.value)
    nothing_was_sealed(settings)


@pytest.mark.parametrize(
    ("parts", "told"), inventions.LEDGERS.values(), ids=inventions.LEDGERS.keys()
)
@pytest.mark.usefixtures("short_reports")
def test_a_build_that_the_register_does_not_know_is_not_sealed(
    settings: Settings, parts: Parts, told: str
) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=told):
        release.freeze(settings, SPRINT, parts=parts)
    nothing_was_sealed(settings)


@pytest.mark.usefixtures("short_reports")
def test_an_invented_period_is_not_sealed(settings: Settings) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="no registered period"):
        seal(settings, "sprint-2099-q1")
    nothing_was_sealed(settings)


@pytest.mark.parametrize(("days", "told"), [(-1, "before its cutoff"), (40_000, "in the future")])
@pytest.mark.usefixtures("short_reports")
def test_a_release_is_not_sealed_at_another_time(settings: Settings, days: int, told: str) -> None:
    at = world.CUTOFF + timedelta(days=days)
    clocks = [world.CUTOFF, at]
    parts = dataclasses.replace(world.PARTS, source_clock=lambda settings: clocks.pop(0))
    with pytest.raises(psycopg.errors.RaiseException, match=told):
        release.freeze(settings, SPRINT, parts=parts)
    nothing_was_sealed(settings)


class Pretending(Changes):
    """Says that figures changed."""

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        self.figures = 1


@pytest.mark.usefixtures("short_reports")
def test_a_forged_corrigendum_takes_no_release_s_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = seal(settings)
    with world.connect(settings) as conn:
        world.insert_batch(
            conn, "payments", date(2022, 1, 4), world.CUTOFF + timedelta(days=4), None
        )
    more = (
        "update fct_monthly_attainment set actual_to_date = 1 "
        "where agency_code = '07200' and metric_code = 'collection_total'"
    )
    numbered = "update fct_officer_attainment set numerator = 1"
    for parts, number, told in (
        (inventions.built_then(more), 0, "collection_total of 07200"),
        (inventions.built_then(numbered), 8, "its id is not the next one"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(state, "corrigendum_count", lambda conn, period_id, n=number: n)
            with pytest.raises(psycopg.errors.RaiseException, match=told):
                corrigendum(settings, SPRINT, reason="x", author="y", parts=parts)
    # it knows more, and no figure is another
    with world.connect(settings) as conn:
        world.insert_batch(
            conn, "payments", date(2022, 1, 5), world.CUTOFF + timedelta(days=5), None
        )
    with monkeypatch.context() as patch:
        patch.setattr(staging, "Changes", Pretending)
        with pytest.raises(psycopg.errors.RaiseException, match="it corrects nothing"):
            corrigendum(settings, SPRINT, reason="x", author="y", parts=world.PARTS)
    assert count(settings, "select count(*) from frozen.release where is_current") == 1
    assert seal(settings).root_sha256 == original.root_sha256


def test_what_was_changed_since_migrate_is_named_before_anything_is_extracted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {**load_registers().configuration, "periods": {"periods": []}}
    monkeypatch.setattr(
        registered, "load_registers", lambda: SimpleNamespace(configuration=changed)
    )
    with pytest.raises(ChotsoError, match=r"ops\.configuration periods") as refused:
        seal(settings)
    assert "chotso migrate" in refused.value.next_step
    nothing_was_sealed(settings)


def one_less(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


def another_digit(lines: list[bytes]) -> list[bytes]:
    """The last digit of the first row, wherever it stands."""
    at = max(place for place, byte in enumerate(lines[1]) if 48 <= byte <= 57)
    digit = b"%d" % ((lines[1][at] - 47) % 10)
    return [lines[0], lines[1][:at] + digit + lines[1][at + 1 :], *lines[2:]]


@pytest.mark.parametrize("table", [spec.name for spec in FROZEN])
@pytest.mark.parametrize("forge", [one_less, another_digit])
def test_other_rows_than_its_file_has_are_not_sealed(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    table: str,
    forge: Callable[[list[bytes]], list[bytes]],
) -> None:
    copy = state._copy_figures

    def forged(conn: psycopg.Connection, spec: Any, path: Path) -> None:
        if spec.name == table:
            lines = path.read_bytes().splitlines(keepends=True)
            path = tmp_path / "forged.csv"
            path.write_bytes(b"".join(forge(lines)))
        copy(conn, spec, path)

    monkeypatch.setattr(state, "_copy_figures", forged)
    with pytest.raises(psycopg.errors.RaiseException, match=f"the rows of {table} are not those"):
        seal(settings)
    nothing_was_sealed(settings)


def test_a_check_that_fails_at_the_last_moment_stops_the_seal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader's own verdict is not asked: the warehouse looks again."""
    monkeypatch.setattr(release, "evaluate", lambda conn, freeze, override: [])

    def build(settings: Settings, **arguments: Any) -> object:
        made = world.build(settings, **arguments)
        with world.as_admin(settings) as conn:
            conn.execute(
                f"update {arguments['schema']}.fct_reconciliation set category_code = null".encode()
            )
        return made

    parts = dataclasses.replace(world.PARTS, build=build)
    with pytest.raises(psycopg.errors.RaiseException, match="not met: reconciliation_classified"):
        release.freeze(settings, SPRINT, parts=parts)
    nothing_was_sealed(settings)


def test_a_view_in_place_of_a_table_is_not_read_with_the_owner_s_rights(
    settings: Settings,
) -> None:
    def build(settings: Settings, **arguments: Any) -> object:
        made = world.build(settings, **arguments)
        with world.connect(settings) as conn:
            schema = arguments["schema"]
            conn.execute(f"alter table {schema}.fct_reconciliation rename to kept".encode())
            conn.execute(
                f"create view {schema}.fct_reconciliation as select * from {schema}.kept".encode()
            )
        return made

    parts = dataclasses.replace(world.PARTS, build=build)
    with pytest.raises(psycopg.errors.RaiseException, match="is no plain table"):
        release.freeze(settings, SPRINT, parts=parts)
    nothing_was_sealed(settings)


def test_nothing_is_sealed_that_was_not_checked(settings: Settings) -> None:
    with world.connect(settings) as conn:
        with pytest.raises(psycopg.errors.RaiseException, match="nothing to seal"):
            conn.execute("select frozen.seal(%s, now())", [SPRINT])
        conn.rollback()
    seal(settings)
    with (
        world.connect(settings) as conn,
        pytest.raises(psycopg.errors.RaiseException, match="nothing to seal"),
    ):
        conn.execute("select frozen.seal(%s, now())", [SPRINT])


@pytest.mark.parametrize("schema", ["frozen", "rehearsal"])
@pytest.mark.parametrize(
    "statement",
    [
        "insert into {table} select * from {table}",
        "copy {table} from stdin",
        "update {table} set release_id = 'x'",
        "delete from {table}",
        "truncate {table}",
        "merge into {table} as t using (select 1) as s on true when matched then delete",
        "alter table {table} disable trigger all",
        "drop table {table}",
        "alter table {table} owner to chotso_loader",
        "create trigger t before insert on {table} execute function pg_catalog.suppress_redundant_"
        "updates_trigger()",
        "create rule r as on select to {table} do instead nothing",
        "create index on {table} (release_id)",
    ],
)
def test_the_loader_writes_nowhere_but_through_the_function(
    settings: Settings, schema: str, statement: str
) -> None:
    for table in ("release", "bundle_file", *(spec.name for spec in FROZEN)):
        with world.connect(settings) as conn:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.format(table=f"{schema}.{table}").encode())
            conn.rollback()


def test_the_loader_cannot_give_itself_what_it_lacks(settings: Settings) -> None:
    with world.connect(settings) as conn:
        conn.execute("grant insert, update on frozen.release to chotso_loader")  # warns, no more
        row = conn.execute(
            "select has_table_privilege('frozen.release', 'insert'), "
            "has_table_privilege('frozen.release', 'update')"
        ).fetchone()
    assert row == (False, False)


def test_who_is_not_the_loader_cannot_seal(settings: Settings) -> None:
    for role in ("chotso_reader", "chotso_auditor", "chotso_certifier"):
        with world.as_admin(settings) as conn:
            conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("select frozen.seal('x', now())")
            conn.rollback()
