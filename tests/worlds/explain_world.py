"""A hand-made province of two nights in which every cause of a change occurs once."""

from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from chotso.registers import Configuration, Registers, load_registers, parse_registers
from tests.worlds.build_world import World, instant

FIRST, SECOND = "2021-12-29T01:00", "2021-12-30T01:00"
T0, T1 = instant(FIRST), instant(SECOND)
FIRST_BATCH, SECOND_BATCH = f"b{FIRST}published", f"b{SECOND}published"


class TwoNights(World):
    """A world in which rows have the batch of their night."""

    def __init__(self, admin: psycopg.Connection) -> None:
        super().__init__(admin)
        self.batch_id = "b"

    def batch(self, business_date: str, known: str, status: str = "published") -> None:
        super().batch(business_date, known, status)
        self.batch_id = f"b{known}{status}"
        self.admin.execute(
            "update ops.batch set landing_path = %s, published_at = known_at where batch_id = %s",
            [f"payments/{business_date}/{self.batch_id}", self.batch_id],
        )

    def row(self, feed: str, **values: Any) -> None:
        super().row(feed, **({"batch_id": self.batch_id} | values))

    def again(self, feed: str, **key: Any) -> None:
        """End a row's version as publishing in the second night does."""
        self.supersede(feed, SECOND, **key)

    def rewrite(self, code: str, *lines: tuple[str, int, int], **changes: Any) -> None:
        """Insert a new version of a document and its lines; lines not given are removed."""
        self.again("payments", so_chung_tu=code)
        self.again("allocations", so_chung_tu=code)
        self.payment(code, changes.pop("credited", "2021-12-10T10:00"), *lines, **changes)

    def shown(self, known: str, configuration: Configuration, sha256: str) -> None:
        """Record a build that readers saw, with its configuration."""
        row = self.admin.execute(
            """
            insert into ops.build (business_date, as_known_at, target_schema, config,
                config_sha256, code_version, status, exposed_at)
            values (%s, %s, 'marts_build', %s, %s, 'x', 'exposed', clock_timestamp())
            returning build_id
            """,
            [instant(known).date(), instant(known), Jsonb(configuration), sha256],
        ).fetchone()
        assert row is not None
        self.admin.execute(
            "insert into ops.exposed (generation) values (%s) on conflict (is_only) "
            "do update set generation = excluded.generation",
            [row[0]],
        )


def other_configuration() -> Registers:
    """In December interest counts as collection, and arrears are divided by the plan."""
    configuration = load_registers().configuration
    measures = dict(configuration["measures"])
    for name, usual, other in (
        ("is_interest_collected", False, True),
        ("official_arrears_variant", "total_receivable", "total_plan"),
    ):
        measures[name] = [{"from": "2021-01", "value": usual}, {"from": "2021-12", "value": other}]
    return parse_registers({**configuration, "measures": measures})


def first_night(world: TwoNights) -> None:
    world.batch("2021-12-28", FIRST)
    for province in ("072", "080"):
        world.agency(province, parent=None, level=1)
    for number in range(1, 6):
        world.agency(f"0720{number}")
    world.agency("07206", hieu_luc_tu="2022-01-01")
    world.employer("TA0001A")
    _first_payments(world)
    _first_spells(world)
    _first_accounts(world)
    world.plan("THU_BHYT", "1000")
    world.plan("THU_BHYT", "500", decision="2/QĐ", effective="2022-01-01")
    world.plan("NO_BHXH", "0.9")
    world.plan("THU_BHXH_BB", "20000")
    _set_aside(world)


def _first_payments(world: World) -> None:
    december = "2021-12-10T10:00"
    world.payment("kept", december, ("BHYT", 1_000, 7), ("HTTT", 5, 0))
    world.payment("november", "2021-11-10T10:00", ("BHYT", 300, 0))
    world.payment("several", december, ("BHYT", 100, 0), ("BHYT", 50, 0), ("HTTT", 30, 0))
    world.payment("moved", december, ("BHYT", 200, 0))
    world.payment("voided", december, ("BHYT", 400, 0))
    world.payment("credit", december, ("BHYT", 60, 0))
    world.payment("held", december, ("BHYT", 80, 0))
    world.payment("parents", december, ("BHYT", 3, 0), agency="07203")
    world.payment("waiting", december, ("BHYT", 90, 0), agency="07206")


def _first_spells(world: World) -> None:
    for person in ("kept", "left", "leaves", "void", "moved", "twice", "mended"):
        world.spell(person, "2021-01", None)
    world.spell("begin", "2022-01", None)
    world.spell("parents", "2021-05", None, agency="07203")


def _first_accounts(world: World) -> None:
    world.account("A", "2021-12", ck_bhxh=1_000, ps_bh=5_000)
    world.account("B", "2021-12", ck_bhxh=200, ps_bh=1_000)
    world.account("A", "2021-11", ck_bhxh=10, ps_bh=4_000)
    world.account("N", "2021-11", "07204", ck_bhxh=1, ps_bh=700)


def _set_aside(world: World) -> None:
    """Open at the first night, resolved by the second."""
    when = {"seen": FIRST, "resolved": SECOND, "status": "replayed"}
    world.set_aside("payments", {"so_chung_tu": "released", "ma_co_quan": "07201"}, **when)
    world.set_aside("payments", {"so_chung_tu": "held", "ma_co_quan": "07205"}, **when)
    world.set_aside("allocations", {"so_chung_tu": "kept", "so_dong": 3}, **when)
    world.set_aside("participations", {"ma_qua_trinh": 10}, **when)
    world.set_aside("c12", {"madvi": "D", "thang": "2021-12-01"}, **when)
    earlier = {"seen": "2021-12-27T01:00", "resolved": "2021-12-28T01:00", "status": "replayed"}
    world.set_aside("payments", {"so_chung_tu": "late"}, **earlier)


def second_night(world: TwoNights) -> None:
    world.batch("2021-12-29", SECOND)
    _second_payments(world)
    _second_spells(world)
    _second_accounts(world)
    world.plan("THU_BHYT", "2000", decision="3/QĐ", effective="2021-12-01")
    world.again("plans", chi_tieu="NO_BHXH")
    world.plan("NO_BHXH", "0.5")
    world.again("plans", chi_tieu="THU_BHXH_BB")
    world.plan("THU_BHXH_BB", "25000")
    for code in ("07203", "07206"):
        world.again("agencies", ma_co_quan=code)
    world.agency("07203", parent="080")
    world.agency("07206", hieu_luc_tu="2021-12-01")


def _second_payments(world: TwoNights) -> None:
    world.payment("new", "2021-12-29T10:00", ("BHYT", 10, 0))
    world.payment("late", "2021-12-29T01:00", ("BHYT", 20, 0))
    world.payment("released", "2021-12-10T10:00", ("BHYT", 5, 0))
    world.row(
        "allocations", so_chung_tu="kept", so_dong=3, quy="BHYT", thang=date(2021, 1, 1),
        tien_goc=2, tien_lai=0,
    )  # fmt: skip
    # its first line has grown, the second is gone, the third pays another fund, the fourth is new
    world.rewrite("several", ("BHYT", 130, 0))
    for number, amount in ((3, 30), (4, 7)):
        world.row(
            "allocations", so_chung_tu="several", so_dong=number, quy="BHYT",
            thang=date(2021, 1, 1), tien_goc=amount, tien_lai=0,
        )  # fmt: skip
    world.rewrite("moved", ("BHYT", 230, 0), agency="07202")
    world.rewrite("voided", ("BHYT", 400, 0), status="HUY")
    world.rewrite("credit", ("BHYT", 60, 0), credited="2021-11-10T10:00")
    world.again("payments", so_chung_tu="held")
    world.again("allocations", so_chung_tu="held")
    world.payment("held", "2021-12-10T10:00", ("BHYT", 80, 0), agency="07205")


def _second_spells(world: TwoNights) -> None:
    world.spell("again", "2021-12", None, recorded="2021-12-29T10:00")  # 10: was set aside
    world.spell("new", "2021-12", None, recorded="2021-12-29T10:00")
    world.spell("late", "2021-11", None, recorded="2021-12-29T10:00")
    world.spell("slow", "2021-12", None, recorded="2021-12-28T10:00")
    world.spell("twice", "2021-12", None, recorded="2021-12-29T10:00")
    _respell(world, 2, "left", "2021-01", "2021-11")
    _respell(world, 3, "leaves", "2021-01", "2021-12")
    _respell(world, 4, "void", "2021-01", None, status="HUY")
    _respell(world, 5, "moved", "2021-01", None, agency="07202")
    _respell(world, 7, "mended", "2022-01", None)
    _respell(world, 8, "begin", "2021-12", None)


def _respell(
    world: TwoNights, spell: int, person: str, from_month: str, to_month: str | None, **more: str
) -> None:
    world.again("participations", ma_qua_trinh=spell)
    made, world.spells = world.spells, spell - 1
    world.spell(person, from_month, to_month, **more)
    world.spells = made


def _second_accounts(world: TwoNights) -> None:
    for employer, month in (("A", "2021-12"), ("B", "2021-12"), ("A", "2021-11")):
        world.again("c12", madvi=employer, thang=date.fromisoformat(f"{month}-01"))
    world.account("A", "2021-12", ck_bhxh=1_500, ps_bh=5_000)
    world.account("B", "2021-12", "07202", ck_bhxh=210, ps_bh=1_000)
    world.account("A", "2021-11", ck_bhxh=10, ps_bh=4_100)
    world.account("C", "2021-11", ck_bhxh=9, ps_bh=300)
    world.account("D", "2021-12", ck_bhxh=50, ps_bh=60)
    world.account("N", "2021-12", "07204", ck_bhxh=5, ps_bh=10)
