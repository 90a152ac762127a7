"""After the seal readers of the marts see the release's places, whatever becomes known later."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build import run_build
from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.release.check.database import verify_with_database
from chotso.release.seal.checks import Override
from chotso.release.seal.corrigendum import corrigendum
from chotso.release.seal.freeze import freeze
from chotso.reports.data import Release, facts_of
from chotso.reports.overview import Overview
from chotso.reports.summary import sentences
from chotso.settings import Settings
from tests.worlds.build_warehouse import Servers, new_warehouse
from tests.worlds.build_world import instant
from tests.worlds.freeze_world import CUTOFF
from tests.worlds.late_world import LATER, PERIOD, Nights, parts, two_agencies

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

OTHER = "plan-2021-m09-12"
FIRST, SECOND = "07201", "07202"
VERSION_1 = {
    *(
        ("rpt_emulation_points", name)
        for name in (
            "actual_to_date", "plan_in_force", "attainment_ratio", "weight_points",
            "excess_ratio", "leader_excess_ratio", "points",
        )
    ),
    *(("rpt_emulation_ranking", name) for name in ("total_points", "full_points")),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Places:
    """A warehouse whose second agency overtakes the first after the seal."""

    settings: Settings
    admin: psycopg.Connection[dict[str, Any]]
    world: Nights

    def shown(self, schema: str = "marts", period: str = PERIOD) -> list[dict[str, Any]]:
        query = sql.SQL(
            "select * from {} where period_id = {} and participant_type = 'agency' "
            "and province_code = '072' order by rank_number, participant_code"
        ).format(sql.Identifier(schema, "rpt_emulation_ranking"), sql.Literal(period))
        return self.admin.execute(query).fetchall()

    def order(self, schema: str = "marts", period: str = PERIOD) -> list[str]:
        return [row["participant_code"] for row in self.shown(schema, period)][:2]

    def points(self, code: str) -> list[dict[str, Any]]:
        return self.admin.execute(
            "select * from marts.rpt_emulation_points where period_id = %s and "
            "participant_type = 'agency' and participant_code = %s",
            [PERIOD, code],
        ).fetchall()


@pytest.fixture(scope="module")
def places(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("places")
    with new_warehouse(servers, folder) as made:
        settings = made.settings.model_copy(update={"releases_dir": folder / "releases"})
        with (
            psycopg.connect(made.admin_url, autocommit=True) as plain,
            psycopg.connect(made.admin_url, autocommit=True, row_factory=dict_row) as admin,
        ):
            world = Nights(plain)
            two_agencies(world, FIRST, SECOND)
            migrate(settings)  # the agencies' groups of readers
            yield Places(settings, admin, world)


@pytest.fixture(scope="module")
def sealed(places: Places) -> Places:
    """A night before the cutoff, the seal, and a night that turns the places about."""
    run_build(places.settings)
    assert {(row["is_sealed"], row["release_id"]) for row in places.shown()} == {(False, None)}
    freeze(places.settings, PERIOD, parts=parts())
    at_once = places.shown()
    assert {(row["is_sealed"], row["release_id"]) for row in at_once} == {(True, PERIOD)}
    places.world.night(LATER, ["payments"])
    places.world.payment("late", "2021-12-20T10:00", ("BHYT", 700, 0), agency=SECOND)
    run_build(places.settings)
    assert places.shown() == at_once
    return places


def test_official_places_are_the_releases(sealed: Places) -> None:
    assert sealed.order() == [FIRST, SECOND]
    for row in sealed.shown():
        assert (row["is_sealed"], row["release_id"], row["is_at_cutoff"]) == (True, PERIOD, True)
        assert row["period_name_vi"] == "Đợt thi đua nước rút quý IV năm 2021"
        assert row["agency_key"]
        assert (row["ranking_state_vi"], row["participant_type_vi"]) == ("Chính thức", "Cơ quan")
        assert row["agency_short_name"] == row["participant_short_name"] == row["agency_code"]
    assert [row["ranking_order"] for row in sealed.shown()] == [1, 2]
    (frozen,) = sealed.admin.execute(
        "select total_points from frozen.current_ranking where participant_code = %s", [FIRST]
    ).fetchall()
    points = sealed.points(FIRST)
    assert {(row["is_sealed"], row["release_id"]) for row in points} == {(True, PERIOD)}
    assert sum(row["points"] for row in points) == frozen["total_points"]
    (collected,) = [row for row in points if row["metric_code"] == "collection_total"]
    assert (collected["actual_to_date"], collected["plan_in_force"]) == (900, 1_000)
    assert (collected["result_code"], collected["result_vi"]) == ("below_target", "Chưa đạt")
    assert (collected["ranking_state_en"], collected["unit_vi"]) == ("Official", "đồng")
    assert (collected["metric_short_name_vi"], collected["metric_order"]) == ("Tổng thu", 9)


def test_the_naive_ranking_of_what_is_known_has_other_places(sealed: Places) -> None:
    assert sealed.order("marts_build") == [SECOND, FIRST]


def test_a_period_that_is_not_sealed_goes_on(sealed: Places) -> None:
    assert sealed.order(period=OTHER) == [SECOND, FIRST]
    (state,) = {(r["is_sealed"], r["ranking_state_vi"]) for r in sealed.shown(period=OTHER)}
    assert state == (False, "Tạm tính")


def test_other_builds_know_nothing_of_releases(sealed: Places) -> None:
    """A freeze and a rebuild from the archive rank by raw, configuration and instants alone."""
    run_build(
        sealed.settings, as_known_at=instant(LATER), event_cutoff=CUTOFF, schema="scratch_places",
        config="current",
    )  # fmt: skip
    assert sealed.order("scratch_places") == [SECOND, FIRST]
    assert {row["is_sealed"] for row in sealed.shown("scratch_places")} == {False}


def test_an_agencys_readers_see_their_own_places(sealed: Places) -> None:
    with sealed.admin.transaction():
        sealed.admin.execute("set local role chotso_reader_07202")
        assert {row["agency_code"] for row in sealed.shown()} == {SECOND}


def test_sealed_figures_are_the_releases_with_the_running_ones_beside(sealed: Places) -> None:
    """The second agency had 800 of 1,000 at the seal, and 1,500 once the late payment is known."""

    def of(period: str) -> dict[str, Any]:
        (row,) = sealed.admin.execute(
            "select * from marts.rpt_period_attainment where period_id = %s and agency_code = %s "
            "and metric_code = 'collection_total'",
            [period, SECOND],
        ).fetchall()
        return row

    row = of(PERIOD)
    assert (row["is_sealed"], row["release_id"]) == (True, PERIOD)
    assert (row["actual_to_date"], row["attainment_ratio"]) == (800, Decimal("0.8"))
    assert (row["is_met"], row["status_code"], row["status_vi"]) == (False, "missed", "Không đạt")
    assert (row["running_actual_to_date"], row["running_is_met"]) == (1_500, True)
    assert (row["running_attainment_ratio"], row["change_since_sealed"]) == (Decimal("1.5"), 700)
    assert row["agency_short_name"] == SECOND
    assert row["month"] == date(2021, 12, 1)
    goes_on = of(OTHER)
    assert (goes_on["is_sealed"], goes_on["release_id"]) == (False, None)
    assert (goes_on["actual_to_date"], goes_on["status_code"]) == (1_500, "met")
    assert (goes_on["running_actual_to_date"], goes_on["change_since_sealed"]) == (1_500, 0)
    frozen = sealed.admin.execute(
        "select agency_code, metric_code, actual_to_date, plan_in_force, is_met "
        "from frozen.current_attainment where month = '2021-12-01' order by 1, 2"
    ).fetchall()
    shown = sealed.admin.execute(
        "select agency_code, metric_code, actual_to_date, plan_in_force, is_met "
        "from marts.rpt_period_attainment where is_sealed order by 1, 2"
    ).fetchall()
    assert len(shown) == len(frozen) > 30
    assert shown == frozen


def test_each_night_is_kept_and_the_newest_is_marked(sealed: Places) -> None:
    """Two days after the seal a night shows the new year; the nights before stay."""
    nights = sealed.admin.execute(
        "select business_date, month, is_latest_night, max(actual_to_date) as figure "
        "from marts.rpt_pace where metric_code = 'collection_total' group by 1, 2, 3 order by 1"
    ).fetchall()
    assert [tuple(night.values()) for night in nights] == [
        (date(2021, 12, 31), date(2021, 12, 1), False, 1_700),
        (date(2022, 1, 5), date(2022, 1, 1), True, 0),
    ]


def test_tools_learn_how_many_digits_a_figure_has(sealed: Places) -> None:
    """Without bounds are only columns of version 1, and money set aside, whatever was read."""
    columns = sealed.admin.execute(
        "select table_name, column_name, numeric_precision, numeric_scale "
        "from information_schema.columns where table_schema = 'marts' "
        "and table_name like 'rpt\\_%' and data_type = 'numeric'"
    ).fetchall()
    unbounded = {(c["table_name"], c["column_name"]) for c in columns if not c["numeric_precision"]}
    assert unbounded == VERSION_1 | {("rpt_quarantine", "money_vnd")}
    scales = {c["numeric_scale"] for c in columns if c["numeric_precision"]}
    assert scales <= {0, 2, 6, 9}
    ratios = [c for c in columns if c["column_name"].endswith("_ratio") and c["numeric_precision"]]
    assert {c["numeric_scale"] for c in ratios} == {9}
    assert len({c["table_name"] for c in columns} - {table for table, _ in VERSION_1}) >= 8


def test_a_corrigendum_shows_its_places_at_once(sealed: Places) -> None:
    later = dataclasses.replace(parts(), source_clock=lambda settings: instant(LATER))
    report = corrigendum(
        sealed.settings, PERIOD, reason="Ghi nhận muộn", author="Trần Thị Thử", parts=later
    )
    assert sealed.order() == [SECOND, FIRST]
    assert {row["release_id"] for row in sealed.shown()} == {report.release_id}
    (collected,) = [
        row for row in sealed.points(SECOND) if row["metric_code"] == "collection_total"
    ]
    assert collected["attainment_ratio"] == Decimal("1.5")
    before = sealed.shown()
    run_build(sealed.settings)
    assert sealed.shown() == before
    result = verify_with_database(sealed.settings, sealed.settings.releases_dir)
    assert result.findings == [], "nor does the check find other rows than the release's"


def test_the_seal_sees_what_is_set_aside_of_every_month(sealed: Places) -> None:
    """A payment of September and its own line are 100; the cutoff's month alone says 0."""
    at = {"seen": "2021-12-31T01:00"}
    sealed.world.set_aside(
        "payments",
        {"so_chung_tu": "september", "ma_co_quan": FIRST, "so_tien": 100,
         "ngay_ghi_co": "2021-09-15T03:00:00+00:00"}, **at,
    )  # fmt: skip
    sealed.world.set_aside(
        "allocations",
        {"so_chung_tu": "september", "so_dong": 1, "quy": "BHYT", "tien_goc": 70, "tien_lai": 0},
        **at,
    )
    with pytest.raises(ChotsoError, match="100 đồng; wanted: at most 17 đồng"):
        freeze(sealed.settings, OTHER, parts=parts())
    override = Override("quarantined_money_below_limit", "Đã báo cáo", "Trần Thị Thử", "Lê Văn Mẫu")
    report = freeze(sealed.settings, OTHER, override=override, parts=parts())
    data = report.bundle / "data"
    assert "072,BHXH 072,2021-12-01,collection,100\n" in (data / "money_at_stake.csv").read_text()
    assert "100 đồng đang bị giữ lại" in (data / "known_issues.csv").read_text("utf-8")
    facts = facts_of(json.loads((report.bundle / "manifest.json").read_bytes()), OTHER)
    told = " ".join(sentences(Overview(Release(report.bundle, facts))))
    assert "Còn 2 dòng dữ liệu bị cách ly" in told
    assert "số lũy kế: 100 đồng, mỗi đồng tính một lần" in told
