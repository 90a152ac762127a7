"""What the loader's login lays down for a seal: leftovers, metrics left out, odd characters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chotso.release.bundle import papers
from chotso.release.seal import freeze as release
from chotso.settings import Settings
from tests.attacks.sealed_world import a_server
from tests.attacks.test_others_queues import LATER
from tests.worlds import freeze_world
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse]


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("laid")
    with a_server() as (running, _), product(running, "laid", folder) as made:
        yield made


@pytest.fixture
def settings(laid: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    def short(folder: Path, manifest: Any) -> None:
        for name in ("report.pdf", "report.xlsx"):
            (folder / name).write_bytes(b"x")

    monkeypatch.setattr(papers, "add_reports", short)  # they take most of a freeze's time
    settings = laid.settings.model_copy(update={"releases_dir": tmp_path / "releases"})
    freeze_world.empty(settings)
    freeze_world.prepare(settings, laid.source_admin_url)
    return settings


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
