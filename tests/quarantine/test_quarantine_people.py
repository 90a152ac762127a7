"""What people get of quarantine: lists, ages, money at stake, workbooks and exit statuses."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chotso.build.dbt import run_build
from chotso.calendar import LOCAL_ZONE
from chotso.cli import app as command_line
from chotso.ingest.rules import register
from chotso.quarantine.workbook import (
    HEADER_ROW,
    NO_AGENCY,
    ROWS_HEADER,
    ROWS_SHEET,
    STAKE_SHEET,
)
from chotso.sandbox.server import SandboxServer
from tests.worlds.quarantine_world import (
    FIRST,
    NAME,
    SHORT_NUMBER,
    QuarantineWorld,
    account,
    quarantine_world,
    sha256,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

FORMULA = "=HYPERLINK(1)"
Chotso = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    folder = tmp_path_factory.mktemp("people")
    with quarantine_world(running, "people", folder) as made:
        made.payment("OK", 1000)
        made.line("OK", 1, 300)
        made.line("OK", 2, 700, fund="@XX")
        made.payment("NO-AGENCY", 500, agency="07299")
        made.line("NO-AGENCY", 1, 500)
        made.payment(FORMULA, 10**16, agency="07202")
        made.spell(1, SHORT_NUMBER)
        made.accounts({"07201": [account("TB0001B", 90) | {"_ps_bh": 80}]})
        made.plans("1", {"chi_tieu": "THU_BHTN", "gia_tri": "12345678901234567.25"})
        made.extract()
        run_build(made.settings)
        made.tick(days=9, hours=20)
        yield made


@pytest.fixture
def chotso(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Chotso:
    """The command line in this process: (exit status, stdout, stderr)."""
    settings = world.settings
    for name, value in {
        "HOME": settings.home,
        "WAREHOUSE_URL": settings.warehouse_url,
        "SOURCE_URL": settings.source_url,
        "DROP_URL": settings.drop_url,
        "LANDING_URL": settings.landing_url,
        "PSEUDONYM_KEY_FILE": settings.pseudonym_key_file,
    }.items():
        monkeypatch.setenv(f"CHOTSO_{name}", str(value))

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["chotso", "quarantine", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def listed(chotso: Chotso, *more: str) -> list[dict[str, Any]]:
    status, out, err = chotso("list", "--json", *more)
    assert status == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def by_key(chotso: Chotso, key: str) -> dict[str, Any]:
    (found,) = [row for row in listed(chotso) if row["row_key"] == key]
    return found


def test_rows_age_by_the_source_clock(chotso: Chotso) -> None:
    row = by_key(chotso, "OK|2")
    # 02/11 at 01:00 to 11/11 at 21:00, local: nine midnights.
    assert row["age_days"] == 9
    assert row["first_seen"] == FIRST.astimezone(UTC).isoformat()
    assert row["age_days"] != (datetime.now(UTC) - FIRST).days, "the naive twin asks the wall"


def test_while_the_source_is_away_rows_age_by_its_newest_reading(
    chotso: Chotso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOTSO_SOURCE_URL", "postgresql://x@127.0.0.1:1/none")
    assert by_key(chotso, "OK|2")["age_days"] == 0


def test_each_row_has_the_agency_that_can_be_read_from_it(chotso: Chotso) -> None:
    agencies = {row["row_key"]: row["agency_code"] for row in listed(chotso)}
    plan = next(key for key in agencies if "THU_BHTN" in key)
    assert agencies == {
        "OK|2": "07201",  # of its document, which is held
        "NO-AGENCY": None,  # the register lacks 07299
        "NO-AGENCY|1": None,  # of its document, which is set aside
        FORMULA: "07202",
        "1": "07201",
        "TB0001B|2021-10-01": "07201",
        plan: "07201",
    }


def test_the_table_ends_with_the_money_at_stake(chotso: Chotso) -> None:
    status, out, _ = chotso("list")
    assert status == 0
    assert "07201 Số thu" in out
    assert "no agency payments: 1 rows, 500 đồng" in out


def test_money_at_stake_is_what_readers_see(world: QuarantineWorld, chotso: Chotso) -> None:
    status, out, _ = chotso("summary", "--json")
    assert status == 0
    told = json.loads(out)
    shown = world.rows(
        "select agency_code, metric_code, month, quarantined_money "
        "from marts.fct_monthly_attainment where quarantined_money > 0"
    )
    assert shown
    assert {(m["agency_code"], m["metric_code"], m["month"], m["money"]) for m in told["by_month"]}\
        == {(r["agency_code"], r["metric_code"], r["month"].isoformat(),
             int(r["quarantined_money"])) for r in shown}  # fmt: skip
    total = {(m["agency_code"], m["metric_code"]): m["money"] for m in told["by_metric"]}
    # The line of an unknown fund could be in any fund; the document of an unknown agency, anywhere.
    assert total["07201", "collection_hi"] == 700
    assert total["07202", "collection_si_compulsory"] == 500
    assert total["072", "collection_total"] == 700 + 500
    assert total["07201", "arrears_ratio_si"] == 90
    feeds = {(f["agency_code"], f["feed"]): (f["rows"], f["money"]) for f in told["by_feed"]}
    assert feeds["07202", "payments"] == (1, 10**16)
    assert feeds["07201", "plans"] == (1, "12345678901234567.25")
    assert feeds[None, "allocations"] == (1, 500)
    assert feeds["07201", "participations"] == (1, 0)
    assert told["rows"] == sum(rows for rows, _ in feeds.values())
    assert told["oldest_days"] == 9


def test_show_names_every_rule_with_what_to_do(chotso: Chotso) -> None:
    row = by_key(chotso, "TB0001B|2021-10-01")
    status, out, _ = chotso("show", row["id"])
    rule = next(r for r in register() if r.id == "c12.closing_identity_si")
    assert status == 0
    assert rule.sentence_vi in out
    assert f"Cần làm: {rule.next_action_vi}" in out
    told = json.loads(chotso("show", row["id"], "--json")[1])
    assert told["row"]["ck_bhxh"] == 90
    assert [r["rule_id"] for r in told["rules"]] == row["rule_ids"]


def test_workbooks_hold_what_the_list_says(
    world: QuarantineWorld, chotso: Chotso, tmp_path: Path
) -> None:
    status, out, err = chotso("export", "--out", tmp_path / "one", "--json")
    assert status == 0, err
    files = [Path(name) for name in json.loads(out)["files"]]
    assert {f.stem for f in files} == {"07201", "07202", NO_AGENCY}
    rows = listed(chotso)
    seen = 0
    for path in files:
        agency = None if path.stem == NO_AGENCY else path.stem
        wanted = [row for row in rows if row["agency_code"] == agency]
        book = CalamineWorkbook.from_path(str(path))
        assert book.sheet_names == [ROWS_SHEET, STAKE_SHEET]
        header, *cells = book.get_sheet_by_name(ROWS_SHEET).to_python()[HEADER_ROW:]
        assert header == list(ROWS_HEADER)
        assert [line[0] for line in cells] == [row["id"] for row in wanted]
        for line, row in zip(cells, wanted, strict=True):
            assert_says(line, row)
        seen += len(cells)
        text = json.dumps(cells, ensure_ascii=False, default=str)
        assert NAME not in text
        assert SHORT_NUMBER not in text
        assert not any(len(word) == 64 for word in text.split()), "no pseudonym either"
    assert seen == len(rows)
    assert chotso("export", "--out", tmp_path / "two")[0] == 0
    for path in files:
        assert sha256(path) == sha256(tmp_path / "two" / path.name), "same rows, same bytes"


def assert_says(line: list[Any], row: dict[str, Any]) -> None:
    rules = {rule.id: rule for rule in register()}
    assert line[2] == row["row_key"]
    assert line[3] == "\n".join(rules[name].sentence_vi for name in row["rule_ids"])
    if row["row_key"] in (FORMULA,) or "THU_BHTN" in row["row_key"]:
        # More digits than a spreadsheet's number holds: exact, as text.
        assert Decimal(line[4]) == Decimal(str(row["money"]))
        assert isinstance(line[4], str)
    else:
        assert line[4] == float(row["money"])
    for cell, name in ((line[5], "first_seen"), (line[6], "last_seen")):
        local = datetime.fromisoformat(row[name]).astimezone(LOCAL_ZONE)
        assert cell == local.replace(tzinfo=None, second=0, microsecond=0)
    assert line[7] == row["age_days"]
    assert line[8] == rules[row["rule_id"]].next_action_vi
    assert line[9]


@pytest.mark.parametrize(
    "arguments",
    [
        ["waive", "1", "--by", "x"],
        ["waive", "1", "--reason", "x"],
        ["waive", "one", "--reason", "x", "--by", "x"],
        ["replay", "one"],
        ["show"],
        ["export"],
        ["forgive", "1"],
    ],
)
def test_wrong_usage_exits_with_2(chotso: Chotso, arguments: list[str]) -> None:
    assert chotso(*arguments)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["show", 999_999], "No row 999999"),
        (["replay", 999_999], "No row 999999"),
        (["waive", 999_999, "--reason", "x", "--by", "x"], "No row 999999"),
        (["waive", 1, "--reason", " ", "--by", "x"], "reason is empty"),
        (["waive", 1, "--reason", "x", "--by", ""], "name is empty"),
    ],
)
def test_a_refusal_exits_with_1(chotso: Chotso, arguments: list[object], reason: str) -> None:
    status, _, err = chotso(*arguments)
    assert status == 1
    assert reason in err
    assert "Next:" in err


def test_replay_and_waive_answer_and_the_figures_follow(
    world: QuarantineWorld, chotso: Chotso
) -> None:
    row = by_key(chotso, "TB0001B|2021-10-01")["id"]
    status, out, err = chotso("replay", row, "--json")
    assert status == 1
    assert json.loads(out)["rows"][0]["rule_id"] == "c12.closing_identity_si"
    assert "c12.closing_identity_si" in err
    status, out, _ = chotso("waive", row, "--reason", "đã kiểm tra", "--by", "Kiểm soát", "--json")
    assert status == 0
    assert json.loads(out)["act"]["act_id"].startswith("waive_20211111_")
    assert chotso("waive", row, "--reason", "x", "--by", "x")[0] == 1
    assert chotso("replay", row)[0] == 1
    assert row not in {r["id"] for r in listed(chotso)}
    (ended,) = [r for r in listed(chotso, "--all") if r["id"] == row]
    assert (ended["status"], ended["resolved_by"], ended["age_days"]) == ("waived", "Kiểm soát", 9)
    world.extract("c12")
    run_build(world.settings)
    total = {
        (m["agency_code"], m["metric_code"]): m["money"]
        for m in json.loads(chotso("summary", "--json")[1])["by_metric"]
    }
    assert ("07201", "arrears_ratio_si") not in total
    assert total["07201", "collection_hi"] == 700
