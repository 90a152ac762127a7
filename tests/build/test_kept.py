"""A build that adds what changed equals one that counts everything, mart by mart and row by row.

Persons, their employers' officers and the agencies live at random for some nights; after each night
the build for readers is compared with a whole one of the same knowledge.
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from chotso.build import kept, run_build
from chotso.build.compare import differences, rows_apart, show_what_is_whole
from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.warehouse.connect import connect
from tests.proofs import record, size
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.build_world import World

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(5400)]

AGENCIES = ("07201", "07202", "07203", "08001", "lone")
EMPLOYERS = ("E1", "E2", "E3", "E4")
OFFICERS = ("CB1", "CB2", "CB3")
SCHEMES = ("BHXHBB", "BHXHTN", "BHTN", "BHYT")
PERSONS = 60
NIGHTS = 4
FIRST_NIGHT = date(2021, 7, 5)
WHOLE = "whole_1"
# what kept sums end in
OF_PEOPLE = (
    "fct_participation_month",
    "fct_health_group_month",
    "fct_participation_reconciliation",
    "fct_officer_attainment",
    "int_uncounted_facts",
    "int_active_persons",
)


@dataclass
class Spell:
    """A row in force."""

    number: int
    values: dict[str, Any]


@dataclass
class Lives:
    """Random lives in one warehouse, night after night."""

    world: World
    random: random.Random
    nights: int = 0
    spells: list[Spell] = field(default_factory=list)

    def begin(self) -> None:
        self._night()
        for province in ("072", "080"):
            self.world.agency(province, parent=None, level=1)
        for agency in AGENCIES:
            parent = {"08001": "080", "lone": None}.get(agency, "072")
            self.world.agency(agency, parent=parent)
        for employer in EMPLOYERS:
            self.world.employer(employer)
        for employer in EMPLOYERS[:3]:
            self._assign(employer, "2021-01-01")
        for _ in range(PERSONS * 5):
            self._come()

    def take_up(self) -> None:
        """Go on with the spells that stand in the warehouse."""
        self.spells = [
            Spell(number, dict(zip(self._drawn(), row, strict=True)))
            for number, *row in self.world.admin.execute(_IN_FORCE)
        ]

    def live(self) -> None:
        """One night: a few persons change, sometimes an officer."""
        self._night()
        acts: list[Callable[[], None]] = [self._come, self._change, self._change, self._leave]
        for _ in range(self.random.randint(1, 8)):
            self.random.choice(acts)()
        if self.random.random() < 0.4:
            employer = self.random.choice(EMPLOYERS)
            self.world.supersede("assignments", self._now(), ma_don_vi=employer)
            if self.random.random() < 0.8:
                self._assign(employer, f"2021-0{self.random.randint(1, 7)}-10")

    def merge_agencies(self) -> None:
        """One agency goes to the other province; nobody's spell changes."""
        self.world.supersede("agencies", self._now(), ma_co_quan="07203")
        self.world.agency("07203", parent="080")

    def many_come(self) -> None:
        for _ in range(len(self.spells) // 2):
            self._come()

    def _night(self) -> None:
        day = FIRST_NIGHT + timedelta(days=self.nights)
        self.nights += 1
        self.world.batch(day.isoformat(), f"{day + timedelta(days=1)}T01:00")

    def _now(self) -> str:
        return self.world.known.isoformat()

    def _assign(self, employer: str, since: str) -> None:
        officer = self.random.choice(OFFICERS)
        self.world.row("assignments", ma_don_vi=employer, tu_ngay=since, ma_can_bo=officer)

    def _come(self) -> None:
        number = 1 + max((each.number for each in self.spells), default=0)
        self.spells.append(Spell(number, self._drawn()))
        self._write(self.spells[-1])

    def _change(self) -> None:
        """Another place, time, person or status: one row ends, another begins."""
        spell = self.random.choice(self.spells)
        drawn = self._drawn()
        changed = self.random.sample(sorted(drawn), self.random.randint(1, 3))
        self._close(spell)
        spell.values |= {name: drawn[name] for name in changed}
        self._write(spell)

    def _leave(self) -> None:
        """The source has the row no more."""
        if len(self.spells) > PERSONS:
            self._close(self.spells.pop(self.random.randrange(len(self.spells))))

    def _drawn(self) -> dict[str, Any]:
        draw = self.random
        since = date(2020 + draw.randint(0, 1), draw.randint(1, 12), draw.choice((1, 1, 2, 15)))
        scheme = draw.choice(SCHEMES)
        until = since + timedelta(days=draw.randint(0, 400))
        return {
            "person_pseudonym": f"p{draw.randrange(PERSONS)}".ljust(64, "0"),
            "loai": scheme,
            "nhom_bhyt": draw.randint(1, 6) if scheme == "BHYT" else None,
            "ma_don_vi": draw.choice((*EMPLOYERS, None)),
            "ma_co_quan": draw.choice((*AGENCIES, "072")),
            "tu_thang": since,
            "den_thang": draw.choice((None, until)),
            "trang_thai": draw.choice(("HIEU_LUC",) * 6 + ("HUY",)),
        }

    def _write(self, spell: Spell) -> None:
        self.world.row(
            "participations", ma_qua_trinh=spell.number, number_shape="ok",
            ngay_nhap="2020-01-01T00:00+07:00", **spell.values,
        )  # fmt: skip

    def _close(self, spell: Spell) -> None:
        self.world.admin.execute(  # a row of this very night has no second version
            "delete from raw.participations where ma_qua_trinh = %s and known_from = %s",
            [spell.number, self.world.known],
        )
        self.world.supersede("participations", self._now(), ma_qua_trinh=spell.number)


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with one night, built."""
    with new_warehouse(servers, tmp_path_factory.mktemp("kept")) as made:
        with lives_in(made, 0) as lives:
            lives.begin()
        run_build(made.settings)
        yield made


@contextmanager
def lives_in(warehouse: Warehouse, seed: int) -> Iterator[Lives]:
    with warehouse.world() as world:
        yield Lives(world, random.Random(seed))


def same_as_whole(warehouse: Warehouse, only: tuple[str, ...] = OF_PEOPLE) -> None:
    """A scratch build counts everybody; without `only`, all marts and tests."""
    run_build(warehouse.settings, schema=WHOLE, config="current", only=only)
    with connect(warehouse.settings) as conn:
        left_out = "is in one of them alone"
        found = differences(conn, NIGHTLY_SCHEMA, WHOLE)
        assert [each for each in found if not (only and left_out in each)] == []
        for model in ("int_uncounted_facts", "int_active_persons"):
            assert rows_apart(conn, NIGHTLY_SCHEMA, WHOLE, model) == 0


def bases(warehouse: Warehouse) -> list[int | None]:
    """Of each build for readers, in order: what it added to."""
    found = warehouse.rows(
        "select base_build_id from ops.build where target_schema = 'marts_build' order by build_id"
    )
    return [base for (base,) in found]  # type: ignore[misc]


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(size(1, 12)))
def test_added_up_night_by_night_equals_the_whole(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    with new_warehouse(servers, tmp_path_factory.mktemp("lives")) as warehouse:
        with warehouse.world() as world:
            lives = Lives(world, random.Random(seed))
            lives.begin()
            world.admin.commit()
            run_build(warehouse.settings)
            for _ in range(size(NIGHTS, 15)):
                lives.live()
                world.admin.commit()
                built = run_build(warehouse.settings)
                assert built.base_build_id is not None
                same_as_whole(warehouse)
            same_as_whole(warehouse, only=())
        people = warehouse.rows("select count(distinct person_pseudonym) from raw.participations")
    record(
        f"Added up night by night, world {seed}",
        nights=size(NIGHTS, 15), persons=int(str(people[0][0])), differences=0,
    )  # fmt: skip


def test_what_does_not_fit_is_counted_whole(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.world() as world:
        lives = Lives(world, random.Random(7), nights=1)
        lives.take_up()

        def built(then: Callable[[], None]) -> int | None:
            then()
            world.admin.commit()
            return run_build(warehouse.settings).base_build_id

        assert built(lives.live) is not None
        lives._night()
        assert built(lives.merge_agencies) is None, "nobody's spell changed, their places did"
        assert built(lives._come) is None, "a spell came under an instant that was counted already"
        with monkeypatch.context() as patch:
            patch.setattr(kept, "code_version", lambda: "another")
            assert built(lambda: None) is None
        assert built(lambda: None) is None, "back to the former code"
        lives.nights += 31  # the month turns
        lives._night()
        assert built(lambda: None) is None
        lives._night()
        assert built(lives.many_come) is None, "half of them is no change"


def test_after_a_killed_build_everybody_is_counted(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_build(warehouse.settings)
    before = bases(warehouse)

    def power_cut(name: str) -> None:
        raise KeyboardInterrupt(name)

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["chotso.build.expose"], "failpoint", power_cut)
        with pytest.raises(KeyboardInterrupt):
            run_build(warehouse.settings)
    run_build(warehouse.settings)
    run_build(warehouse.settings)
    after = bases(warehouse)[len(before) :]
    assert [base is None for base in after] == [False, True, False]
    same_as_whole(warehouse)


_MANY_SPELLS = """
insert into raw.participations
select (jsonb_populate_record(one.kept, jsonb_build_object(
    'ma_qua_trinh', 1000000 + number, 'person_pseudonym', md5(number::text)))).*
from (select kept from raw.participations as kept limit 1) as one (kept),
    generate_series(1, 20000) as number
"""


def test_changed_persons_are_looked_up_and_not_searched_for(warehouse: Warehouse) -> None:
    while run_build(warehouse.settings).base_build_id is None:
        pass
    compiled = warehouse.settings.home / "dbt" / "marts_build" / "target" / "compiled"
    (path,) = compiled.rglob("int_valid_spells.sql")
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute(_MANY_SPELLS)
        conn.execute(
            "insert into marts_build.int_changed_persons "
            "select md5(number::text) from generate_series(1, 9) as number"
        )
        conn.execute("analyze raw.participations, marts_build.int_changed_persons")
        plan = [line for (line,) in conn.execute(b"explain " + path.read_bytes())]
        conn.rollback()
    used = [line for line in plan if "participations_person_pseudonym_idx" in line]
    assert len(used) == 2, "\n".join(plan)


def test_an_older_warehouse_gets_the_index_of_persons(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute("drop index raw.participations_person_pseudonym_idx")
    assert migrate(warehouse.settings).tables == ["participations"]
    assert migrate(warehouse.settings).tables == []


def test_a_naive_increment_by_the_time_of_change_is_wrong(warehouse: Warehouse) -> None:
    """The twin: rows that the source changed since are added, and none is taken away."""
    with warehouse.world() as world:
        lives = Lives(world, random.Random(3), nights=60)
        lives._night()
        world.admin.execute(
            "update raw.participations set ngay_sua = known_from where known_to is null"
        )
        naive: dict[str, int] = dict(world.admin.execute(_ACTIVE).fetchall())
        lives.take_up()
        for _ in range(10):
            lives._change()
        since = world.known - timedelta(hours=1)
        for scheme, count in world.admin.execute(_ADDED, [since]):
            naive[scheme] = naive.get(scheme, 0) + count
        assert naive != dict(world.admin.execute(_ACTIVE).fetchall())
        world.admin.rollback()


_ACTIVE = (
    "select loai, count(distinct person_pseudonym) from raw.participations "
    "where known_to is null and trang_thai = 'HIEU_LUC' and den_thang is null group by loai"
)
_ADDED = (
    "select loai, count(distinct person_pseudonym) from raw.participations where known_to is null "
    "and trang_thai = 'HIEU_LUC' and den_thang is null and known_from > %s group by loai"
)
_IN_FORCE = (
    "select ma_qua_trinh, person_pseudonym, loai, nhom_bhyt, ma_don_vi, ma_co_quan, tu_thang, "
    "den_thang, trang_thai from raw.participations where known_to is null"
)


def test_a_difference_is_an_alarm_and_readers_see_the_whole(warehouse: Warehouse) -> None:
    run_build(warehouse.settings)
    with psycopg.connect(warehouse.admin_url) as admin:
        admin.execute(
            "update marts_build.kept_int_officer_participation_steps "
            "set person_change_count = person_change_count + 1 where month = '2021-03-01'"
        )
    forged = run_build(warehouse.settings)
    with pytest.raises(ChotsoError, match=r"fct_officer_attainment: \d+ rows"):
        show_what_is_whole(warehouse.settings, forged)
    assert bases(warehouse)[-1] is None


def test_what_was_published_since_is_no_difference(warehouse: Warehouse) -> None:
    """Other extracts go on while a build and its comparison run."""
    shown = run_build(warehouse.settings)
    with warehouse.world() as world:
        lives = Lives(world, random.Random(5), nights=90)
        lives.take_up()
        lives.live()
    show_what_is_whole(warehouse.settings, shown)
