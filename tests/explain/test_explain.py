"""`chotso explain` on two hand-made nights in which every cause happens, worked out by hand."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from chotso.cli.app import app
from chotso.errors import ChotsoError
from chotso.explain import explain, states
from chotso.explain.causes import CAUSES
from chotso.explain.report import told_figure
from chotso.explain.since import Between, Since
from chotso.explain.states import State
from chotso.registers import load_registers
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.build_world import instant
from tests.worlds.explain_world import (
    FIRST_BATCH,
    SECOND_BATCH,
    T0,
    T1,
    TwoNights,
    first_night,
    other_configuration,
    second_night,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

DECEMBER = date(2021, 12, 1)
HI, SI, HEADS = "collection_hi", "arrears_ratio_si", "participants_hi"

Split = Callable[[str, str], Since]


@dataclass(frozen=True)
class Explained:
    """Both nights under both configurations; readers saw the first under the other one."""

    warehouse: Warehouse
    conn: psycopg.Connection
    old: State
    first: State
    second: State
    old_second: State


@pytest.fixture(scope="module")
def explained(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explained]:
    with (
        new_warehouse(servers, tmp_path_factory.mktemp("home")) as made,
    ):
        old, now = other_configuration(), load_registers()
        with psycopg.connect(made.admin_url) as admin:
            world = TwoNights(admin)
            first_night(world)
            second_night(world)
            world.shown("2021-12-29T01:00", old.configuration, old.sha256)
            world.shown("2021-12-30T01:00", now.configuration, now.sha256)
        with states.holding(made.settings) as conn:
            built = [
                states.make_state(made.settings, conn, known, registers)
                for known, registers in ((T0, old), (T0, now), (T1, now), (T1, old))
            ]
            yield Explained(made, conn, *built)


@pytest.fixture(scope="module")
def split(explained: Explained) -> Split:
    """The change from the first night to the second under one configuration."""
    between = Between(explained.conn, explained.first, explained.first, explained.second)
    return lambda agency, metric: between.explain(agency, metric, DECEMBER)


def parts(since: Since, *columns: str) -> dict[str, tuple[Any, ...]]:
    return {p.cause: tuple(p.change[column] for column in columns) for p in since.parts}


def items(since: Since, cause: str, name: str) -> list[tuple[Any, int, int]]:
    (part,) = [part for part in since.parts if part.cause == cause]
    return [(piece.details.get(name), *piece.change) for piece in part.pieces]


def test_every_cause_of_a_collection_has_its_part(split: Split) -> None:
    """07201: 1,890 of the month and 2,190 to date became 1,204 and 1,564; the plan doubled."""
    since = split("07201", HI)
    assert parts(since, "actual_month", "actual_to_date", "plan_in_force") == {
        "released_from_quarantine": (5 + 2 - 80, 5 + 2 - 80, 0),
        "re_assigned": (-200, -200, 0),
        "voided": (-400, -400, 0),
        "corrected": (-60 + 30 - 50 + 30 + 7, 30 - 50 + 30 + 7, 0),
        "late": (20, 20, 0),
        "new": (10, 10, 0),
        "plan_revised": (0, 0, 1_000),
    }
    assert [since.change[name] for name in ("actual_month", "actual_to_date")] == [-686, -626]


def test_several_causes_at_one_document_are_told_line_by_line(split: Split) -> None:
    """Of `several` one line grew, one vanished, one pays another fund, one appeared."""
    found = items(split("07201", HI), "corrected", "document_code")
    assert found == [
        ("credit", -60, 0),
        ("several", 30, 30),
        ("several", -50, -50),
        ("several", 30, 30),
        ("several", 7, 7),
    ]


def test_a_moved_and_corrected_document_is_both(split: Split) -> None:
    """200 left 07201; 07202 got 200 and 30 more; the province sees the 30 alone."""
    assert parts(split("07202", HI), "actual_month") == {"re_assigned": (200,), "corrected": (30,)}
    assert ("moved", -200, -200) in items(split("07201", HI), "re_assigned", "document_code")
    assert ("moved", 30, 30) in items(split("072", HI), "corrected", "document_code")


def test_other_parents_re_assign_what_nobody_touched(split: Split) -> None:
    assert items(split("072", HI), "re_assigned", "document_code") == [("parents", -3, -3)]
    assert items(split("080", HI), "re_assigned", "document_code") == [("parents", 3, 3)]
    assert items(split("072", HEADS), "re_assigned", "person_id") == [
        ("parents".ljust(64, "0"), -1, -1)
    ]


def test_what_was_not_shown_begins_with_nothing(split: Split) -> None:
    since = split("07206", HI)
    assert not since.was_shown
    assert since.before["actual_to_date"] == 0
    assert parts(since, "actual_to_date") == {"newly_shown": (90,)}


def test_persons_come_and_go_by_the_spells_that_say_so(split: Split) -> None:
    """07201 had seven; `twice` got a second spell, `leaves` stays until the month's end."""
    since = split("07201", HEADS)
    assert [numbers["actual_month"] for numbers in (since.before, since.after)] == [7, 8]
    found = {
        part.cause: {
            piece.details["person_id"].rstrip("0"): piece.change[0] for piece in part.pieces
        }
        for part in since.parts
    }
    assert found == {
        "released_from_quarantine": {"again": 1},
        "re_assigned": {"moved": -1},
        "voided": {"void": -1},
        "corrected": {"begin": 1, "mended": -1},
        "late": {"late": 1, "slow": 1, "left": -1},
        "new": {"new": 1},
    }


def test_a_ratio_is_split_one_cause_after_the_other(split: Split) -> None:
    """1,200 ÷ 10,000 became 1,550 ÷ 9,460, by way of 1,250 ÷ 10,060, 1,050 ÷ 9,060, …"""
    since = split("07201", SI)
    assert parts(since, "numerator", "denominator", "actual_to_date") == {
        "released_from_quarantine": (50, 60, Decimal("0.124254473") - Decimal("0.12")),
        "re_assigned": (-200, -1_000, Decimal("0.115894040") - Decimal("0.124254473")),
        "corrected": (0, 100, Decimal("0.114628821") - Decimal("0.115894040")),
        "late": (0, 300, Decimal("0.110993658") - Decimal("0.114628821")),
        "new": (500, 0, Decimal("0.163847780") - Decimal("0.110993658")),
        "plan_revised": (0, 0, 0),
    }
    # 1,550 ÷ 9,460 ÷ 0.009 = 18.205308…; over 0.005 it is 32.769556…
    assert parts(since, "plan_in_force", "attainment_ratio")["plan_revised"] == (
        Decimal("-0.004"),
        Decimal("32.769556025") - Decimal("18.205308903"),
    )


def test_an_account_that_moved_and_was_restated_is_both(split: Split) -> None:
    since = split("07202", SI)
    assert parts(since, "numerator", "denominator", "actual_to_date") == {
        "re_assigned": (200, 1_000, Decimal("0.200000000")),
        "new": (10, 0, Decimal("0.010000000")),
    }
    assert since.before["numerator"] is None


def test_the_first_account_of_a_month_shows_the_receivable_of_the_months_before(
    split: Split,
) -> None:
    since = split("07204", SI)
    assert parts(since, "numerator", "denominator") == {"new": (5, 710)}
    found = [(piece.kind, *piece.change) for piece in since.parts[0].pieces]
    assert found == [("account", 5, 10), ("opening", 0, 700)]


def test_another_configuration_is_a_cause_of_its_own(explained: Explained) -> None:
    """December's interest of 7 counted; what follows is as under one configuration."""
    between = Between(explained.conn, explained.old, explained.first, explained.second)
    since = between.explain("07201", HI, DECEMBER)
    found = parts(since, "actual_month")
    assert next(iter(found.items())) == ("configuration", (Decimal(-7),))
    assert sum(change for (change,) in found.values()) == since.change["actual_month"] == -693
    assert items(since, "configuration", "document_code") == [("kept", -7, -7)]


def test_another_variant_of_a_ratio_is_configuration(explained: Explained) -> None:
    """1,200 were divided by a plan of 20,000, now by a receivable of 10,000."""
    between = Between(explained.conn, explained.old, explained.first, explained.second)
    since = between.explain("07201", SI, DECEMBER)
    first = since.parts[0]
    assert first.cause == "configuration"
    assert [first.change[name] for name in ("numerator", "denominator")] == [0, 10_000 - 20_000]
    assert first.change["actual_to_date"] == Decimal("0.12") - Decimal("0.06")
    assert sum(p.change["actual_to_date"] for p in since.parts) == since.change["actual_to_date"]
    assert since.change["actual_to_date"] == Decimal("0.163847780") - Decimal("0.06")


def test_a_ratio_by_plan_changes_with_the_plan_that_divides_it(explained: Explained) -> None:
    """1,200 ÷ 20,000 became 1,550 ÷ 25,000; receivables are no part of it."""
    between = Between(explained.conn, explained.old, explained.old, explained.old_second)
    since = between.explain("07201", SI, DECEMBER)
    assert parts(since, "numerator", "denominator", "actual_to_date") == {
        "released_from_quarantine": (50, 0, Decimal("0.0025")),
        "re_assigned": (-200, 0, Decimal("-0.01")),
        "new": (500, 0, Decimal("0.025")),
        "plan_revised": (0, 5_000, Decimal("0.062") - Decimal("0.0775")),
    }
    assert [(p.kind, p.change[1]) for p in since.parts[-1].pieces] == [
        ("plan_line", 0),
        ("plan_line", 5_000),
    ]
    told = told_figure(explained.conn, explained.old_second, "07201", SI, DECEMBER)
    assert {line["metric_code"]: line["plan_value"] for line in told["plan_lines"]} == {
        SI: "0.005000000",
        "collection_si_compulsory": 25_000,
    }


def test_causes_are_applied_in_their_documented_order(split: Split) -> None:
    order = list(CAUSES)
    for metric in (HI, SI, HEADS):
        found = [order.index(part.cause) for part in split("07201", metric).parts]
        assert all(a < b for a, b in pairwise(found))


def test_batches_before_and_after_stand_at_every_item(split: Split) -> None:
    (part,) = [part for part in split("07201", HI).parts if part.cause == "corrected"]
    grown = part.pieces[1].details
    assert grown["batch_ids_before"] == {"document": FIRST_BATCH, "line": FIRST_BATCH}
    assert grown["batch_ids_after"] == {"document": SECOND_BATCH, "line": SECOND_BATCH}


def test_totals_of_documents_alone_misattribute(explained: Explained, split: Split) -> None:
    """The naive twin: what each document's total is more, `late` if it was not there before."""

    def totals(state: State) -> dict[str, int]:
        query = sql.SQL(
            "select document_code, sum(collected_vnd) from {} where agency_code = '07201' "
            "and fund_code = 'BHYT' group by document_code"
        ).format(sql.Identifier(state.schema, "fct_contribution"))
        return {code: int(money) for code, money in explained.conn.execute(query)}

    before, after = totals(explained.first), totals(explained.second)
    naive: dict[str, int] = defaultdict(int)
    for code in before | after:
        known = code in before and code in after
        cause = "corrected" if known else "late" if code in after else "voided"
        naive[cause] += after.get(code, 0) - before.get(code, 0)
    ours = {cause: int(change) for cause, (change,) in
            parts(split("07201", HI), "actual_to_date").items() if change}  # fmt: skip
    assert sum(naive.values()) == sum(ours.values()) == -626
    assert dict(naive) == {"corrected": 19, "voided": -680, "late": 35}


def test_a_figure_names_its_lines_plan_and_files(explained: Explained) -> None:
    told = told_figure(explained.conn, explained.second, "07201", HI, DECEMBER)
    assert told["figure"] | {"is_met": None} == {
        "actual_month": 1_204, "actual_to_date": 1_564, "numerator": None, "denominator": None,
        "plan_in_force": 2_000, "attainment_ratio": "0.782000000", "plan_original": 1_000,
        "is_met": None, "quarantined_money": 0,
    }  # fmt: skip
    lines = {(item["document_code"], item["line_number"]): item for item in told["items"]}
    assert sum(item["amounts"]["actual_to_date"] for item in told["items"]) == 1_564
    assert lines["new", 1]["batches"]["document"] == {
        "batch_id": SECOND_BATCH,
        "known_at": T1,
        "file": f"payments/2021-12-29/{SECOND_BATCH}",
        "landing_path": f"payments/2021-12-29/{SECOND_BATCH}",
    }
    plans = [(line["decision_code"], line["is_in_force"]) for line in told["plan_lines"]]
    assert plans == [("1/QĐ", False), ("3/QĐ", True), ("2/QĐ", False)]


def test_a_person_is_named_with_every_spell(explained: Explained) -> None:
    told = told_figure(explained.conn, explained.second, "07201", HEADS, DECEMBER)
    spells = {item["person_id"].rstrip("0"): len(item["spells"]) for item in told["items"]}
    assert spells["twice"] == 2
    assert len(spells) == told["figure"]["actual_month"] == 8


@pytest.mark.parametrize(
    ("agency", "metric", "month", "said"),
    [
        ("07210", HI, DECEMBER, "name one of: 072, 07201, 07202"),
        ("07201", "collection_ih", DECEMBER, "collection_hi"),
        ("07201", HI, date(2022, 5, 1), "2021-01 to 2021-12"),
    ],
)
def test_what_no_figure_has_is_refused_with_the_nearest(
    split: Split, agency: str, metric: str, month: date, said: str, explained: Explained
) -> None:
    with pytest.raises(ChotsoError, match=said):
        told_figure(explained.conn, explained.second, agency, metric, month)


def test_items_that_do_not_add_up_are_refused(explained: Explained) -> None:
    """A line that vanishes behind the mart's back."""
    conn = explained.conn
    conn.commit()
    conn.execute(
        sql.SQL("delete from {} where document_code = 'new'").format(
            sql.Identifier(explained.second.schema, "fct_contribution")
        )
    )
    with pytest.raises(ChotsoError, match="do not add up"):
        told_figure(conn, explained.second, "07201", HI, DECEMBER)
    conn.rollback()


@pytest.fixture
def released(explained: Explained) -> Explained:
    """The states are the command's own here: the module's session gives its lock up."""
    explained.conn.rollback()
    explained.conn.execute("select pg_advisory_unlock_all()")
    explained.conn.commit()
    return explained


def test_the_command_tells_the_whole_change_from_what_readers_saw(
    released: Explained, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = released.warehouse.settings
    monkeypatch.setattr("chotso.cli.explain.load_settings", lambda: settings)
    arguments = ["explain", "07201", HI, "--month", "2021-12", "--since", "2021-12-29T01:00"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    since = told["since"]
    assert (since["is_configuration_changed"], since["was_shown"]) == (True, True)
    assert since["change"]["actual_month"] == -693
    assert sum(part["change"]["actual_month"] for part in since["parts"]) == -693
    for part in since["parts"]:
        found = sum(item["difference"]["actual_month"] for item in part["items"])
        assert found == part["change"]["actual_month"], part["cause"]
    assert told["figure"]["attainment_ratio"] == "0.782000000"

    text = CliRunner().invoke(app, [*arguments, "--lines", "2"])
    assert text.exit_code == 0, text.output
    assert "Số thu BHYT — Collection" in text.stdout
    assert "Điều chỉnh số liệu đã ghi nhận — corrected" in text.stdout
    assert "và 3 dòng khác — and 3 more" in text.stdout


def test_states_are_kept_and_old_ones_dropped(released: Explained) -> None:
    settings = released.warehouse.settings
    with states.holding(settings) as conn:
        again = states.make_state(settings, conn, T1, load_registers())
        assert (again.schema, again.is_new) == (released.second.schema, False)
        with psycopg.connect(released.warehouse.admin_url, autocommit=True) as admin:
            admin.execute("create schema explain_0123456789ab")  # nobody's: without our comment
        dropped = states.drop_old_states(settings, conn, [again], keep=2)
        kept = conn.execute(
            "select nspname from pg_namespace where nspname like 'explain_%' order by 1"
        ).fetchall()
        assert set(dropped) <= {
            s.schema for s in (released.old, released.first, released.old_second)
        }
        assert len(kept) == 3
        with psycopg.connect(released.warehouse.admin_url, autocommit=True) as admin:
            admin.execute("drop schema explain_0123456789ab")


def test_instants_outside_what_is_known_are_refused(released: Explained) -> None:
    settings = released.warehouse.settings
    for known, since in (
        (instant("2022-01-01T00:00"), None),
        (instant("2021-01-01T00:00"), None),
        (T0, T1),
        (T1, T1),
    ):
        with pytest.raises(ChotsoError):
            explain(settings, "07201", HI, DECEMBER, known_at=known, since=since)
