"""Code that a loader plants where the seal looks: it must never run with the owner's rights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.migrate import CODE
from chotso.release import state
from chotso.settings import Settings
from tests.attacks.sealed_world import a_server
from tests.worlds import freeze_world
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse]

# Shadows the catalog for every function that does not put temporary objects last.
SHADOW = """
create function marts_build.planted() returns boolean language plpgsql cost 0.0001 as $$
begin
    if current_user = 'chotso_owner' then raise exception 'ran as the owner'; end if;
    return true;
end $$;
grant usage on schema marts_build to public;
create temp view pg_class as select * from pg_catalog.pg_class where marts_build.planted();
grant select on pg_temp.pg_class to public;
discard plans
"""
# A type that becomes a number by a function of the loader's, whatever the search_path is.
CAST = """
create type marts_build.amount as (x numeric);
create function marts_build.planted(marts_build.amount) returns numeric language plpgsql as $$
begin
    {does};
    return $1.x;
end $$;
create cast (marts_build.amount as numeric)
with function marts_build.planted(marts_build.amount) as implicit;
grant usage on schema marts_build to public;
alter table {schema}.fct_reconciliation
alter column paid_vnd type marts_build.amount using row(paid_vnd)::marts_build.amount
"""
TELLS = "if current_user = 'chotso_owner' then raise exception 'ran as the owner'; end if"
MOVES_THE_PATH = "perform set_config('search_path', 'marts_build, pg_catalog', false)"
TAKES_THE_FUNCTION = "alter function ops.built_figures(text) security invoker"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("planted")
    with a_server() as (running, _), product(running, "planted", folder) as made:
        yield made


@pytest.fixture
def settings(made: Product, tmp_path: Path) -> Settings:
    with freeze_world.as_admin(made.settings) as conn:
        conn.execute("drop type if exists marts_build.amount cascade")
        conn.execute("drop function if exists marts_build.planted()")
    return freeze_world.fresh(made, tmp_path / "releases")


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run statements as the loader in the transaction of the seal, before it is asked for."""
    copy = state._copy_figures

    def with_code(statements: str) -> None:
        planted: list[bool] = []

        def copied(conn: psycopg.Connection, spec: Any, path: Path) -> None:
            if not planted:
                planted.append(True)
                row = conn.execute("select target_schema from ops.freeze").fetchone()
                assert row is not None
                conn.execute(statements.replace("{schema}", row[0]).encode())
            copy(conn, spec, path)

        monkeypatch.setattr(state, "_copy_figures", copied)

    return with_code


def test_a_temporary_catalog_is_not_read(settings: Settings, plant: Any) -> None:
    plant(SHADOW)
    assert not freeze_world.seal(settings).already_sealed


def test_the_naive_search_path_reads_it_with_the_owner_s_rights(
    settings: Settings, plant: Any
) -> None:
    with freeze_world.past_the_guards(settings) as conn:
        conn.execute("alter function sealing.odd_relations set search_path = pg_catalog")
    try:
        plant(SHADOW)
        with pytest.raises(psycopg.errors.RaiseException, match="ran as the owner"):
            freeze_world.seal(settings)
    finally:
        with freeze_world.past_the_guards(settings) as conn:
            conn.execute("select guard.protect()")


@pytest.mark.parametrize("does", [TELLS, MOVES_THE_PATH, TAKES_THE_FUNCTION])
def test_a_build_that_holds_code_is_not_read_at_all(
    settings: Settings, plant: Any, does: str
) -> None:
    plant(CAST.replace("{does}", does))
    refused = pytest.raises(psycopg.errors.RaiseException, match="is no plain table")
    with refused:
        freeze_world.seal(settings)


@pytest.fixture
def read_all_the_same(settings: Settings) -> Iterator[None]:
    """As if the look for code saw nothing: what stands behind it must hold too."""
    blind = "create or replace function sealing.odd_relations(of_schema text) returns text "
    with freeze_world.past_the_guards(settings) as conn:
        conn.execute(blind + "language sql stable as 'select null::text'")  # type: ignore[arg-type, unused-ignore]
    try:
        yield
    finally:
        with freeze_world.past_the_guards(settings) as conn:
            conn.execute((CODE / "026_build.sql").read_text("utf-8").encode())
            conn.execute("select guard.protect()")


@pytest.mark.usefixtures("read_all_the_same")
def test_a_planted_cast_has_no_more_rights_than_the_loader(settings: Settings, plant: Any) -> None:
    plant(CAST.replace("{does}", TELLS))
    assert not freeze_world.seal(settings).already_sealed


@pytest.mark.usefixtures("read_all_the_same")
def test_the_naive_owner_runs_the_planted_cast(settings: Settings, plant: Any) -> None:
    with freeze_world.past_the_guards(settings) as conn:
        conn.execute("alter function ops.built_figures owner to chotso_owner")
        conn.execute("grant chotso_loader to chotso_owner")
    try:
        plant(CAST.replace("{does}", TELLS))
        with pytest.raises(psycopg.errors.RaiseException, match="ran as the owner"):
            freeze_world.seal(settings)
    finally:
        with freeze_world.past_the_guards(settings) as conn:
            conn.execute("alter function ops.built_figures owner to chotso_checker")
            conn.execute("grant execute on function ops.built_figures to chotso_owner")
            conn.execute("revoke chotso_loader from chotso_owner")


@pytest.mark.usefixtures("read_all_the_same")
def test_planted_code_does_not_choose_what_the_seal_finds(settings: Settings, plant: Any) -> None:
    plant(CAST.replace("{does}", MOVES_THE_PATH))
    with pytest.raises(psycopg.errors.RaiseException, match="changed the session that read it"):
        freeze_world.seal(settings)


@pytest.mark.usefixtures("read_all_the_same")
def test_planted_code_does_not_change_the_function_that_runs_it(
    settings: Settings, plant: Any
) -> None:
    plant(CAST.replace("{does}", TAKES_THE_FUNCTION))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only a migration may"):
        freeze_world.seal(settings)
