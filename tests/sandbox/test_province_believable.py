"""The synthetic province looks like a province: arrears, money, rates, plans, heads."""

from datetime import date

import numpy as np
import pytest

from chotso.errors import ChotsoError
from chotso.sandbox.province.accounts import Statement
from chotso.sandbox.province.accruals import accident_permille, unemployment_permille
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.population import person_numbers
from chotso.sandbox.province.schedule import export_instants
from chotso.sandbox.province.timeline import Ints
from chotso.sandbox.province.units import agencies
from chotso.sandbox.province.world import World, make_world


@pytest.fixture(scope="module", params=[1, 2, 3])
def world(request: pytest.FixtureRequest) -> World:
    return make_world(Parameters(120_000, 400, 2021, request.param, "none"), lambda _: None)


def last_export(world: World, before: int) -> int:
    return max(at for at in export_instants(world.parameters.timeline) if at < before)


def arrears(state: Statement, month: int) -> Ints:
    owed: Ints = np.maximum(state.closing[:, month], 0).sum(axis=1)
    return owed


def receivable(state: Statement, month: int) -> Ints:
    due: Ints = (state.payable + state.up - state.down)[:, : month + 1].sum(axis=(1, 2))
    return due


def test_agencies_are_the_real_ones() -> None:
    found = agencies()
    assert [agency.code for agency in found] == ["072", *(f"072{n:02d}" for n in range(10))]
    assert [agency.district_code for agency in found[2:]] == [
        "703", "705", "706", "707", "708", "709", "710", "711", "712"
    ]  # fmt: skip
    assert found[2].name == "Bảo hiểm xã hội thành phố Tây Ninh"
    assert found[7].name == "Bảo hiểm xã hội thị xã Hòa Thành"
    assert sum(len(agency.communes) for agency in found) == 94


def test_ratio_about_halves_and_agencies_end_on_both_sides(world: World) -> None:
    timeline = world.parameters.timeline
    ratios = []
    for month, before in ((9, timeline.month_start(10)), (11, timeline.cutoff)):
        state = world.book.at(last_export(world, before))
        ratios.append(arrears(state, month).sum() / receivable(state, month).sum())
    assert 0.35 < ratios[1] / ratios[0] < 0.6
    office = world.book.employers.office_at(timeline.cutoff)
    owed = np.bincount(office, weights=arrears(state, 11), minlength=10)
    due = np.bincount(office, weights=receivable(state, 11), minlength=10)
    below = owed / due < 0.009
    assert 2 <= below.sum() <= 8


def test_top_tenth_holds_most_of_the_debt(world: World) -> None:
    owed = arrears(world.book.at(last_export(world, world.parameters.timeline.cutoff)), 11)
    debts = np.sort(owed[owed > 0])[::-1]
    assert 0.65 < debts[: len(debts) // 10].sum() / debts.sum() < 0.92


def test_about_a_third_of_the_closings_are_surpluses(world: World) -> None:
    closing = world.book.at(world.parameters.timeline.cutoff).closing[:, 8]
    assert 0.15 < (closing < 0).sum() / (closing != 0).sum() < 0.5


def test_rates_step_in_july_and_october_but_not_for_state_bodies(world: World) -> None:
    assert [accident_permille(date(2021, m, 1)) for m in (6, 7)] == [5, 0]
    assert [unemployment_permille(date(2021, m, 1)) for m in (9, 10)] == [20, 10]
    due, employers = world.book.due, world.book.employers
    for kind, budget in ((0, True), (1, False)):
        chosen = employers.kind == kind
        share = due.payable_vnd[chosen].sum(axis=0) * 1_000
        wages = due.wages_si_vnd[chosen].sum(axis=0)
        assert (share[:, 0] == wages * 255)[:6].all()
        assert (share[:, 0] == wages * (255 if budget else 250))[6:].all()
        wages = due.wages_ui_vnd[chosen].sum(axis=0)
        assert (share[:, 2] == wages * 20)[:9].all()
        assert (share[:, 2] == wages * (20 if budget else 10))[9:].all()


def test_money_and_heads_are_of_the_provinces_size(world: World) -> None:
    tenth = world.parameters.persons / 1_150_000
    assert 3_500 < world.book.ledger.paid_vnd[:, :12].sum() / 1e9 / tenth < 4_500
    assert 190_000 < world.book.due.heads_si[:, 11].sum() / tenth < 240_000
    assert 1_000_000 < world.book.due.heads_hi[:, 11].sum() / tenth < 1_150_000


def test_plans_are_met_by_about_as_much_as_in_life(world: World) -> None:
    january, officers, november, _ = world.plans
    measures = {line[6] for line in january.lines}
    assert len(measures) == 13
    assert len(january.lines) == 11 * 13
    assert {line[4] for line in officers.lines} == {"CAN_BO"}
    assert november.lines[0][8] > january.lines[0][8]
    planned = next(line[7] for line in november.lines if line[5] == "072" and line[6] == "THU_TONG")
    paid = (
        world.book.ledger.paid_vnd[:, :12].sum()
        + world.book.ledger.paid_voluntary_vnd[:, :12].sum()
    )
    assert 0.93 < paid / planned < 1.08


def test_persons_numbers_are_ten_digits_and_distinct() -> None:
    numbers = person_numbers(np.arange(200_000))
    assert len(set(numbers)) == 200_000
    assert all(len(number) == 10 and number.isdecimal() for number in numbers)
    assert any(number.startswith("0") for number in numbers)


def test_money_is_credited_on_the_deciding_instants(world: World) -> None:
    timeline = world.parameters.timeline
    table = next(v for v in world.tables if v.table.name == "chung_tu")
    newest = table.newest(None, timeline.horizon)
    credited = {row for _, columns in table.chunks(newest) for row in columns[4]}
    assert {
        "2021-12-31T16:59:59+07:00", "2021-12-31T17:00:00+07:00", "2021-12-31T23:59:59+07:00",
        "2022-01-01T00:00:00+07:00", "2021-12-01T00:00:00+07:00",
    } <= credited  # fmt: skip


@pytest.mark.parametrize(("persons", "employers"), [(100, 400), (120_000, 10)])
def test_too_small_a_province_is_refused(persons: int, employers: int) -> None:
    with pytest.raises(ChotsoError):
        Parameters(persons, employers, 2021, 1, "none").check()
