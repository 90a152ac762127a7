"""What goes wrong between a world and its warehouse, as a script that can be played.

Everything arrives in the end: the last night is always run, after all files have come.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import xlsxwriter

from tests.histories.life import Life, PlanDelivery
from tests.oracle.hostile.c12_files import write_statement
from tests.oracle.hostile.plan_files import COLUMNS
from tests.oracle.model import Statement

How = Literal["once", "twice", "at once"]
GROUPS = ("registers", "contributions", "participations", "c12", "plans")


@dataclass(frozen=True)
class Delivery:
    """A folder whose files arrive together; `states` is (statement, agencies)."""

    folder: Path
    states: tuple[Statement, Sequence[str]] | None = None


@dataclass(frozen=True)
class Run:
    """One group run: once, twice, or by two processes at once."""

    group: str
    how: How
    full: bool = False


@dataclass
class Visit:
    """A night that is run: the source's state it meets, what arrives before, what is run.

    Attributes:
        state: Index of the source's state.
        rounds: (files that arrive, runs), one after the other under the same clock.
        refused: How many deliveries of it are meant to be refused at first.
    """

    state: int
    rounds: list[tuple[list[Delivery], list[Run]]] = field(default_factory=list)
    refused: int = 0


@dataclass
class History:
    """A script, and what it has of each kind of disturbance."""

    visits: list[Visit]
    kinds: dict[str, int]


def disturbed(life: Life, seed: int, folder: Path) -> History:
    """A seeded script of late, repeated, reordered, renamed and split arrivals and runs."""
    return _Script(life, Random(f"disturbance {seed}"), folder).script()


def only_repeated(life: Life, seed: int, folder: Path) -> tuple[History, History]:
    """Every night in its order, with runs repeated; and the same nights undisturbed."""
    rng = Random(f"repeats {seed}")
    plain, repeated = [], []
    for index in range(len(life.states)):
        arrives = [
            *(_as_made(rng, s, folder) for s in life.statements[index]),
            *(plan_file(p, folder / f"plan{p.number}") for p in life.plans[index]),
        ]
        groups = GROUPS if life.states[index].registers_changed else GROUPS[1:]
        hows: list[How] = [rng.choice(("once", "once", "twice", "at once")) for _ in groups]
        plain.append(Visit(index, [(arrives, [Run(g, "once") for g in groups])]))
        runs = [Run(g, how) for g, how in zip(groups, hows, strict=True)]
        repeated.append(Visit(index, [(arrives, runs)]))
    told = [run.how for visit in repeated for _, runs in visit.rounds for run in runs]
    kinds = {"run twice": told.count("twice"), "two processes": told.count("at once")}
    return History(repeated, kinds), History(plain, {})


def clean(life: Life, folder: Path) -> History:
    """The final state read once, with every file in the order of its instant."""
    rng = Random("clean")
    arrives = [_as_made(rng, s, folder) for made in life.statements for s in made]
    arrives += [plan_file(p, folder / f"plan{p.number}") for made in life.plans for p in made]
    runs = [Run(group, "once") for group in GROUPS]
    return History([Visit(len(life.states) - 1, [(arrives, runs)])], {})


class _Script:
    def __init__(self, life: Life, rng: Random, folder: Path) -> None:
        self._life = life
        self._rng = rng
        self._folder = folder
        self._last = len(life.states) - 1
        self._kinds: dict[str, int] = {}
        self._made = 0

    def script(self) -> History:
        arrivals = self._arrivals()
        visits = []
        waits: list[Delivery] = []
        registers_due = False
        for index in range(self._last + 1):
            waits += arrivals[index]
            registers_due |= self._life.states[index].registers_changed
            if index < self._last and self._rng.random() < 0.25:
                self._count("night skipped")
                continue
            visits.append(self._visit(index, waits, registers_due))
            waits, registers_due = [], False
        return History(visits, self._kinds)

    def _visit(self, index: int, arrives: list[Delivery], registers_due: bool) -> Visit:
        rng = self._rng
        visit = Visit(index)
        plans = [d for d in arrives if d.states is None]  # in their order, never past each other
        exports = [d for d in arrives if d.states is not None]
        rng.shuffle(exports)
        halves = [exports + plans]
        if len(exports) > 1 and rng.random() < 0.3:
            self._count("files between two runs of a night")
            at = rng.randint(1, len(exports) - 1)
            halves = [exports[:at] + plans, exports[at:]]
        for number, half in enumerate(halves):
            if number == 0 and (bad := self._cut_short(half)):
                visit.rounds.append(([bad], [Run("c12", "once")]))
                visit.refused += 1
            visit.rounds.append((half, self._runs(number, registers_due, index == self._last)))
        return visit

    def _runs(self, number: int, registers_due: bool, is_last: bool) -> list[Run]:
        rng = self._rng
        groups = list(GROUPS[1:]) if number == 0 else ["c12", "plans"] if is_last else ["c12"]
        if number == 0 and not is_last:
            groups = rng.sample(groups, k=rng.randint(1, len(groups)))
        rng.shuffle(groups)
        if number == 0 and (registers_due or rng.random() < 0.1):
            groups.insert(0, "registers")
        return [self._run(group) for group in groups]

    def _run(self, group: str) -> Run:
        how: How = self._rng.choices(("once", "twice", "at once"), (8, 1, 1))[0]
        full = self._rng.random() < 0.15
        for name, happens in (
            ("run twice", how == "twice"),
            ("two processes", how == "at once"),
            ("--full", full),
        ):
            if happens:
                self._count(name)
        return Run(group, how, full)

    def _cut_short(self, arrives: list[Delivery]) -> Delivery | None:
        """The first half of a file arrives first, beside the manifest of the whole."""
        whole = [f for d in arrives if d.states for f in _data_files(d)]
        if not whole or self._rng.random() > 0.2:
            return None
        self._count("cut short, then whole")
        file = self._rng.choice(whole)
        folder = self._own_folder()
        content = file.read_bytes()
        (folder / file.name).write_bytes(content[: len(content) // 2])
        digest = hashlib.sha256(content).hexdigest()
        (folder / f"{file.name}.sha256").write_text(f"{digest}\n")
        # Or the whole file would meet a manifest of its own that says less.
        file.with_name(f"{file.name}.sha256").write_text(f"{digest}\n")
        return Delivery(folder)

    # -- what arrives when ------------------------------------------------------------------------

    def _arrivals(self) -> list[list[Delivery]]:
        found: list[list[Delivery]] = [[] for _ in self._life.states]
        for index, made in enumerate(self._life.statements):
            for statement in made:
                self._deliver(statement, index, found)
        self._deliver_plans(found)
        return found

    def _deliver(self, statement: Statement, index: int, found: list[list[Delivery]]) -> None:
        form = self._rng.choice(("workbook", "workbook", "renamed", "csv", "split"))
        agencies = list(statement.sheets)
        if form in ("workbook", "renamed"):
            night = self._late(index)
            found[night].append(self._workbook(statement, form == "renamed"))
        elif form == "csv":
            night = self._late(index)
            self._count("csv instead of xlsx")
            found[night].append(self._csv(statement, agencies))
        else:
            self._count("split over nights")
            for agency in agencies:
                night = self._late(index)
                found[night].append(self._csv(statement, [agency]))
        if self._rng.random() < 0.35:
            self._count("delivered twice")
            again = self._rng.randint(night, self._last)
            if self._rng.random() < 0.5:
                found[again].append(self._workbook(statement, renamed=True))
            else:
                found[again].append(self._csv(statement, agencies))

    def _late(self, index: int) -> int:
        if index == self._last or self._rng.random() < 0.5:
            return index
        self._count("delivered late")
        return self._rng.randint(index + 1, self._last)

    def _deliver_plans(self, found: list[list[Delivery]]) -> None:
        """Of a plan line the newest delivery wins: late, but never past each other."""
        night = 0
        for index, made in enumerate(self._life.plans):
            for plan in made:
                late = self._rng.random() < 0.3
                night = max(night, self._rng.randint(index, self._last) if late else index)
                found[night].append(plan_file(plan, self._own_folder()))
                if self._rng.random() < 0.3:
                    self._count("delivered twice")
                    copy = plan_file(plan, self._own_folder(), copy="b")
                    found[night].append(copy)

    def _workbook(self, statement: Statement, renamed: bool) -> Delivery:
        folder = self._own_folder()
        write_statement(self._rng, folder, statement, as_csv=False)
        if renamed:
            self._count("renamed")
            for file in sorted(folder.iterdir()):
                file.rename(folder / file.name.replace(".xlsx", f"_lan{self._made}.xlsx"))
        return Delivery(folder, (statement, list(statement.sheets)))

    def _csv(self, statement: Statement, agencies: Sequence[str]) -> Delivery:
        folder = self._own_folder()
        part = {agency: statement.sheets[agency] for agency in agencies}
        kept = Statement(statement.name, statement.month, statement.stated_at, part)
        write_statement(self._rng, folder, kept, as_csv=True)
        return Delivery(folder, (statement, agencies))

    def _own_folder(self) -> Path:
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir(parents=True)
        return folder

    def _count(self, kind: str) -> None:
        self._kinds[kind] = self._kinds.get(kind, 0) + 1


def _as_made(rng: Random, statement: Statement, folder: Path) -> Delivery:
    own = folder / f"{statement.month:%Y%m}_{statement.stated_at:%Y%m%dT%H%M%S}"
    own.mkdir(parents=True, exist_ok=True)
    if not any(own.iterdir()):
        write_statement(rng, own, statement, as_csv=False)
    return Delivery(own, (statement, list(statement.sheets)))


def plan_file(plan: PlanDelivery, folder: Path, copy: str = "") -> Delivery:
    """A plan workbook; a later delivery has the greater name."""
    path = folder / f"KE_HOACH_{plan.number:03d}{copy}.xlsx"
    folder.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("KE HOACH")
        sheet.write_row(0, 0, COLUMNS)
        for at, row in enumerate(plan.rows, start=1):
            for index, column in enumerate(COLUMNS):
                sheet.write(at, index, _shown(row[column]))
    return Delivery(folder)


def _shown(value: Any) -> Any:
    return value if isinstance(value, int | str) else f"{value:%d/%m/%Y}"


def arrive(delivery: Delivery, drop: Path) -> None:
    """Put a delivery's files into the drop folder, in place of earlier ones of their names."""
    for file in _data_files(delivery):
        for suffix in (".sha256", ".count"):
            (drop / f"{file.name}{suffix}").unlink(missing_ok=True)
    for file in sorted(delivery.folder.iterdir()):
        shutil.copyfile(file, drop / file.name)


def _data_files(delivery: Delivery) -> list[Path]:
    return [f for f in sorted(delivery.folder.iterdir()) if f.suffix in (".xlsx", ".csv")]
