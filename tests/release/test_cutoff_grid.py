"""Which side of the cutoff an instant is on, however it was written and wherever it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql

from chotso.build import run_build
from chotso.calendar import parse_instant
from tests.proofs import record, size
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(3000)]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CUTOFF = 1_640_944_800_000_000  # µs since 1970: 10:00 UTC on 31 December 2021
SECOND, HOUR = 1_000_000, 3_600_000_000
ZONES = ["UTC", "Asia/Ho_Chi_Minh", "America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu"]
# The same cutoff, as people write it.
CUTOFFS = [
    "2021-12-31T17:00", "2021-12-31T17:00:00+07:00", "2021-12-31T10:00:00Z",
    "2021-12-31 05:00:00-05:00", "2021-12-31T15:45:00.000000+05:45", "20220101T000000+1400",
]  # fmt: skip
EDGES = [0, 1, 2, 999, 1000, SECOND - 1, SECOND, 60 * SECOND, HOUR, 7 * HOUR, 12 * HOUR, 24 * HOUR]


@dataclass(frozen=True)
class Written:
    """An instant as an integer, and as the text that a session in some zone reads."""

    at: int
    text: str
    session_zone: str


def written(at: int, form: str, session_zone: str) -> Written:
    instant = EPOCH + timedelta(microseconds=at)
    if form == "naive":  # what a session's own zone makes of it
        text = instant.astimezone(ZoneInfo(session_zone)).replace(tzinfo=None).isoformat(" ")
    elif form == "named":
        text = f"{instant.astimezone(ZoneInfo('Asia/Ho_Chi_Minh')):%Y-%m-%d %H:%M:%S.%f} "
        text += "Asia/Ho_Chi_Minh"
    else:
        text = instant.astimezone(timezone(timedelta(minutes=int(form)))).isoformat()
    return Written(at, text, session_zone)


def grid() -> list[Written]:
    """Edges on both sides of the cutoff, and any instants within two days, in every form."""
    chance = Random(17)
    offsets = sorted({sign * edge for edge in EDGES for sign in (-1, 1)})
    offsets += [chance.randrange(-48 * HOUR, 48 * HOUR) for _ in range(size(7, 977))]
    forms = ["naive", "named", "0", "420", "-300", "345", "840"]
    zones = ZONES if size(0, 1) else ZONES[:3]
    return [
        written(CUTOFF + offset, form, zone)
        for offset in offsets
        for form in forms
        for zone in (zones if form == "naive" else [chance.choice(ZONES)])
    ]


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path_factory.mktemp("h")) as made:
        yield made


@pytest.fixture(scope="module")
def cases(warehouse: Warehouse) -> list[Written]:
    """A document credited, and a spell recorded, at each instant of the grid."""
    found = grid()
    with warehouse.world() as world:
        world.batch("2021-12-31", "2022-01-05T01:00")
        world.agency("072", parent=None, level=1)
        world.agency("07201")
        world.employer("TA0001A")
        for number, case in enumerate(found):
            code = f"{number:05}"
            world.payment(code, "2021-01-01T00:00", ("BHYT", 1, 0), recorded="2021-01-01T00:00")
            world.spell(code, "2021-12", None)
            write(world.admin, case, "payments", "ngay_ghi_co", "so_chung_tu", code)
            write(world.admin, case, "participations", "ngay_nhap", "ma_qua_trinh", world.spells)
    return found


def write(
    admin: psycopg.Connection, case: Written, feed: str, column: str, key: str, value: object
) -> None:
    admin.execute(sql.SQL("set timezone to {}").format(sql.Literal(case.session_zone)))
    admin.execute(
        sql.SQL("update {} set {} = {}::text::timestamptz where {} = {}").format(
            sql.Identifier("raw", feed), sql.Identifier(column), sql.Literal(case.text),
            sql.Identifier(key), sql.Literal(value),
        )
    )  # fmt: skip


def counted(warehouse: Warehouse, cutoff: str, number: int) -> tuple[set[int], int]:
    """Documents and persons that a build at the cutoff counts."""
    schema = f"grid_{number}"
    run_build(
        warehouse.settings,
        event_cutoff=parse_instant(cutoff),
        schema=schema,
        config="current",
        only=["fct_contribution", "fct_participation_month"],
    )
    documents = warehouse.rows(f"select document_code::int from {schema}.fct_contribution")
    ((persons,),) = warehouse.rows(
        f"select participant_count from {schema}.fct_participation_month "
        "where agency_code = '07201' and month = '2021-12-01' and scheme_code = 'hi'"
    )
    return {int(str(code)) for (code,) in documents}, int(str(persons))


def test_no_instant_is_taken_for_the_other_side(warehouse: Warehouse, cases: list[Written]) -> None:
    wanted = {number for number, case in enumerate(cases) if case.at < CUTOFF}
    assert 0.3 < len(wanted) / len(cases) < 0.7
    places = list(zip(CUTOFFS, [*ZONES, "Asia/Tokyo"], strict=True))[: size(2, len(CUTOFFS))]
    for number, (cutoff, zone) in enumerate(places):
        with psycopg.connect(warehouse.admin_url) as admin:
            name = sql.Identifier(admin.info.dbname)
            admin.execute(
                sql.SQL("alter database {} set timezone to {}").format(name, sql.Literal(zone))
            )
            admin.execute(sql.SQL("alter database {} set datestyle to 'SQL, DMY'").format(name))
        documents, persons = counted(warehouse, cutoff, number)
        wrong = [cases[each] for each in documents ^ wanted]
        assert wrong == [], f"{cutoff} in {zone}"
        assert persons == len(wanted)
    record(
        "the cutoff, instants on a grid",
        instants=len(cases), builds=len(places), misclassified=0,
    )  # fmt: skip


def test_a_naive_reading_is_wrong(cases: list[Written]) -> None:
    """Texts compared with the cutoff's local text, as a spreadsheet would."""
    naive = {number for number, case in enumerate(cases) if case.text[:19] < "2021-12-31 17:00:00"}
    wanted = {number for number, case in enumerate(cases) if case.at < CUTOFF}
    assert len(naive ^ wanted) > len(cases) / 20
