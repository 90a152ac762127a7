"""A freeze killed anywhere, or run many times at once: one release or none, and the same root."""

import random
import time
from pathlib import Path

import pytest

from chotso.registers import load_registers
from chotso.verifier.verify import verify
from tests.proofs import record, size
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import PERIODS, count, killed_at, seal
from tests.worlds.product import Product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.faults]

SPRINT = PERIODS[0]
BEFORE_THE_SEAL = [
    "freeze.begin",
    "fake.published-agencies",
    "fake.published-payments",
    "freeze.extract-returned",
    "freeze.extracted",
    "fake.half-built",
    "freeze.build-returned",
    "freeze.built",
    "freeze.checked",
    "freeze.writing",
    "freeze.manifest-written",
    "freeze.staged",
    "freeze.sealing",
]
AFTER_THE_SEAL = ["freeze.sealed", "freeze.placed", "freeze.cleaned"]


@pytest.fixture
def warehouse(made: Product, tmp_path: Path) -> Product:
    return fresh(made, tmp_path / "releases")


def fresh(made: Product, releases: Path) -> Product:
    settings = world.fresh(made, releases)
    return Product(settings, made.source_admin_url, made.admin_url, made.drop)


@pytest.fixture(scope="module")
def undisturbed(made: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The root of a freeze that nothing befell."""
    return seal(fresh(made, tmp_path_factory.mktemp("undisturbed")).settings).root_sha256


def check_one_whole_release(warehouse: Product, root: str) -> None:
    settings = warehouse.settings
    assert count(settings, "select count(*) from frozen.release") == 1
    of_one = 3 * 12 * len(load_registers().metrics.metrics)
    assert count(settings, "select count(*) from frozen.attainment") == of_one
    assert verify(settings.releases_dir, root).status == "verified"
    assert [path.name for path in settings.releases_dir.iterdir()] == [SPRINT]
    assert count(settings, "select count(*) from pg_namespace where nspname ~ '^freeze_'") == 0
    assert count(settings, "select count(*) from ops.freeze where state = 'placed'") == 1


@pytest.mark.parametrize("name", [*BEFORE_THE_SEAL, *AFTER_THE_SEAL])
def test_killed_and_run_again(undisturbed: str, warehouse: Product, name: str) -> None:
    killed_at(warehouse.settings, name)
    sealed = count(warehouse.settings, "select count(*) from frozen.release")
    assert sealed == (name in AFTER_THE_SEAL)
    assert sealed or not (warehouse.settings.releases_dir / SPRINT).exists()
    report = seal(warehouse.settings)
    assert (report.root_sha256, report.already_sealed) == (undisturbed, bool(sealed))
    check_one_whole_release(warehouse, undisturbed)


def test_killed_at_every_step_in_turn(undisturbed: str, warehouse: Product) -> None:
    for name in [*BEFORE_THE_SEAL, "freeze.sealed"]:
        if name not in ("fake.published-agencies", "fake.published-payments"):
            killed_at_or_past(warehouse, name)
    assert seal(warehouse.settings).root_sha256 == undisturbed
    check_one_whole_release(warehouse, undisturbed)


def killed_at_or_past(warehouse: Product, name: str) -> None:
    """A step that an earlier attempt did is not done again, so its failpoint may not be met."""
    child = world.run_child(warehouse.settings, failpoint_name=name)
    child.ended(timeout=120)
    assert child.exitcode in (0, -9)


@pytest.mark.proof
@pytest.mark.timeout(3000)
def test_killed_at_any_moment(undisturbed: str, made: Product, tmp_path: Path) -> None:
    """Not where the code names a point: whenever the kill comes."""
    begin = time.monotonic()
    world.run_child(fresh(made, tmp_path / "whole").settings).ended(timeout=120)
    span = time.monotonic() - begin
    chance, kills, sealed = random.Random(4), size(3, 60), 0
    for number in range(kills):
        warehouse = fresh(made, tmp_path / str(number))
        child = world.run_child(warehouse.settings)
        time.sleep(chance.uniform(0.2, 1.0) * span)  # before that it only imports
        child.kill()
        child.ended(timeout=120)
        sealed += count(warehouse.settings, "select count(*) from frozen.release")
        assert seal(warehouse.settings).root_sha256 == undisturbed
        check_one_whole_release(warehouse, undisturbed)
    record("a freeze killed at any moment", kills=kills, sealed_before_the_kill=sealed, roots=1)


@pytest.mark.parametrize("name", ["freeze.restoring", "freeze.set-aside"])
def test_killed_while_a_damaged_bundle_is_restored(
    undisturbed: str, warehouse: Product, name: str
) -> None:
    report = seal(warehouse.settings)
    (report.bundle / "signature.pdf").write_bytes(b"signed")
    (report.bundle / "SPEC.md").unlink()
    killed_at(warehouse.settings, name)
    assert seal(warehouse.settings).root_sha256 == undisturbed
    assert verify(report.bundle, undisturbed).status == "verified"
    assert (report.bundle / "signature.pdf").read_bytes() == b"signed"


def test_a_killed_rehearsal_is_finished_under_its_own_number(warehouse: Product) -> None:
    killed_at(warehouse.settings, "freeze.sealed", rehearse=True)
    report = seal(warehouse.settings, rehearse=True)
    assert (report.release_id, report.already_sealed) == (f"rehearsal-{SPRINT}-1", True)
    assert verify(report.bundle, report.root_sha256).status == "verified"
    assert seal(warehouse.settings, rehearse=True).release_id == f"rehearsal-{SPRINT}-2"


@pytest.mark.proof
def test_many_at_once_seal_one_release(undisturbed: str, warehouse: Product) -> None:
    runs = size(6, 24)
    children = [world.run_child(warehouse.settings) for _ in range(runs)]
    results = [child.ended(timeout=300) for child in children]
    assert [child.exitcode for child in children] == [0] * runs, results
    assert {out.strip() for out, _ in results} == {undisturbed}
    check_one_whole_release(warehouse, undisturbed)
    record("freezes at once", runs=runs, releases=1, roots=1)


def test_both_periods_at_once_make_one_chain(warehouse: Product) -> None:
    children = [world.run_child(warehouse.settings, period_id) for period_id in PERIODS * 2]
    results = [child.ended(timeout=300) for child in children]
    assert [child.exitcode for child in children] == [0] * 4, results
    roots = {out.strip() for out, _ in results}
    assert len(roots) == 2
    statuses = [verify(warehouse.settings.releases_dir, root).status for root in roots]
    assert sorted(statuses) == ["failed", "verified"]  # the newest root alone is the anchor


def test_a_second_run_waits_for_the_first(undisturbed: str, warehouse: Product) -> None:
    settings = warehouse.settings
    with world.connect(settings) as conn, world.PARTS.hold(conn, "freeze"):
        child = world.run_child(settings)
        time.sleep(2)
        assert child.exitcode is None
    out, err = child.ended(timeout=120)
    assert out.strip() == undisturbed, err
