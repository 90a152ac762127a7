"""What a statement lacks is gone only where the statement proves it; half a file is no proof."""

import csv
import io
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import psycopg
import pytest

from chotso.ingest.night import extract_group
from chotso.ingest.waiting import GroupReport
from chotso.sandbox.server import SandboxServer
from tests.malformed.warehouse import NIGHT, empty_warehouse
from tests.oracle.hostile.c12_files import COLUMNS
from tests.worlds.product import Product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(300)]

CODES = ["AA0001A", "AA0002A", "AA0003A", "AA0004A"]
HEAD = 2
ORDERS = list(permutations(range(3)))


@pytest.fixture(scope="module")
def warehouse(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    with empty_warehouse(running, tmp_path_factory.mktemp("absence")) as made:
        yield made


@pytest.fixture
def drop(warehouse: Product) -> Path:
    """The drop folder, emptied: each test has a month of its own."""
    for path in warehouse.drop.iterdir():
        path.unlink()
    return warehouse.drop


def text(month: int, codes: list[str], **cells: str) -> str:
    """A CSV export of 07201; `cells` stand in its last row."""
    rows: list[list[str]] = [list(COLUMNS), []]
    for number, code in enumerate(codes, 1):
        row = {"madvi": code, "thang": f"{month:02}/2021", "_ps_bh": "7", "_ck_bhxh": "7"}
        rows.append([(row | (cells if number == len(codes) else {})).get(n, "") for n in COLUMNS])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def deliver(drop: Path, month: int, at: str, content: str, kind: str = "07201") -> None:
    (drop / f"C12_2021{month:02}_2021{month:02}{at}T080000_{kind}.csv").write_text(content)


def read(warehouse: Product) -> GroupReport:
    return extract_group(warehouse.settings, "c12", NIGHT)


def in_force(warehouse: Product, month: int) -> list[str]:
    with psycopg.connect(warehouse.admin_url) as conn:
        found = conn.execute(
            "select madvi from raw.c12 where known_to is null and thang = %s order by 1",
            [f"2021-{month:02}-01"],
        ).fetchall()
    return [row[0] for row in found]


def shifted(content: str) -> str:
    """Every row one column to the right, in the width of the layout."""
    lines = content.splitlines()
    return "\n".join([*lines[:HEAD], *("," + line[:-1] for line in lines[HEAD:])]) + "\n"


def kinds(month: int) -> dict[str, str]:
    """Statements of a month that prove nothing of what they lack."""
    good, two = text(month, CODES), CODES[:2]
    here = f"{month:02}/2021"
    return {
        "wrong month": good.replace(here, f"{month % 12 + 1:02}/2021"),
        "next year's month": good.replace(here, f"{month:02}/2022"),
        "months unreadable": good.replace(here, "#REF!"),
        "codes unreadable": text(month, ["#N/A"] * 4),
        "no codes": text(month, [""] * 4),
        "zeros eaten": text(month, [code[2:] for code in CODES]),
        "one row of another month": text(month, two, thang="02/2020"),
        "one row without a code": text(month, two, madvi=""),
        "one code too short": text(month, two, madvi="2A"),
        "one row torn": text(month, two).rstrip("\n")[:-60] + "\n",
        "amounts do not add up": text(month, CODES[:1], _ck_bhxh="8"),
        "columns shifted": shifted(good),
    }


def test_what_proves_nothing_closes_nothing(warehouse: Product, drop: Path) -> None:
    """Each kind in a month of its own."""
    months = dict(enumerate(kinds(1), 1))
    for month in months:
        deliver(drop, month, "01", text(month, CODES))
    assert not read(warehouse).stopped
    for month, kind in months.items():
        deliver(drop, month, "02", kinds(month)[kind])
    report = read(warehouse)
    assert {kind: in_force(warehouse, month) for month, kind in months.items()} == dict.fromkeys(
        months.values(), CODES
    )
    told = [*report.notes, *report.stopped]
    for month, kind in months.items():
        named = [each for each in told if f"C12_2021{month:02}_" in each]
        assert any("proves no absence" in n or "is refused" in n for n in named), kind
    assert not any("Control totals differ" in each for each in report.stopped)


def test_an_empty_statement_and_a_whole_one_still_close(warehouse: Product, drop: Path) -> None:
    deliver(drop, 2, "11", text(2, CODES))
    read(warehouse)
    deliver(drop, 2, "12", text(2, CODES[:3]))
    assert not read(warehouse).notes
    assert in_force(warehouse, 2) == CODES[:3]
    deliver(drop, 2, "13", text(2, []))
    assert "no data rows" in read(warehouse).stopped[0]
    (drop / "C12_202102_20210213T080000_07201.csv.count").write_text("0")
    assert not read(warehouse).stopped
    assert in_force(warehouse, 2) == []


@pytest.mark.parametrize("order", ORDERS)
def test_any_order_of_arrival_ends_the_same(
    warehouse: Product, drop: Path, order: tuple[int, ...]
) -> None:
    """Whole, then one less, then one that proves nothing."""
    month = 3 + ORDERS.index(order)
    told = [
        ("11", text(month, CODES)),
        ("12", text(month, CODES[:3])),
        ("13", text(month, CODES[:2], thang="01/2020")),
    ]
    for number in order:
        deliver(drop, month, *told[number])
        assert not read(warehouse).stopped
    assert in_force(warehouse, month) == CODES[:3]


@pytest.mark.parametrize("later", [False, True], ids=["newest", "overtaken"])
def test_a_file_read_while_it_grew_is_replaced(warehouse: Product, drop: Path, later: bool) -> None:
    month = 9 + later
    whole = text(month, CODES)
    deliver(drop, month, "11", whole)
    read(warehouse)
    deliver(drop, month, "12", "".join(whole.splitlines(keepends=True)[: HEAD + 2]))
    read(warehouse)
    assert in_force(warehouse, month) == CODES[:2]  # the naive reader stays here for good
    if later:
        deliver(drop, month, "13", text(month, CODES[:1]))
        read(warehouse)
    deliver(drop, month, "12", whole)
    report = read(warehouse)
    assert not report.stopped
    assert in_force(warehouse, month) == (CODES[:1] if later else CODES)
    assert not read(warehouse).stopped


def test_another_file_of_the_same_instant_is_refused(warehouse: Product, drop: Path) -> None:
    deliver(drop, 11, "11", text(11, CODES))
    read(warehouse)
    (drop / "C12_202111_20211111T080000_07201.csv").rename(drop / "kept.csv")
    path = drop / "C12_202111_20211111T080000_07202.csv"
    path.write_text(text(11, ["AA0009A"]))
    assert not read(warehouse).stopped  # another agency's
    deliver(drop, 11, "11", text(11, CODES[:2]), kind="07201")
    assert not read(warehouse).stopped  # the same name
    assert in_force(warehouse, 11) == [*CODES[:2], "AA0009A"]


def test_going_back_to_former_bytes_is_a_delivery_too(warehouse: Product, drop: Path) -> None:
    for codes in (CODES, CODES[:2], CODES):
        deliver(drop, 12, "05", text(12, codes))
        assert not read(warehouse).stopped
        assert in_force(warehouse, 12) == codes
