"""A release is made again, to the byte, from the landing archive on an empty warehouse.

The province has every planted defect, so rows are set aside and files refused; rows are replayed
and one is waived; and where a precondition is not met, two persons let it pass.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_all
from chotso.quarantine.replay import replay
from chotso.quarantine.rows import rows_set_aside
from chotso.quarantine.waive import waive
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.sandbox.province import advance, seed
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.cli.test_cli import chotso
from tests.worlds.deep_world import SPRINT, Lived
from tests.worlds.deep_world import sealed as let_pass
from tests.worlds.freeze_world import CUTOFF
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def warehouse(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("deep")
    with product(running, "freeze_deep", folder) as made:
        seed(
            made.source_admin_url, made.drop, persons=600, employers=60, year=2021, seed=5,
            defects="all", state_dir=made.settings.home / "state", progress=lambda _: None,
        )  # fmt: skip
        live_until(made, CUTOFF - timedelta(hours=40))
        extract_all(made.settings, date(2021, 12, 29))  # what is refused is refused
        run_build(made.settings)
        with connect(made.settings) as conn:
            aside = rows_set_aside(conn)
        assert {row.feed for row in aside} >= {"payments", "c12"}
        for feed in ("payments", "c12"):
            row = next(each for each in aside if each.feed == feed)
            waive(made.settings, row.id, reason="Đã xem, không tính", by="Trần Thị Thử")
        live_until(made, CUTOFF - timedelta(hours=20))
        replay(made.settings)  # c12's rows land a batch of their own, and stay where they are
        live_until(made, CUTOFF + timedelta(seconds=20))
        yield made


@pytest.fixture(scope="module")
def sealed(warehouse: Product) -> FreezeReport:
    return let_pass(
        lambda override: freeze(warehouse.settings, SPRINT, override=override), Lived(warehouse)
    )


def live_until(made: Product, clock: datetime) -> None:
    advance(
        made.source_admin_url, made.drop, to=clock, state_dir=made.settings.home / "state",
        progress=lambda _: None,
    )  # fmt: skip


def test_the_command_makes_the_release_again_on_a_server_of_its_own(
    warehouse: Product, sealed: FreezeReport
) -> None:
    inputs = json.loads((sealed.bundle / "manifest.json").read_bytes())["inputs"]
    assert sum("act_id" in each for each in inputs) == 2
    done = chotso(
        warehouse,
        *("verify", str(sealed.bundle), "--anchor", sealed.root_sha256, "--deep", "--json"),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["status"], told["findings"]) == ("verified", [])
    assert "made again from the archive: the same to the byte" in told["notes"]
