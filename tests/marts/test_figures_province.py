"""Every figure of the synthetic province against a recomputation from its own event log.

The recomputation shares no code with the warehouse nor with the generator: it reads the log.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from chotso.sandbox.province import advance, seed
from chotso.sandbox.province.event_log import FILE_NAME
from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.turn import CUTOFF, ZONE
from tests.oracle.province_log import ProvinceLog
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.slow, pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(1800)]

SEEDS = [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(7, marks=pytest.mark.slow)]
FINAL = CUTOFF + timedelta(seconds=20)


def one_o_clock_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, tzinfo=ZONE) + timedelta(days=1)


NIGHTS = [
    *((one_o_clock_after(date(2021, 12, day)), date(2021, 12, day)) for day in (28, 29, 30)),
    (FINAL, date(2021, 12, 31)),
    (one_o_clock_after(date(2021, 12, 31)), date(2021, 12, 31)),
]


class Province:
    """A small province that lives from night to night."""

    def __init__(self, warehouse: Product, state_dir: Path, number: int) -> None:
        self._warehouse = warehouse
        self._state_dir = state_dir
        seed(
            warehouse.source_admin_url,
            warehouse.drop,
            persons=3_000,
            employers=60,
            year=2021,
            seed=number,
            defects="none",
            state_dir=state_dir,
            progress=lambda _: None,
        )

    def live_until(self, clock: datetime) -> None:
        advance(
            self._warehouse.source_admin_url,
            self._warehouse.drop,
            to=clock,
            state_dir=self._state_dir,
            progress=lambda _: None,
        )

    def log(self) -> ProvinceLog:
        return ProvinceLog(self._state_dir / FILE_NAME)


@pytest.mark.parametrize("number", SEEDS)
def test_the_last_nights_and_the_cutoff_agree(
    running: SandboxServer, tmp_path: Path, number: int
) -> None:
    with product(running, f"province_{number}", tmp_path) as warehouse:
        province = Province(warehouse, tmp_path / "state", number)
        for position, (clock, business_date) in enumerate(NIGHTS, start=1):
            province.live_until(clock)
            if clock == FINAL:
                warehouse.final(business_date)
            else:
                warehouse.night(business_date)
            observations = province.log().observations(NIGHTS[:position])
            wrong = warehouse.wrong_figures(observations, clock)
            assert not wrong, f"{clock}\n" + "\n".join(wrong)
        observations = province.log().observations(NIGHTS)
        for as_known_at, cutoff in ((NIGHTS[0][0], None), (FINAL, CUTOFF), (NIGHTS[-1][0], CUTOFF)):
            warehouse.rebuild("scratch_past", as_known_at, cutoff)
            wrong = warehouse.wrong_figures(observations, as_known_at, cutoff, "scratch_past")
            assert not wrong, f"{as_known_at} {cutoff}\n" + "\n".join(wrong)
