"""A ranking worked out by hand: gates, points, ties, and a sentence for each."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.worlds.build_warehouse import Servers, new_warehouse
from tests.worlds.build_world import World, instant
from tests.worlds.ranking_world import (
    DEBT,
    HI,
    NIGHT,
    Ranked,
    period,
    write_agency,
    write_officer,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

SCHEMA, LENIENT = "marts_build", "scratch_lenient"
AT = instant("2021-12-31T17:00")


def _world(world: World) -> None:
    world.batch("2022-01-04", NIGHT)
    world.agency("072", parent=None, level=1)
    write_agency(world, 1, 1_200, "1000", 4_500)
    write_agency(world, 2, 1_050, "1000", 0)
    write_agency(world, 3, 1_000, "1000", 9_000)
    write_agency(world, 4, 987, "1000", 12_000)
    write_agency(world, 5, 5, "0", 0)
    write_agency(world, 6, 2_000_000, "1000", 30_000)
    write_agency(world, 7, 3_000_000, "1000", None)
    write_agency(world, 8, -5, "1000", 3_000)
    write_agency(world, 9, 2_000, "2000", 18_000 // 2)
    write_agency(world, 10, 7, None, 8_999, gate="0.8999")
    world.agency("080", parent=None, level=1)
    world.agency("08001", parent="080", ten="BHXH Khu vực")
    world.plan("THU_BHYT", "0.5", target="08001")
    gate = {"NO_TONG": "2"}
    write_officer(world, "O1", "07201", {"THU_BHYT": "600"} | gate)
    write_officer(world, "O2", "07202", {"THU_BHYT": "1050"} | gate)
    write_officer(world, "O3", "07203", gate)
    write_officer(world, "O4", "07209", {"THU_BHYT": "1500"} | gate)
    world.row("officers", ma_can_bo="P", ho_ten="Trần Thị P", ma_co_quan="072")


@pytest.fixture(scope="module")
def ranked(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranked]:
    """Under rules as shipped but for the weights; and lenient ones, at the cutoff."""
    folder = tmp_path_factory.mktemp("home")
    with new_warehouse(servers, folder) as made:
        with made.world() as world:
            _world(world)
        found = Ranked(made, folder)
        later = period("later", starts_on="2022-01-05", cutoff_at="2022-03-31T17:00:00+07:00")
        found.build(SCHEMA, [period(), later, period("begun", starts_on="2022-01-04",
                    cutoff_at="2022-03-31T17:00:00+07:00")])  # fmt: skip
        lenient = {"points": {"share_at_target": "0.25", "excess": "amount"}, "decimals": 0}
        found.build(
            LENIENT,
            [period("lenient", gates=[], not_considered_when=[], ties=[], **lenient)],
            cutoff=AT,
        )
        yield found


def points(ranked: Ranked, code: str, metric: str, schema: str = SCHEMA) -> dict[str, Any]:
    where = {"participant_code": code, "metric_code": metric}
    found = ranked.rows(schema, "rpt_emulation_points", **where)
    (row,) = [row for row in found if row["period_id"] in ("p", "lenient")]
    return row


def place(ranked: Ranked, code: str, schema: str = SCHEMA) -> dict[str, Any]:
    found = ranked.rows(schema, "rpt_emulation_ranking", participant_code=code)
    (row,) = [row for row in found if row["period_id"] in ("p", "lenient")]
    return row


@pytest.mark.parametrize(
    ("code", "metric", "result", "given"),
    [
        ("07201", HI, "leader", "40"),
        ("07202", HI, "above_target", "25"),  # 20 + 20 × 5 % ÷ 20 %
        ("07203", HI, "at_target", "20"),
        ("07204", HI, "below_target", "19.74"),  # 20 × 987 ÷ 1000
        ("07208", HI, "negative", "0"),
        ("07209", HI, "at_target", "20"),
        ("07201", DEBT, "above_target", "45"),  # 30 + 30 × (0.9 − 0.45) ÷ 0.9
        ("07202", DEBT, "leader", "60"),
        ("07203", DEBT, "below_target", "30"),  # 0.9 % is not below 0.9 %
        ("07204", DEBT, "below_target", "22.5"),  # 30 × 0.9 ÷ 1.2
        ("07208", DEBT, "above_target", "50"),  # 30 + 30 × 0.6 ÷ 0.9
        ("07206", HI, "not_considered", None),
        ("O1", HI, "leader", "12.5"),
        ("O2", HI, "at_target", "6.25"),
        ("O4", HI, "leader", "12.5"),
    ],
)
def test_points_by_the_formula(
    ranked: Ranked, code: str, metric: str, result: str, given: str | None
) -> None:
    if code == "O4":
        # 2,000 of 1,500 is not the lead
        result, given = "above_target", str(Decimal("6.25") + Decimal("6.25") / 3)[:6]
    row = points(ranked, code, metric)
    assert row["result_code"] == result
    assert row["points"] == (None if given is None else Decimal(given))


def test_places_ties_and_gates(ranked: Ranked) -> None:
    table = {
        row["participant_code"]: (
            row["total_points"], row["rank_number"], row["tie_broken_by"], row["is_rank_shared"],
            row["not_considered_code"],
        )
        for row in ranked.rows(SCHEMA, "rpt_emulation_ranking", period_id="p")
        if row["participant_type"] == "agency"
    }  # fmt: skip
    assert table == {
        "07201": (85, 1, HI, False, None),
        "07202": (85, 2, HI, False, None),
        "07203": (50, 3, HI, True, None),
        "07204": (Decimal("42.24"), 6, None, False, None),
        "07205": (None, None, None, False, "plan_zero"),
        "07206": (None, None, None, False, "gate_failed"),
        "07207": (None, None, None, False, "no_figure"),
        "07208": (50, 5, HI, False, None),
        "07209": (50, 3, HI, True, None),
        "07210": (None, None, None, False, "gate_failed"),
        "08001": (None, None, None, False, "no_plan"),
    }


def test_officers_are_ranked_in_their_own_agency(ranked: Ranked) -> None:
    rows = {
        row["participant_code"]: row
        for row in ranked.rows(SCHEMA, "rpt_emulation_ranking", period_id="p")
        if row["participant_type"] == "officer"
    }
    assert {code: row["rank_number"] for code, row in rows.items()} == {
        "O1": 1, "O4": 2, "O2": 3, "O3": None, "P": None,
    }  # fmt: skip
    assert (rows["O1"]["participant_name"], rows["O1"]["agency_code"]) == ("Nguyễn Văn O1", "07201")
    assert rows["O3"]["not_considered_code"] == "no_plan"
    assert rows["O1"]["province_code"] == "072"


def test_what_excludes_is_configuration(ranked: Ranked) -> None:
    """By amount, 07207's 2,999,000 over the plan lead; no figure and a plan of 0 give nothing."""
    assert points(ranked, "07207", HI, LENIENT)["points"] == 40
    assert points(ranked, "07207", DEBT, LENIENT)["result_code"] == "no_figure"
    # 10 + 30 × 1,999,000 ÷ 2,999,000 = 29.99…
    assert points(ranked, "07206", HI, LENIENT)["points"] == 30
    assert points(ranked, "07205", HI, LENIENT)["result_code"] == "plan_zero"
    assert points(ranked, "07210", HI, LENIENT)["result_code"] == "no_plan"
    assert place(ranked, "07207", LENIENT)["total_points"] == 40
    assert place(ranked, "07207", LENIENT)["is_at_cutoff"] is True
    assert place(ranked, "07207")["is_at_cutoff"] is False
    rows = ranked.rows(LENIENT, "rpt_emulation_ranking")
    assert all(row["is_considered"] for row in rows)


def test_a_period_counts_from_its_first_day_and_is_measured_no_later_than_now(
    ranked: Ranked,
) -> None:
    rows = ranked.rows(SCHEMA, "rpt_emulation_ranking")
    assert {(row["period_id"], f"{row['measured_month']:%Y-%m}") for row in rows} == {
        ("p", "2021-12"),
        ("begun", "2022-01"),
    }


@pytest.mark.parametrize(
    ("code", "metric", "sentence"),
    [
        ("07201", HI,
         "Số thu BHYT: thực hiện 1.200 đồng, kế hoạch 1.000 đồng (bằng 120,00 % kế hoạch); vượt "
         "kế hoạch 200 đồng (bằng 20,00 % kế hoạch), mức cao nhất trong các đơn vị được xét, nên "
         "được 40,0000 trên 40 điểm."),
        ("07202", HI,
         "Số thu BHYT: thực hiện 1.050 đồng, kế hoạch 1.000 đồng (bằng 105,00 % kế hoạch); vượt "
         "kế hoạch 50 đồng (bằng 5,00 % kế hoạch), tức 25,00 % mức của đơn vị dẫn đầu (BHXH huyện "
         "A), nên được 25,0000 trên 40 điểm (20 điểm vì đạt và 5 điểm theo mức vượt)."),
        ("07204", HI,
         "Số thu BHYT: thực hiện 987 đồng, kế hoạch 1.000 đồng (bằng 98,70 % kế hoạch); chưa đạt "
         "kế hoạch nên được 19,7400 trên 40 điểm (20 điểm nhân với tỷ lệ hoàn thành)."),
        ("07203", HI,
         "Số thu BHYT: thực hiện 1.000 đồng, kế hoạch 1.000 đồng (bằng 100,00 % kế hoạch); đúng "
         "bằng kế hoạch nên được 20,0000 trên 40 điểm."),
        ("07208", HI,
         "Số thu BHYT: thực hiện -5 đồng, kế hoạch 1.000 đồng (bằng -0,50 % kế hoạch); số thực "
         "hiện âm nên được 0,0000 trên 40 điểm."),
        ("07201", DEBT,
         "Tỷ lệ nợ BHYT: thực hiện 0,45 %, chỉ tiêu dưới 0,90 % (bằng 50,00 % chỉ tiêu); thấp hơn "
         "chỉ tiêu 0,45 điểm phần trăm (bằng 50,00 % chỉ tiêu), tức 50,00 % mức của đơn vị dẫn "
         "đầu (BHXH huyện B), nên được 45,0000 trên 60 điểm (30 điểm vì đạt và 15 điểm theo mức "
         "vượt)."),
        ("07204", DEBT,
         "Tỷ lệ nợ BHYT: thực hiện 1,20 %, chỉ tiêu dưới 0,90 % (bằng 133,33 % chỉ tiêu); chưa "
         "thấp hơn chỉ tiêu nên được 22,5000 trên 60 điểm (30 điểm nhân với chỉ tiêu chia cho "
         "thực hiện)."),
        ("07206", HI,
         "Số thu BHYT: thực hiện 2.000.000 đồng, kế hoạch 1.000 đồng (bằng 200.000,00 % kế "
         "hoạch); không tính điểm vì không được xét thi đua."),
        ("07207", DEBT,
         "Tỷ lệ nợ BHYT: chưa có số liệu của tháng 12/2021, chỉ tiêu dưới 0,90 %; không tính điểm "
         "vì không được xét thi đua."),
        ("O1", HI,
         "Số thu BHYT: thực hiện 1.200 đồng, kế hoạch 600 đồng (bằng 200,00 % kế hoạch); vượt kế "
         "hoạch 600 đồng (bằng 100,00 % kế hoạch), mức cao nhất trong các cán bộ được xét, nên "
         "được 12,5000 trên 12,5 điểm."),
    ],
)  # fmt: skip
def test_every_point_is_explained_in_a_sentence(
    ranked: Ranked, code: str, metric: str, sentence: str
) -> None:
    assert points(ranked, code, metric)["explanation_vi"] == sentence


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("07201",
         "Xếp hạng 1 trong 6 đơn vị được xét, tổng 85,0000 trên 100 điểm; bằng điểm với 1 đơn vị "
         "khác, phân định theo mức hoàn thành của chỉ tiêu Số thu BHYT."),
        ("07203",
         "Xếp hạng 3 trong 6 đơn vị được xét, tổng 50,0000 trên 100 điểm; bằng điểm với 1 đơn vị "
         "khác, phân định theo mức hoàn thành của chỉ tiêu Số thu BHYT; đồng hạng với 1 đơn vị "
         "khác vì bằng điểm và bằng nhau ở mọi chỉ tiêu phân định."),
        ("07206",
         "Không xét: Tỷ lệ nợ chung: thực hiện 3,00 %, không đạt điều kiện dưới 2,00 %."),
        ("07210",
         "Không xét: Tỷ lệ nợ chung: thực hiện 0,90 %, không đạt điều kiện dưới 0,8999 %; "
         "Số thu BHYT: không có kế hoạch đang hiệu lực."),
        ("07205", "Không xét: Số thu BHYT: kế hoạch được giao bằng 0."),
        ("07207",
         "Không xét: Tỷ lệ nợ BHYT: chưa có số liệu của tháng 12/2021; Tỷ lệ nợ chung: chưa có số "
         "liệu của tháng 12/2021."),
        ("O2", "Xếp hạng 3 trong 3 cán bộ được xét, tổng 6,2500 trên 12,5 điểm."),
    ],
)  # fmt: skip
def test_every_place_is_explained_in_a_sentence(ranked: Ranked, code: str, sentence: str) -> None:
    assert place(ranked, code)["explanation_vi"] == sentence


def test_no_sentence_has_a_hole_or_a_figure_that_is_not_written_as_people_write_it(
    ranked: Ranked,
) -> None:
    for schema in (SCHEMA, LENIENT):
        for table in ("rpt_emulation_points", "rpt_emulation_ranking"):
            for row in ranked.rows(schema, table):
                spoken, english = row["explanation_vi"], row["explanation_en"]
                assert not re.search(r"\d{4}", re.sub(r"/\d{4}|,\d+", "", spoken)), spoken
                assert not re.search(r"\d\.\d{1,2}(?!\d)", spoken), spoken
                assert "  " not in spoken + english
                assert spoken.endswith(".")
                assert english.endswith(".")
                assert re.search(r"[ạảấầẩậắằẳặẹẻẽếềểệỉịọỏốồổộớờởợụủứừửựỳỵđ]", spoken), spoken


def test_every_weighted_metric_is_explained_and_the_total_adds_up(ranked: Ranked) -> None:
    for schema, weights in ((SCHEMA, {"agency": 2, "officer": 1}),):
        given = ranked.rows(schema, "rpt_emulation_points")
        for row in ranked.rows(schema, "rpt_emulation_ranking"):
            own = [
                point for point in given
                if all(point[k] == row[k] for k in ("period_id", "participant_type",
                                                    "participant_code"))
            ]  # fmt: skip
            assert len(own) == weights[row["participant_type"]]
            if row["is_considered"]:
                assert sum(point["points"] for point in own) == row["total_points"]
            else:
                assert row["total_points"] is None
