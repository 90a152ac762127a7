"""A connection that breaks in mid-COPY, out of the source or into the warehouse."""

from collections.abc import Callable
from random import Random

import psycopg
import pytest

from chotso.settings import Settings
from tests.faults.cutting_proxy import IN, OUT, Cut, Proxy, proxy
from tests.faults.tally import Tally
from tests.faults.world import World
from tests.proofs import size

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]


def test_cut_out_of_the_source(small_world: World, tally: Tally) -> None:
    def url_of(settings: Settings) -> str:
        return settings.source_url

    _cut_again_and_again(small_world, tally, "source", OUT, url_of)


def test_cut_into_the_warehouse(small_world: World, tally: Tally) -> None:
    def url_of(settings: Settings) -> str:
        return settings.warehouse_url

    _cut_again_and_again(small_world, tally, "warehouse", IN, url_of)


def test_the_naive_twin_has_rows_twice(small_world: World) -> None:
    """A copier that commits row by row and begins anew after a broken connection."""
    query = "copy (select so_chung_tu from tst.chung_tu order by 1) to stdout"
    with small_world.copy() as settings:
        url = small_world.admin(settings)
        with psycopg.connect(url, autocommit=True) as twin:
            twin.execute("create table naive_payment (number text)")
            with proxy(settings.source_url, OUT, Cut(0, 2_000)) as way:
                with pytest.raises(psycopg.OperationalError):
                    _naive_copy(way.url, twin, query)
                _naive_copy(way.url, twin, query)
            row = twin.execute(
                "select count(*), count(distinct number) from naive_payment"
            ).fetchone()
        assert row is not None
        assert row[0] > row[1]


def _naive_copy(source_url: str, twin: psycopg.Connection, query: str) -> None:
    with psycopg.connect(source_url) as source, source.cursor().copy(query.encode()) as rows:
        for row in rows.rows():
            twin.execute("insert into naive_payment values (%s)", row)


def _cut_again_and_again(
    world: World, tally: Tally, end: str, opens: bytes, url_of: Callable[[Settings], str]
) -> None:
    rng = Random(f"cut {end}")
    with world.copy() as settings, proxy(url_of(settings), opens) as way:
        assert world.run(_by(settings, end, way))[0] == 0
        sizes = way.sizes
    longest = [n for n, length in enumerate(sizes) if length > 200]
    for number in range(size(2, 12)):
        copy = rng.choice(longest)
        cut = Cut(copy, rng.randrange(1, sizes[copy] - 100), is_reset=number % 2 == 0)
        with world.copy() as settings, proxy(url_of(settings), opens, cut) as way:
            code, told = world.run(_by(settings, end, way))
            assert way.was_cut
            assert code != 0, cut
            if end == "warehouse":
                assert "Next: " in told, told
            tally.struck("connections cut in mid-COPY")
            tally.judge(world.finish(settings))


def _by(settings: Settings, end: str, way: Proxy) -> Settings:
    return settings.model_copy(update={f"{end}_url": way.url})
