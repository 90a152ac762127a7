"""`verify --database` on what the marts show as official: what the loader's login writes there."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from chotso.build import run_build
from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.release.check import database
from chotso.release.check.daily import check_releases
from chotso.release.check.database import verify_with_database
from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from tests.worlds.build_warehouse import Servers, new_warehouse
from tests.worlds.build_world import instant
from tests.worlds.forger import forge
from tests.worlds.late_world import LATER, PERIOD, Nights, parts, two_agencies

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

OTHER = "plan-2021-m09-12"
FIRST, SECOND = "07201", "07202"
FIGURES, RANKING, POINTS = "rpt_period_attainment", "rpt_emulation_ranking", "rpt_emulation_points"
FIGURE = f'["{FIRST}", "2021-12-01", "collection_total"]'
OF_FIGURE = f"period_id = '{PERIOD}' and agency_code = '{FIRST}' and metric_code = " + (
    "'collection_total'"
)
OF_PLACE = f"period_id = '{PERIOD}' and participant_type = 'agency' and participant_code = " + (
    f"'{SECOND}'"
)
OF_POINTS = f"{OF_PLACE} and metric_code = 'collection_total'"


@dataclasses.dataclass(frozen=True)
class Shown:
    """A built warehouse with one sealed period of two."""

    settings: Settings
    world: Nights
    original: FreezeReport

    def told(self, report: FreezeReport | None = None) -> list[str]:
        report = report or self.original
        result = verify_with_database(self.settings, report.bundle, report.root_sha256)
        assert {finding.code for finding in result.findings} <= {"database"}
        is_told = "compared with the warehouse: readers see what was sealed" in result.notes
        assert is_told == (not result.findings)
        return [f"{finding.path}: {finding.message}" for finding in result.findings]


@pytest.fixture(scope="module")
def shown(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("shown")
    with new_warehouse(servers, folder) as made:
        settings = made.settings.model_copy(update={"releases_dir": folder / "releases"})
        with psycopg.connect(made.admin_url, autocommit=True) as admin:
            world = Nights(admin)
            two_agencies(world, FIRST, SECOND)
            migrate(settings)
            run_build(settings)
            yield Shown(settings, world, freeze(settings, PERIOD, parts=parts()))


@contextmanager
def written(shown: Shown, mart: str, statement: str) -> Iterator[None]:
    """What the loader's login writes; afterwards the mart is as it was."""
    store = f"marts_store.{mart}"
    forge(shown.settings, f"create table public.kept as table {store}")
    try:
        with connect(shown.settings) as conn:
            conn.execute(statement.encode())
        yield
    finally:
        forge(
            shown.settings,
            f"delete from {store}",
            f"insert into {store} table public.kept",
            "drop table public.kept",
        )


def changed(mart: str, where: str, change: str) -> str:
    """Rows written anew, for the loader has no right to update."""
    return (
        f"with gone as (delete from marts_store.{mart} where {where} returning *) "
        f"{added(mart, 'gone', 'true', change)}"
    )


def added(mart: str, source: str, where: str, change: str) -> str:
    store = f"marts_store.{mart}"
    return (
        f"insert into {store} select (jsonb_populate_record(null::{store}, "
        f"to_jsonb(old) || '{change}')).* from {source} as old where {where}"
    )


# The mart, what the loader's login does there, and what each finding says.
WRITTEN: dict[str, tuple[str, str, list[str]]] = {
    "a figure": (
        FIGURES,
        changed(FIGURES, OF_FIGURE, '{"actual_to_date": 901}'),
        [f'row {FIGURE}: actual_to_date is "901", in the bundle "900"'],
    ),
    "a verdict": (
        FIGURES,
        changed(FIGURES, OF_FIGURE, '{"is_met": true, "attainment_ratio": 1.5}'),
        [f'row {FIGURE}: attainment_ratio is "1.5", in the bundle "0.9"',
         f'row {FIGURE}: is_met is "true", in the bundle "false"'],
    ),
    "a figure of another month": (
        FIGURES,
        added(FIGURES, f"marts_store.{FIGURES}", OF_FIGURE, '{"month": "2021-11-01"}'),
        [f'row {FIGURE.replace("-12-", "-11-")} is not in the bundle'],
    ),
    "a rank": (
        RANKING,
        changed(RANKING, OF_PLACE, '{"rank_number": 1}'),
        [f'row ["agency", "{SECOND}"]: rank_number is "1", in the bundle "2"'],
    ),
    "a sentence": (
        RANKING,
        changed(RANKING, OF_PLACE, '{"explanation_vi": "Hạng nhất"}'),
        [f'row ["agency", "{SECOND}"]: explanation_vi is "Hạng nhất", in the bundle '],
    ),
    "a row less": (
        RANKING,
        f"delete from marts_store.{RANKING} where {OF_PLACE}",
        [f'row ["agency", "{SECOND}"] of the bundle is not there'],
    ),
    "a row more": (
        RANKING,
        added(RANKING, f"marts_store.{RANKING}", OF_PLACE, '{"participant_code": "07209"}'),
        ['row ["agency", "07209"] is not in the bundle'],
    ),
    "a billionth of a point": (
        POINTS,
        changed(POINTS, OF_POINTS, '{"weight_points": 0.000000001}'),
        [f'row ["agency", "{SECOND}", "collection_total"]: weight_points is "0.000000001", '],
    ),
    "no mark": (
        POINTS,
        changed(POINTS, OF_POINTS, '{"is_sealed": false}'),
        [f'row ["agency", "{SECOND}", "collection_total"]: is_sealed is "false", in the bundle '
         '"true"'],
    ),
    "another release's mark": (
        POINTS,
        changed(POINTS, OF_POINTS, f'{{"release_id": "{OTHER}"}}'),
        [f'row ["agency", "{SECOND}", "collection_total"]: release_id is "{OTHER}", in the '
         f'bundle "{PERIOD}"'],
    ),
    **{
        f"a period of {mart} that is not sealed": (
            mart,
            changed(
                mart, f"period_id = '{OTHER}'",
                f'{{"is_sealed": true, "release_id": "{release_id}"}}',
            ),
            [f" rows of {OTHER} are marked as sealed by {release_id}, which is not its current "
             "release"],
        )
        for mart, release_id in ((FIGURES, OTHER), (RANKING, PERIOD), (POINTS, OTHER))
    },
}  # fmt: skip


def test_what_was_sealed_is_what_the_marts_show(shown: Shown) -> None:
    assert shown.told() == []
    result = verify_with_database(shown.settings, shown.settings.releases_dir)
    assert result.findings == []
    assert not [note for note in result.notes if "not compared" in note]


@pytest.mark.parametrize(("mart", "statement", "wanted"), WRITTEN.values(), ids=WRITTEN.keys())
def test_what_the_loader_writes_is_found(
    shown: Shown, mart: str, statement: str, wanted: list[str]
) -> None:
    with written(shown, mart, statement):
        found = shown.told()
        assert len(found) == len(wanted), found
        for line, start in zip(found, wanted, strict=True):
            assert line.startswith(f"marts.{mart}: "), line
            assert start in line, line
        with pytest.raises(ChotsoError, match=f"database: marts.{mart}: "):
            check_releases(shown.settings)
    assert shown.told() == []


def test_many_differences_are_named_and_counted(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "NAMED", 3)
    with written(shown, FIGURES, f"delete from marts_store.{FIGURES}"):
        found = shown.told()
    assert len(found) == 4
    assert found[-1].startswith(f"marts.{FIGURES}: and ")
    assert found[-1].endswith(f" more differences of {PERIOD}")


def test_a_view_that_does_not_say_what_is_sealed_is_no_finding(shown: Shown) -> None:
    forge(shown.settings, f"alter view marts.{POINTS} rename column is_sealed to was_sealed")
    try:
        report = shown.original
        result = verify_with_database(shown.settings, report.bundle, report.root_sha256)
    finally:
        forge(shown.settings, f"alter view marts.{POINTS} rename column was_sealed to is_sealed")
    assert result.findings == []
    assert f"not compared, for no build has made them yet: marts.{POINTS}" in result.notes


def test_a_superseded_release_is_not_what_the_marts_show(shown: Shown) -> None:
    """After a corrigendum its rows stand there: the original's bundle is no measure of them."""
    shown.world.night(LATER, ["payments"])
    shown.world.payment("late", "2021-12-20T10:00", ("BHYT", 700, 0), agency=SECOND)
    later = dataclasses.replace(parts(), source_clock=lambda settings: instant(LATER))
    report = corrigendum(
        shown.settings, PERIOD, reason="Ghi nhận muộn", author="Trần Thị Thử", parts=later
    )
    assert shown.told() == shown.told(report) == []
    with written(shown, RANKING, changed(RANKING, OF_PLACE, '{"rank_number": 7}')):
        assert shown.told() == []
        assert len(shown.told(report)) == 1
    old = changed(RANKING, OF_PLACE, f'{{"release_id": "{PERIOD}"}}')
    with written(shown, RANKING, old):
        (found,) = shown.told()
    assert found == (
        f"marts.{RANKING}: 1 rows of {PERIOD} are marked as sealed by {PERIOD}, "
        "which is not its current release"
    )
