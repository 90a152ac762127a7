"""A refresh within the day, on a real source and warehouse: figures, and what it leaves to nights.

Every figure after every refresh is compared with the oracle's, and the build that adds what changed
with one that counts everything.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.build import run_build
from chotso.build.compare import differences
from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.calendar import parse_instant
from chotso.contracts import contracts
from chotso.ingest.night import extract_or_tell
from chotso.ingest.waiting import GroupReport
from chotso.orchestration.due import build_date, missing
from chotso.orchestration.night import dates_to_request, is_built, registers_state
from chotso.orchestration.refresh import NotNowError, Refresh, refresh
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.watch import nights
from chotso.watch.limits import load_limits
from chotso.watch.moment import Moment
from tests.oracle.worlds import Night, World
from tests.worlds.freeze_world import set_clock
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(3000)]

THE_29TH, THE_30TH, THE_31ST = (date(2021, 12, day) for day in (29, 30, 31))
DAY = [
    Night(parse_instant("2021-12-30T01:00"), THE_29TH),
    Night(parse_instant("2021-12-30T08:00"), THE_30TH),
    Night(parse_instant("2021-12-30T08:15"), THE_30TH),
    Night(parse_instant("2021-12-31T01:00"), THE_30TH),
    Night(parse_instant("2021-12-31T16:45"), THE_31ST),
]
FIRST, EIGHT, QUARTER_PAST, NIGHT, LAST = range(5)


@dataclass(frozen=True)
class Seen:
    """What readers, operators and the DAGs' questions saw after one step."""

    wrong: list[str]
    apart: list[str]
    nightly: list[date]
    nightly_known: list[datetime]
    intraday: list[datetime]
    pace: list[tuple[date, datetime]]
    newest_night: date | None
    requests: list[date]
    is_30th_built: bool
    registers_of_30th: str | None
    build_date: date
    missing: list[str]
    ops_nights: list[date]
    kinds: list[str]


@dataclass
class Story:
    """A night, two refreshes, the night, a refresh; and what was seen after each."""

    warehouse: Product
    world: World
    done: list[Refresh] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def live(self) -> None:
        for number in range(len(DAY)):
            night = self.world.advance()
            if number in (FIRST, NIGHT):
                self.warehouse.night(night.business_date)
            else:
                done = refresh(self.warehouse.settings)
                done.raise_if_stopped()
                self.done.append(done)
            self.seen.append(self.look(night))

    def look(self, night: Night) -> Seen:
        settings = self.warehouse.settings
        run_build(settings, as_known_at=night.clock, schema="whole_1", config="current")
        with connect(settings) as conn:
            apart = differences(conn, NIGHTLY_SCHEMA, "whole_1")
            newest = nights.newest_date(conn)
            built = is_built(conn, THE_30TH)
        one = "select distinct {} from {} order by 1"
        return Seen(
            wrong=self.warehouse.wrong_figures(self.world.observations, night.clock),
            apart=apart,
            nightly=self.column(one.format("business_date", "marts.fct_nightly_attainment")),
            nightly_known=self.column(one.format("known_at", "marts.fct_nightly_attainment")),
            intraday=self.column(one.format("known_at", "marts.fct_intraday_attainment")),
            pace=self.rows(
                "select distinct business_date, data_as_of from marts.rpt_pace "
                "where is_latest_night"
            ),
            newest_night=newest,
            requests=dates_to_request(settings),
            is_30th_built=built,
            registers_of_30th=registers_state(settings, THE_30TH),
            build_date=build_date(settings, None),
            missing=missing(settings),
            ops_nights=self.column("select business_date from ops.nights order by 1"),
            kinds=self.column(
                "select kind from ops.builds where kind <> 'scratch' order by build_id"
            ),
        )

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.warehouse.admin_url) as admin:
            return admin.execute(query.encode()).fetchall()

    def column(self, query: str) -> list[Any]:
        return [row[0] for row in self.rows(query)]

    def refused(self, at: str | datetime, *, only_if_due: bool = False) -> str:
        """Why a refresh does not run when the source's clock shows an instant."""
        instant = parse_instant(at) if isinstance(at, str) else at
        set_clock(self.warehouse.source_admin_url, instant)
        with pytest.raises(NotNowError) as refusal:
            refresh(self.warehouse.settings, only_if_due=only_if_due)
        return refusal.value.what


@pytest.fixture(scope="module")
def story(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder: Path = tmp_path_factory.mktemp("refresh")
    with product(running, "refresh", folder) as warehouse:
        world = World.create(warehouse.source_admin_url, warehouse.drop, 11, reader=SOURCE_LOGIN)
        world.nights = list(DAY)
        told = Story(warehouse, world)
        told.live()
        yield told


def test_the_figures_are_those_of_a_whole_build_and_of_the_oracle(story: Story) -> None:
    assert [seen.wrong for seen in story.seen] == [[]] * len(DAY)
    assert [seen.apart for seen in story.seen] == [[]] * len(DAY)
    assert all(sum(b["rows_changed"] for b in done.batches) for done in story.done)


def test_nights_are_kept_without_refreshes_and_the_day_beside_them(story: Story) -> None:
    eight, quarter, last = (DAY[each].clock for each in (EIGHT, QUARTER_PAST, LAST))
    both = [THE_29TH, THE_30TH]
    nightly = [seen.nightly for seen in story.seen]
    assert nightly == [[THE_29TH], [THE_29TH], [THE_29TH], both, both]
    assert story.seen[LAST].nightly_known == [DAY[FIRST].clock, DAY[NIGHT].clock]
    intraday = [seen.intraday for seen in story.seen]
    assert intraday == [[], [eight], [eight, quarter], [eight, quarter], [eight, quarter, last]]


def test_dashboards_say_as_of_when(story: Story) -> None:
    """`rpt_pace` shows today by the newest refresh, and then its night instead."""
    local = [night.clock.replace(tzinfo=None) for night in DAY]
    shown = [(night.business_date, at) for night, at in zip(DAY, local, strict=True)]
    assert [seen.pace for seen in story.seen] == [[each] for each in shown]
    known = story.rows("select business_date, count(distinct data_as_of) from marts.rpt_pace "
                       "group by 1 order by 1")  # fmt: skip
    assert known == [(THE_29TH, 1), (THE_30TH, 1), (THE_31ST, 1)]


def test_the_night_is_due_until_it_ran(story: Story) -> None:
    newest = [seen.newest_night for seen in story.seen]
    assert newest == [THE_29TH, THE_29TH, THE_29TH, THE_30TH, THE_30TH]
    assert [seen.build_date for seen in story.seen] == newest
    assert [seen.is_30th_built for seen in story.seen] == [False, False, False, True, True]
    registers = [seen.registers_of_30th for seen in story.seen]
    assert registers == [None, None, None, "published", "published"]
    assert [seen.requests for seen in story.seen] == [[]] * len(DAY)
    assert [seen.missing for seen in story.seen] == [[]] * len(DAY)
    assert story.seen[LAST].ops_nights == [THE_29TH, THE_30TH]
    assert story.seen[LAST].kinds == ["night", "refresh", "refresh", "night", "refresh"]


def test_the_watch_misses_a_night_whose_day_was_refreshed(story: Story) -> None:
    """On 1 January at 01:10 the night of the 31st has not begun, whatever its day showed."""
    settings, limits = story.warehouse.settings, load_limits()

    def found(now: str, night: date) -> list[str]:
        moment = Moment(settings, limits, parse_instant(now), night)
        with connect(settings) as conn:
            return [each.kind for each in nights.night_not_begun(moment, conn)]

    assert found("2022-01-01T01:10", THE_31ST) == ["night_not_begun"]
    assert found("2021-12-31T01:10", THE_30TH) == []
    late = story.refused("2022-01-01T08:00")
    assert late.startswith("The night of 2021-12-31 is due")


def test_it_runs_only_when_due_if_so_asked_and_not_close_to_a_cutoff(story: Story) -> None:
    assert "closer than a refresh" in story.refused("2021-12-31T16:59:59.9")
    assert "No refresh is due" in story.refused("2021-12-31T17:00", only_if_due=True)


# One that does not step aside would wait for an hour.
@pytest.mark.timeout(90, method="signal", func_only=True)
@pytest.mark.parametrize("name", ["freeze", "extract of plans", "build marts_build", "refresh"])
def test_it_steps_aside_for_every_other_run(story: Story, name: str) -> None:
    before = story.column("select max(batch_id) from ops.batch")
    with connect(story.warehouse.settings) as conn, hold(conn, name):
        why = story.refused(DAY[LAST].clock)
    assert ("Another refresh" in why) if name == "refresh" else (name in why)
    assert story.column("select max(batch_id) from ops.batch") == before, "nothing was begun"


def test_it_ends_between_two_groups_when_a_freeze_begins(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(story.warehouse.source_admin_url, DAY[LAST].clock)
    freezes: list[AbstractContextManager[None]] = []
    extracted: list[str] = []

    with connect(story.warehouse.settings) as conn:

        def then_a_freeze_begins(settings: Any, group: str, *more: Any, **kw: Any) -> GroupReport:
            report = extract_or_tell(settings, group, *more, **kw)
            extracted.append(group)
            freezes.append(hold(conn, "freeze"))
            freezes[-1].__enter__()
            return report

        monkeypatch.setattr("chotso.orchestration.refresh.extract_or_tell", then_a_freeze_begins)
        with pytest.raises(NotNowError, match=r"\(freeze\)[^$]*registers: published"):
            refresh(story.warehouse.settings)
        freezes.pop().__exit__(None, None, None)
    assert extracted == ["registers"]
    monkeypatch.undo()
    assert dates_to_request(story.warehouse.settings) == [], "the night or a refresh builds it"
    again = refresh(story.warehouse.settings)
    assert again.stopped == []
    assert len({batch["feed"] for batch in again.batches}) >= len(contracts()) - 2


def test_it_counts_changed_persons_alone(story: Story) -> None:
    settings, at = story.warehouse.settings, parse_instant("2021-12-31T16:50")
    with psycopg.connect(story.warehouse.source_admin_url) as source:
        source.execute(
            """
            update tst.tham_gia set den_thang = tu_thang, ngay_sua = %s
            where ma_qua_trinh = (
                select min(ma_qua_trinh) from tst.tham_gia
                where den_thang is null and trang_thai = 'HIEU_LUC'
            )
            """,
            [at - timedelta(minutes=1)],
        )
    set_clock(story.warehouse.source_admin_url, at)
    done = refresh(settings)
    assert done.stopped == []
    assert [b["rows_changed"] for b in done.batches if b["feed"] == "participations"] == [1]
    assert done.build is not None
    assert done.build.base_build_id is not None
    run_build(settings, as_known_at=at, schema="whole_1", config="current")
    with connect(settings) as conn:
        assert differences(conn, NIGHTLY_SCHEMA, "whole_1") == []


def test_a_naive_ledger_takes_a_refresh_for_the_night(story: Story) -> None:
    """The twin that must fail: the newest business date is that of no night."""
    assert story.column("select max(business_date) from ops.batch") == [THE_31ST]
    assert story.seen[LAST].newest_night == THE_30TH
