"""The drill: a world with its nights and a sealed release, back on an empty machine, made again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chotso.backup import take
from chotso.backup.restore import restore
from chotso.migrate import migrate
from chotso.release.check.database import verify_with_database
from chotso.release.seal.freeze import freeze
from chotso.sandbox import server
from chotso.sandbox.server import SandboxServer
from chotso.settings import Places, Settings
from tests.backup.drill import content, moved, places
from tests.worlds.deep_world import SPRINT, Lived, live, made_again
from tests.worlds.product import product
from tests.worlds.sandbox_homes import new_home

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(1800)]

SEED = 2


@pytest.fixture(scope="module")
def lived(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with product(running, "drill", tmp_path_factory.mktemp("drill")) as made:
        yield live(made, SEED, rehearse=False)


@pytest.fixture(scope="module")
def settings(lived: Lived) -> Settings:
    return lived.warehouse.settings


def test_the_drill(
    running: SandboxServer, lived: Lived, settings: Settings, here: Places, to: Path
) -> None:
    taken = take.take(here, to)
    report = lived.releases["original"]
    with new_home() as home:
        empty = places(home)
        restore(empty, taken.backup)
        found = server.load(home)
        assert found is not None
        back = moved(settings, found, empty)
        assert content(back.admin_url or "") == content(settings.admin_url or "")
        assert migrate(back).rights_put_back == 0
        bundle = empty.releases_dir / SPRINT
        again = verify_with_database(back, bundle, report.root_sha256)
        assert (again.status, again.findings) == ("verified", [])
        deep = made_again(running, lived, report, home / "deep", Path(empty.landing_url))
        assert (deep.findings, deep.root_sha256) == ([], report.root_sha256)
        assert freeze(back, SPRINT).root_sha256 == report.root_sha256
