"""Locks that logins may still ask for without a right: a seal is not queued behind them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.settings import Settings
from tests.attacks.roles import ATTACKERS, made, session
from tests.attacks.sealed_world import SealedWorld, a_server
from tests.worlds import freeze_world
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse]

AGENCY = next(each for each in ATTACKERS if each.name == "agency_reader")
READER = next(each for each in ATTACKERS if each.name == "reader")

# Each may ask for its lock before for its right; `{o}` is a table whose schema may be used.
ASKS = (
    "create temp table t (x text references {o})",
    "create temp table t () inherits ({o})",
    "create temp table t (like {o} including all)",
    "create rule planted as on update to {o} do instead nothing",
    "create trigger planted before insert on {o} for each row "
    "execute function suppress_redundant_updates_trigger()",
    "create policy planted on {o}",
    "create index on {o} ((1))",
    "create statistics planted on ctid, xmin from {o}",
    "alter table {o} add check (true)",
    "alter table {o} inherit {o}",
    "comment on table {o} is 'planted'",
    "drop table {o}",
    "truncate {o}",
    "cluster {o}",
    "vacuum full {o}",
    "reindex table {o}",
    "lock table {o} in share row exclusive mode",
    "refresh materialized view {o}",
    "create publication planted for table {o}",
)
HELD = ("frozen.release", "frozen.attainment", "marts_store.dim_month", "ops.exposed")


def test_who_has_no_temporary_tables_waits_for_no_strong_lock(world: SealedWorld) -> None:
    """While rows are written, as a prepared statement does without a right, none of these waits."""
    world.admin.rollback()
    waited = []
    with (
        made(world.admin, AGENCY),
        psycopg.connect(world.admin_url) as writing,
        session(world.admin_url, AGENCY) as conn,
    ):
        world.admin.execute(
            f"revoke temporary on database {world.admin.info.dbname} from {AGENCY.login}".encode()
        )
        world.admin.commit()
        for relation in HELD:
            writing.execute(f"lock table {relation} in row exclusive mode".encode())
        conn.execute("set lock_timeout = '300ms'")
        for relation in HELD:
            for ask in ASKS:
                try:
                    conn.execute(ask.format(o=relation).encode())
                except psycopg.errors.LockNotAvailable:
                    waited.append(ask.format(o=relation))
                except psycopg.Error:
                    continue
    assert waited == []


@pytest.fixture(scope="module")
def queued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("queued")
    with a_server() as (running, _), product(running, "queued", folder) as made_product:
        yield made_product


@pytest.fixture
def settings(queued: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    freeze_world.shorten_reports(monkeypatch)
    return freeze_world.fresh(queued, tmp_path / "releases")


def test_a_seal_ends_who_queues_a_strong_lock_before_its_rows(
    queued: Product, settings: Settings
) -> None:
    """An office gave temporary tables to a BI tool: a foreign key is a lock to queue with.

    `frozen.make_way` sees to frozen.release alone; the naive wait for another table is endless.
    """
    told: list[str] = []

    def ask() -> None:
        try:
            with session(queued.admin_url, READER) as asking:
                asking.execute("set statement_timeout = '60s'")
                asking.execute("create temp table t (x text references frozen.ranking)")
        except psycopg.Error as error:
            told.append(str(error))

    with (
        psycopg.connect(queued.admin_url) as admin,
        made(admin, READER),
        session(queued.admin_url, READER) as holding,
    ):
        holding.execute("begin; prepare p as delete from frozen.ranking")
        thread = threading.Thread(target=ask)
        thread.start()
        report = freeze_world.seal(settings)
        thread.join()
    assert not report.already_sealed
    assert ["terminating connection" in each for each in told] == [True]
