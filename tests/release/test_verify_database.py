"""`verify --database` on a real PostgreSQL: what a superuser changes is found, by its key."""

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from chotso.cli import app as command
from chotso.errors import BusyError, ChotsoError
from chotso.release.check import database
from chotso.release.check.daily import DiffersError, UnanchoredError, check_releases
from chotso.release.check.database import verify_with_database
from chotso.release.seal.freeze import FreezeReport
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.verifier.verify import verify
from chotso.warehouse import connect as warehouse
from chotso.warehouse.connect import connect
from tests.worlds import freeze_world as world
from tests.worlds.forger import forge
from tests.worlds.freeze_world import PERIODS, seal
from tests.worlds.product import Product, product
from tests.worlds.typed import typed
from tests.worlds.watched import environment_of

pytestmark = [pytest.mark.warehouse]

SPRINT, PLAN = PERIODS
KEY = '"07200", "2021-12-01", "collection_total"'
WHERE = (
    f"where release_id = '{SPRINT}' and agency_code = '07200' and month = '2021-12-01' "
    "and metric_code = 'collection_total'"
)
REHEARSAL = f"rehearsal-{SPRINT}-1"


@pytest.fixture(scope="module")
def sealed(made: Product) -> tuple[Settings, FreezeReport, FreezeReport]:
    """Two releases in a chain, and a rehearsal."""
    world.prepare(made.settings, made.source_admin_url)
    seal(made.settings, SPRINT, rehearse=True)
    return made.settings, seal(made.settings, SPRINT), seal(made.settings, PLAN)


Sealed = tuple[Settings, FreezeReport, FreezeReport]


def told(settings: Settings, report: FreezeReport) -> list[str]:
    result = verify_with_database(settings, report.bundle, report.root_sha256)
    assert result.status == ("failed" if result.findings else "verified")
    assert all(finding.code == "database" for finding in result.findings)
    is_told = "compared with the warehouse: readers see what was sealed" in result.notes
    assert is_told == (not result.findings)
    return [f"{finding.path}: {finding.message}" for finding in result.findings]


def test_what_was_sealed_is_what_readers_see(sealed: Sealed) -> None:
    settings, sprint, plan = sealed
    assert told(settings, sprint) == []
    assert told(settings, plan) == []
    result = verify_with_database(settings, settings.releases_dir, plan.root_sha256)
    assert (result.status, result.findings) == ("verified", [])
    assert result.superseded == {}
    assert result.notes[-2:] == [
        "not compared, for no build has made them yet: marts.rpt_emulation_ranking, "
        "marts.rpt_emulation_points, marts.rpt_period_attainment",
        "compared with the warehouse: readers see what was sealed",
    ]
    rehearsal = settings.releases_dir / "rehearsal" / REHEARSAL
    assert verify_with_database(settings, rehearsal).status == "unanchored"


# What a superuser does, how it is undone, and what must be said of it.
FORGED: dict[str, tuple[str, str, list[str]]] = {
    "a figure": (
        f"update frozen.attainment set actual_to_date = actual_to_date + 1 {WHERE}",
        f"update frozen.attainment set actual_to_date = actual_to_date - 1 {WHERE}",
        [f'attainment: row [{KEY}]: actual_to_date is "4500000000001", '
         'in the bundle "4500000000000"'],
    ),
    "a thousandth of a đồng": (
        f"update frozen.attainment set actual_month = 7.001 {WHERE}",
        f"update frozen.attainment set actual_month = 7 {WHERE}",
        [f'attainment: row [{KEY}]: actual_month is "7.001", in the bundle "7"'],
    ),
    "a verdict": (
        f"update frozen.attainment set is_met = true {WHERE}",
        f"update frozen.attainment set is_met = null {WHERE}",
        [f'attainment: row [{KEY}]: is_met is "true", in the bundle null'],
    ),
    "a name": (
        f"update frozen.attainment set agency_name = 'Huyện khác' {WHERE}",
        f"update frozen.attainment set agency_name = 'Văn phòng, BHXH tỉnh' {WHERE}",
        [f'attainment: row [{KEY}]: agency_name is "Huyện khác", in the bundle '
         '"Văn phòng, BHXH tỉnh"'],
    ),
    "a name that looks the same": (
        f"update frozen.attainment set agency_name = normalize(agency_name, nfd) {WHERE}",
        f"update frozen.attainment set agency_name = normalize(agency_name, nfc) {WHERE}",
        [f"attainment: row [{KEY}]: agency_name is "],
    ),
    "a row less": (
        f"create table public.kept as select * from frozen.attainment {WHERE}; "
        f"delete from frozen.attainment {WHERE}",
        "insert into frozen.attainment select * from public.kept; drop table public.kept",
        [f"attainment: row [{KEY}] of the bundle is not there"],
    ),
    "a row more": (
        "insert into frozen.ranking (release_id, participant_type, participant_code) "
        f"values ('{SPRINT}', 'agency', '09999')",
        "delete from frozen.ranking where participant_code = '09999'",
        ['ranking: row ["agency", "09999"] is not in the bundle'],
    ),
    "a row of another key": (
        f"update frozen.attainment set agency_code = '07209' {WHERE}",
        "update frozen.attainment set agency_code = '07200' where agency_code = '07209'",
        [f"attainment: row [{KEY}] of the bundle is not there",
         f"attainment: row [{KEY.replace('07200', '07209')}] is not in the bundle"],
    ),
    "an employer's debt": (
        "update frozen.employer_arrears set arrears_vnd = 0 "
        f"where release_id = '{SPRINT}' and month = '2021-12-01' and employer_code = 'TA0001A'",
        "update frozen.employer_arrears set arrears_vnd = 85 "
        f"where release_id = '{SPRINT}' and month = '2021-12-01' and employer_code = 'TA0001A'",
        ['employer_arrears: row ["TA0001A", "2021-12-01"]: arrears_vnd is "0", in the bundle '
         '"85"'],
    ),
    "which one is current": (
        f"update frozen.release set is_current = false where release_id = '{SPRINT}'",
        f"update frozen.release set is_current = true where release_id = '{SPRINT}'",
        [f'release: row ["{SPRINT}"]: is_current is false, in the bundle true',
         f"release: the view current_release shows {SPRINT} 0 times, 1 is right"],
    ),
    "the cutoff": (
        "update frozen.release set cutoff_at = cutoff_at - interval '1 microsecond' "
        f"where release_id = '{SPRINT}'",
        "update frozen.release set cutoff_at = cutoff_at + interval '1 microsecond' "
        f"where release_id = '{SPRINT}'",
        [f'release: row ["{SPRINT}"]: cutoff_at is "2021-12-31T09:59:59.999999Z", in the bundle '
         '"2021-12-31T10:00:00.000000Z"'],
    ),
    "certified by nobody": (
        f"update frozen.release set status = 'certified' where release_id = '{SPRINT}'",
        f"update frozen.release set status = 'sealed' where release_id = '{SPRINT}'",
        [f'certification: row ["{SPRINT}"]: release.status is "certified", in the bundle '
         '"sealed"'],
    ),
    "a kept file": (
        "update frozen.bundle_file set content = content || '\\x0a' "
        f"where release_id = '{SPRINT}' and path = 'data/attainment.csv'",
        "update frozen.bundle_file set content = substr(content, 1, length(content) - 1) "
        f"where release_id = '{SPRINT}' and path = 'data/attainment.csv'",
        [f'bundle_file: row ["{SPRINT}", "data/attainment.csv"]: sha256(content) is '],
    ),
    "a kept file more": (
        f"insert into frozen.bundle_file values ('{SPRINT}', 'data/more.csv', 'x')",
        "delete from frozen.bundle_file where path = 'data/more.csv'",
        [f"bundle_file: data/more.csv of {SPRINT} is not in the bundle"],
    ),
    "a view that says otherwise": (
        "create or replace view frozen.current_arrears_ratio with (security_invoker = true) as "
        "select release_id, agency_code, agency_name, parent_agency_code, parent_agency_name, "
        "month, group_code, variant_code, numerator * 2 as numerator, denominator, ratio, is_met, "
        "is_official, agency_key, has_differing_verdicts, is_province "
        "from frozen.arrears_ratio inner join frozen.release using (release_id) "
        "where release.is_current",
        "create or replace view frozen.current_arrears_ratio with (security_invoker = true) as "
        "select release_id, agency_code, agency_name, parent_agency_code, parent_agency_name, "
        "month, group_code, variant_code, numerator, denominator, ratio, is_met, is_official, "
        "agency_key, has_differing_verdicts, is_province "
        "from frozen.arrears_ratio inner join frozen.release using (release_id) "
        "where release.is_current",
        [f"current_arrears_ratio: lacks 72 rows of frozen.arrears_ratio of {SPRINT}",
         f"current_arrears_ratio: shows otherwise 72 rows of frozen.arrears_ratio of {SPRINT}"],
    ),
    "a column more": (
        "alter table frozen.ranking add column remark text",
        "alter table frozen.ranking drop column remark",
        ["ranking: has columns that no release has: remark"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "undo", "wanted"), FORGED.values(), ids=FORGED.keys())
def test_what_a_superuser_changes_is_found(
    sealed: Sealed, act: str, undo: str, wanted: list[str]
) -> None:
    settings, sprint, plan = sealed
    forge(settings, *act.split("; "))
    try:
        found = told(settings, sprint)
        assert len(found) == len(wanted), found
        for line, start in zip(found, wanted, strict=True):
            assert line.startswith(f"frozen.{start}"), line
        result = verify_with_database(settings, settings.releases_dir, plan.root_sha256)
        assert result.status == "failed", "the releases folder as a whole tells it too"
        assert verify(settings.releases_dir, plan.root_sha256).status == "verified", (
            "the naive check of the files alone sees nothing"
        )
    finally:
        forge(settings, *undo.split("; "))
    assert told(settings, sprint) == []


def test_a_release_that_only_one_side_has_is_named(sealed: Sealed, tmp_path: Path) -> None:
    settings, sprint, plan = sealed
    plan.bundle.rename(tmp_path / "gone")
    try:
        result = verify_with_database(settings, settings.releases_dir, sprint.root_sha256)
        assert [finding.message for finding in result.findings] == [
            f"{PLAN} is not in the releases folder"
        ]
    finally:
        (tmp_path / "gone").rename(plan.bundle)


def test_a_bundle_that_fails_is_no_measure(sealed: Sealed) -> None:
    settings, sprint, _ = sealed
    extra = sprint.bundle / "extra.txt"
    extra.write_text("x", encoding="utf-8")
    try:
        result = verify_with_database(settings, sprint.bundle, sprint.root_sha256)
    finally:
        extra.unlink()
    assert [finding.code for finding in result.findings] == ["unlisted"]
    assert any("was not compared" in note for note in result.notes)


def test_many_differences_are_named_and_counted(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, sprint, _ = sealed
    monkeypatch.setattr(database, "NAMED", 3)
    change = "update frozen.arrears_ratio set numerator = numerator {} 1"
    forge(settings, change.format("+"))
    try:
        found = told(settings, sprint)
    finally:
        forge(settings, change.format("-"))
    assert len(found) == 4
    assert found[-1] == f"frozen.arrears_ratio: and 69 more differences of {SPRINT}"


def test_the_command_says_it(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, sprint, _ = sealed
    monkeypatch.setattr(command, "load_settings", lambda: settings)
    arguments = ["verify", str(sprint.bundle), "--database", "--json"]
    anchored = [*arguments, "--anchor", sprint.root_sha256]
    done = CliRunner().invoke(command.app, anchored)
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (0, "verified")
    done = CliRunner().invoke(command.app, arguments)
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (1, "unanchored")
    forge(settings, f"update frozen.attainment set is_met = true {WHERE}")
    try:
        done = CliRunner().invoke(command.app, anchored)
    finally:
        forge(settings, f"update frozen.attainment set is_met = null {WHERE}")
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (1, "failed")


def checked(settings: Settings, anchors: Path, text: str | None) -> list[str]:
    if text is not None:
        anchors.write_text(text, encoding="utf-8")
    return check_releases(settings.model_copy(update={"anchor_file": anchors})).releases


def test_the_daily_look_fails_at_a_release_that_no_anchor_knows(
    sealed: Sealed, tmp_path: Path
) -> None:
    settings, sprint, plan = sealed
    anchors = tmp_path / "anchors"
    both = f"unanchored: {SPRINT}, root {sprint.root_sha256}\nunanchored: {PLAN}, root "
    with pytest.raises(ChotsoError, match=both) as refused:
        check_releases(settings)
    assert "CHOTSO_ANCHOR_FILE" in refused.value.next_step
    with pytest.raises(ChotsoError, match=both):
        checked(settings, anchors, "# none yet\n\n")
    first = f"{SPRINT}  {sprint.root_sha256.upper()}\n"
    with pytest.raises(ChotsoError, match=f"vouches for it:\nunanchored: {PLAN}, root "):
        checked(settings, anchors, first)
    # the newest root holds those before it
    newest = f"{PLAN} {plan.root_sha256[:32]} {plan.root_sha256[32:]}\n"
    assert checked(settings, anchors, newest) == [SPRINT, PLAN]
    with pytest.raises(ChotsoError, match="the anchor 00000"):
        checked(settings, anchors, newest + f"{SPRINT} {'0' * 64}\n")
    with pytest.raises(ChotsoError, match="its root is None"):
        checked(settings, anchors, newest + f"gone-2021 {'0' * 64}\n")
    with pytest.raises(ChotsoError, match="two roots"):
        checked(settings, anchors, newest + f"{PLAN} {'0' * 64}\n")
    with pytest.raises(ChotsoError, match="cannot be read"):
        checked(settings, tmp_path / "missing", None)
    with pytest.raises(ChotsoError, match="lies in the releases folder"):
        checked(settings, settings.releases_dir / ".anchors", None)


def recorded(settings: Settings) -> list[tuple[str, int]]:
    """Results of the daily look, the newest first, and how many there are."""
    with connect(settings) as conn:
        rows = conn.execute("select result, check_id from ops.release_check order by 2 desc")
        return rows.fetchall()


def test_a_mistake_in_the_anchors_is_no_release_that_differs(
    sealed: Sealed, tmp_path: Path
) -> None:
    settings, _, _ = sealed
    with pytest.raises(UnanchoredError, match="no `RELEASE ROOT`"):
        checked(settings, tmp_path / "anchors", "sprint-2021-q4 12g4\n")
    assert recorded(settings)[0][0] == "unanchored"
    forge(settings, f"update frozen.attainment set is_met = true {WHERE}")
    try:
        with pytest.raises(DiffersError, match="is_met is"):
            checked(settings, tmp_path / "anchors", None)
    finally:
        forge(settings, f"update frozen.attainment set is_met = null {WHERE}")
    assert recorded(settings)[0][0] == "differs", "a mistake there hides nothing"


def test_a_warehouse_that_is_busy_or_away_says_nothing_of_a_release(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _, _ = sealed
    before = recorded(settings)
    away = settings.model_copy(
        update={"warehouse_url": "postgresql://nobody:x@127.0.0.1:1/w?connect_timeout=2"}
    )
    with pytest.raises(ChotsoError, match="does not answer"):
        check_releases(away)
    impatient = f"{warehouse.SESSION} -c lock_timeout=500ms"
    monkeypatch.setattr(
        warehouse, "_reached", lambda settings: warehouse.login_session(settings, impatient)
    )
    with psycopg.connect(str(settings.admin_url)) as holder:
        holder.execute("lock table frozen.attainment in access exclusive mode")
        with pytest.raises(BusyError):
            check_releases(settings)
        holder.rollback()
    assert recorded(settings) == before


def test_the_daily_look_is_a_command(sealed: Sealed, tmp_path: Path) -> None:
    settings, _, plan = sealed
    anchors = tmp_path / "anchors"
    anchors.write_text(f"{PLAN} {plan.root_sha256}\n", encoding="utf-8")
    variables = environment_of(settings)
    done = typed("verify", "--daily", environment=variables)
    assert done.returncode == 1
    assert "no anchor vouches for it" in done.stderr
    assert recorded(settings)[0][0] == "unanchored"
    done = typed("verify", "--daily", environment=variables | {"CHOTSO_ANCHOR_FILE": str(anchors)})
    assert (done.returncode, done.stdout) == (0, f"verified: {SPRINT}, {PLAN}\n")
    assert recorded(settings)[0][0] == "verified"
    for wrong in (["verify"], ["verify", "--daily", "--deep"], ["verify", "x", "--daily"]):
        assert typed(*wrong, environment=variables).returncode == 2


def test_the_daily_look_raises_what_differs(sealed: Sealed) -> None:
    settings, _, _ = sealed
    forge(settings, f"update frozen.attainment set is_met = true {WHERE}")
    try:
        with pytest.raises(ChotsoError, match="is_met is") as refused:
            check_releases(settings)
    finally:
        forge(settings, f"update frozen.attainment set is_met = null {WHERE}")
    assert "touch nothing" in str(refused.value)


def test_rows_of_no_release_are_named(sealed: Sealed) -> None:
    settings, _, _ = sealed
    forge(
        settings,
        "alter table frozen.arrears_ratio drop constraint arrears_ratio_release_id_fkey",
        "insert into frozen.arrears_ratio (release_id, agency_code, month, group_code, "
        "variant_code) values ('made-up', '07200', '2021-12-01', 'total', 'x')",
    )
    try:
        result = verify_with_database(settings, settings.releases_dir)
    finally:
        forge(
            settings,
            "delete from frozen.arrears_ratio where release_id = 'made-up'",
            "alter table frozen.arrears_ratio add constraint arrears_ratio_release_id_fkey "
            "foreign key (release_id) references frozen.release",
        )
    assert [(each.path, each.message) for each in result.findings] == [
        ("frozen.arrears_ratio", "1 rows of made-up, no release")
    ]


def test_the_daily_look_misses_a_folder_that_is_gone(sealed: Sealed, tmp_path: Path) -> None:
    settings, _, _ = sealed
    empty = settings.model_copy(update={"releases_dir": tmp_path})
    with pytest.raises(ChotsoError, match=f"the warehouse has {PLAN}, {SPRINT}"):
        check_releases(empty)


def test_before_the_first_seal_there_is_nothing_to_look_at(
    running: SandboxServer, tmp_path: Path
) -> None:
    with product(running, "database_none", tmp_path) as other:
        assert check_releases(other.settings).status == "nothing"
