"""What the loader's login lays down for a seal: leftovers, metrics left out, odd characters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.release import state
from chotso.release.seal import freeze as release
from chotso.settings import Settings
from tests.attacks.sealed_world import a_server
from tests.attacks.test_others_queues import LATER
from tests.worlds import freeze_world, inventions
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse]


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("laid")
    with a_server() as (running, _), product(running, "laid", folder) as made:
        yield made


@pytest.fixture
def settings(laid: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    freeze_world.shorten_reports(monkeypatch)
    return freeze_world.fresh(laid, tmp_path / "releases")


def test_what_was_laid_down_and_never_sealed_stops_no_seal(settings: Settings) -> None:
    with freeze_world.connect(settings) as conn:
        for statement in LATER.values():
            conn.execute(statement.encode())
        conn.commit()
    said: list[str] = []
    report = release.freeze(
        settings, freeze_world.PERIODS[0], parts=freeze_world.PARTS, progress=said.append
    )
    assert not report.already_sealed
    with freeze_world.connect(settings) as conn:
        noted = conn.execute("select leftovers from ops.freeze").fetchone()
        planted = conn.execute(
            "select (select count(*) from frozen.bundle_file where path ~ 'planted')"
            " + (select count(*) from frozen.ranking where participant_code = 'planted')"
            " + (select count(*) from frozen.attainment where agency_code = '07299')"
        ).fetchone()
    assert noted == ({"ranking": 1, "attainment": 1, "file": 1},)
    assert planted == (0,)
    assert any("never sealed has been taken away" in each for each in said)


def test_a_seal_that_finds_nothing_notes_nothing(settings: Settings) -> None:
    freeze_world.seal(settings)
    with freeze_world.connect(settings) as conn:
        assert conn.execute("select leftovers from ops.freeze").fetchone() == (None,)


def test_nothing_is_taken_away_beside_a_seal(settings: Settings) -> None:
    """Else rows that a seal has looked at could be exchanged before it moves them."""
    with freeze_world.connect(settings) as sealing, freeze_world.connect(settings) as other:
        sealing.execute("select sealing.clear_leftovers('the seal that runs')")
        other.execute("set statement_timeout = '3s'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute("select sealing.clear_leftovers('x')")
        other.rollback()
        sealing.rollback()
        assert other.execute("select sealing.clear_leftovers('x')").fetchone() == ({},)


BEFORE_IT_IS_READ = {
    "an index on an expression": "create index on fct_monthly_attainment (lower(agency_code))",
    "a partial index": "create index on fct_monthly_attainment (month) where agency_code > '0'",
    "statistics": "create statistics on agency_code, month from fct_monthly_attainment",
}


@pytest.mark.parametrize("planted", BEFORE_IT_IS_READ.values(), ids=BEFORE_IT_IS_READ.keys())
def test_a_build_that_could_run_code_when_planned_is_not_read(
    settings: Settings, planted: str
) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="no plain table"):
        release.freeze(settings, freeze_world.PERIODS[0], parts=inventions.built_then(planted))


# Two officers of one agency, whose names stand on two lines; the second collected twice as much.
TWO_LINES = r"""
create table twin as select * from fct_officer_attainment;
update twin set officer_code = 'CB02', officer_key = 'CB02|first',
    actual_to_date = actual_to_date * 2;
insert into fct_officer_attainment select * from twin;
drop table twin;
update dim_officer set officer_name = E'Cán\nbộ, "một"';
insert into dim_officer values ('CB02|first', E'Cán\nbộ, "hai"')
"""


def test_names_on_two_lines_are_sealed_as_they_are(settings: Settings) -> None:
    release.freeze(settings, freeze_world.PERIODS[0], parts=inventions.built_then(TWO_LINES))
    with freeze_world.connect(settings) as conn:
        names = conn.execute("select distinct officer_name from frozen.officer_attainment")
        assert {name for (name,) in names} == {'Cán\nbộ, "một"', 'Cán\nbộ, "hai"'}


def test_lines_dealt_out_to_other_records_are_not_sealed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Line by line these are the rows of the file, but each officer has the other's figures."""
    copy = state._copy_figures

    def forged(conn: psycopg.Connection, spec: Any, path: Path) -> None:
        if spec.name == "officer_attainment":
            lines = path.read_bytes().splitlines(keepends=True)
            other = 2 + (len(lines) - 1) // 2
            assert b"CB01" in lines[1]
            assert b"CB02" in lines[other - 1]
            lines[2], lines[other] = lines[other], lines[2]
            path = tmp_path / "forged.csv"
            path.write_bytes(b"".join(lines))
        copy(conn, spec, path)

    monkeypatch.setattr(state, "_copy_figures", forged)
    with pytest.raises(psycopg.errors.RaiseException, match="the rows of officer_attainment are"):
        release.freeze(settings, freeze_world.PERIODS[0], parts=inventions.built_then(TWO_LINES))
