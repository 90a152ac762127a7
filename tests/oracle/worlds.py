"""Seeded random source worlds on a real PostgreSQL, with what an extract could know of them.

Every row is valid by the source contract; on request a few rows are filed under an agency that
the register does not (yet) know, which is the one reason to set a row aside.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.oracle.hostile.accounts import Accounts
from tests.oracle.hostile.documents import Documents
from tests.oracle.hostile.plan_files import Plans
from tests.oracle.hostile.registers import Registers
from tests.oracle.hostile.spells import Spells
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.oracle.hostile.turn import CUTOFF, ZONE, Rows, Turn
from tests.oracle.model import C12, Key, Observation, Row, Statement
from tests.oracle.recompute import attainment


@dataclass(frozen=True)
class Night:
    """One extract: the source's clock when it reads, and the date that it publishes."""

    clock: datetime
    business_date: date


class World:
    """A small province or two, living from one extract to the next.

    Attributes:
        nights: The extracts to come, in order; one of them is the final extract at the cutoff.
        observations: What the extracts so far could know.
    """

    def __init__(
        self, source_url: str | None, drop: Path, seed: int, *, plant_unknown: bool
    ) -> None:
        self._rng = Random(f"world {seed}")
        self._source_url = source_url
        self._registers = Registers(self._rng, plant_unknown)
        self._documents = Documents(self._rng, self._registers, plant_unknown)
        self._spells = Spells(self._rng, self._registers, plant_unknown)
        self._accounts = Accounts(self._rng, self._registers, drop, plant_unknown)
        self._plans = Plans(self._rng, self._registers, drop)
        self._newest_seen: dict[str, datetime] = {}
        self._statements: list[Statement] = []
        self.nights = _nights(self._rng)
        self.observations: list[Observation] = []

    @classmethod
    def create(
        cls,
        source_url: str | None,
        drop: Path,
        seed: int,
        *,
        reader: str | None = None,
        plant_unknown: bool = False,
    ) -> "World":
        """Make schema `tst` anew in a database and a world that has not begun.

        Args:
            source_url: The source's database, as a login that may create schemas; without one
                the world lives in memory and in the drop folder alone.
            drop: The drop folder; made if missing.
            seed: Same seed, same world.
            reader: Login that the warehouse reads with.
            plant_unknown: Whether rows of an unknown agency are planted.
        """
        drop.mkdir(parents=True, exist_ok=True)
        if source_url:
            with psycopg.connect(source_url) as connection:
                create_schema(connection, reader)
        return cls(source_url, drop, seed, plant_unknown=plant_unknown)

    def advance(self) -> Night:
        """Live until the next extract: tables, control totals, clock and files are in place."""
        night = self.nights[len(self.observations)]
        previous = self.observations[-1].known_at if self.observations else None
        turn = Turn(self._rng, previous, night.clock, self._newest_seen)
        self._accounts.choose_instants(turn)
        if previous is None:
            self._registers.begin(turn)
            self._documents.begin(turn)
            self._spells.begin(turn)
            statements, plan_files = self._accounts.begin(turn), self._plans.begin()
        else:
            self._registers.evolve(turn)
            self._documents.evolve(turn)
            self._spells.evolve(turn)
            statements = self._accounts.evolve(turn)
            plan_files = self._plans.evolve(turn, attainment(self.observations, previous))
        self._statements += statements
        tables = {name: _copy(rows) for name, rows in self._tables().items()}
        for name in ("chung_tu", "phan_bo", "tham_gia"):
            newest = [row["ngay_sua"] for row in tables[name]]
            before = [self._newest_seen[name]] if previous else []
            self._newest_seen[name] = max(newest + before)
        if self._source_url:
            with psycopg.connect(self._source_url) as connection:
                write_snapshot(connection, tables, night.clock)
        self.observations.append(
            Observation(
                night.clock,
                night.business_date,
                tables,
                statements,
                plan_files,
                self._set_aside(tables),
            )
        )
        return night

    def _tables(self) -> Mapping[str, Rows]:
        return {
            "co_quan": self._registers.agencies,
            "can_bo": self._registers.officers,
            "don_vi": self._registers.employers,
            "phan_cong": self._registers.assignments,
            "chung_tu": self._documents.documents,
            "phan_bo": self._documents.lines,
            "tham_gia": self._spells.spells,
        }

    def _set_aside(self, tables: Mapping[str, list[Row]]) -> dict[str, frozenset[Key]]:
        known = set(self._registers.agency_codes)

        def unknown(table: str, key: str) -> frozenset[Key]:
            return frozenset((r[key],) for r in tables[table] if r["ma_co_quan"] not in known)

        accounts: list[tuple[Any, ...]] = [
            (statement.name, agency, row["madvi"])
            for statement in self._statements
            for agency, rows in statement.sheets.items()
            for row in rows
            if agency not in known
        ]
        return {
            "chung_tu": unknown("chung_tu", "so_chung_tu"),
            "tham_gia": unknown("tham_gia", "ma_qua_trinh"),
            C12: frozenset(accounts),
        }


def _copy(rows: Rows) -> list[Row]:
    return deepcopy(list(rows.values()))


def _nights(rng: Random) -> list[Night]:
    """Three to six nights in the order of the clock, the final extract at the cutoff among them."""
    early = [date(2021, 8, 31), date(2021, 10, 30), date(2021, 11, 30), date(2021, 12, 28)]
    before = sorted(rng.sample(early, k=rng.randint(1, 2)))
    dates = [*before, date(2021, 12, 30)] if rng.random() < 0.5 else before
    nights = [Night(_run_at(rng, day), day) for day in dates]
    at_cutoff = CUTOFF + rng.choice((timedelta(), timedelta(seconds=7, microseconds=250_000)))
    nights.append(Night(at_cutoff, date(2021, 12, 31)))
    after = [date(2021, 12, 31), date(2022, 1, 2)]
    nights += [Night(_run_at(rng, day), day) for day in after[: rng.randint(1, 2)]]
    return nights


def _run_at(rng: Random, business_date: date) -> datetime:
    one_o_clock = datetime(
        business_date.year, business_date.month, business_date.day, 1, tzinfo=ZONE
    )
    return one_o_clock + timedelta(
        days=1, seconds=rng.randint(0, 90), microseconds=rng.randint(0, 9)
    )
