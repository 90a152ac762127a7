"""A statement whose row is set aside leaves the account alone, whichever order files arrive in."""

from datetime import datetime
from itertools import permutations
from pathlib import Path
from random import Random

import psycopg
import pytest

from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from tests.histories.ending import against_the_world
from tests.histories.life import Life, State, live
from tests.oracle.hostile.c12_files import write_statement
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.oracle.model import Row, Statement
from tests.worlds.product import SOURCE_LOGIN, product

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(900)]

EMPLOYER, AGENCY = "TA0001A", "07200"
GOOD_THEN_BROKEN = [(1, True), (2, False)]
GOOD_BROKEN_BROKEN = [(1, True), (2, False), (3, False)]
BROKEN_THEN_GOOD = [(1, False), (2, True)]


def _statement(state: State, number: int, is_good: bool) -> Statement:
    stated_at = datetime(2021, 10, 2 + number, 8, tzinfo=state.clock.tzinfo)
    row = {"madvi": EMPLOYER, "tendvi": "Công ty đá", "_ps_bh": number}
    row["_ck_bhxh"] = number if is_good else number + 1
    other: Row = {"madvi": "TB0002B", "_ps_bh": 7, "_ck_bhxh": 7}
    month = stated_at.date().replace(day=1)
    return Statement(f"s{number}", month, stated_at, {AGENCY: [row, other]})


@pytest.mark.parametrize(
    "told", [GOOD_THEN_BROKEN, GOOD_BROKEN_BROKEN, BROKEN_THEN_GOOD], ids=["good broken",
    "good broken broken", "broken good"],
)  # fmt: skip
def test_every_order_of_arrival_ends_the_same(
    running: SandboxServer, tmp_path: Path, told: list[tuple[int, bool]]
) -> None:
    state = live(4).states[0]
    statements = [_statement(state, number, is_good) for number, is_good in told]
    life = Life([state], [statements])
    life.broken = {(f"s{n}", AGENCY, EMPLOYER) for n, is_good in told if not is_good}
    wrong = []
    for number, order in enumerate(permutations(statements)):
        names = " ".join(s.name for s in order)
        name = f"aside_{''.join('gb'[not good] for _, good in told)}_{number}"
        with product(running, name, tmp_path / name) as made:
            with psycopg.connect(made.source_admin_url) as conn:
                create_schema(conn, SOURCE_LOGIN)
                write_snapshot(conn, state.tables, state.clock)
            for group in ("registers", "contributions", "participations"):
                assert not extract_group(made.settings, group, state.business_date).stopped
            for statement in order:
                write_statement(Random(0), made.drop, statement, as_csv=False)
                assert not extract_group(made.settings, "c12", state.business_date).stopped
            wrong += [f"{names}: {w}" for w in against_the_world(made.admin_url, life)]
    assert not wrong, "\n".join(wrong)
