"""A small province before a night, and what an undisturbed night makes of it."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from chotso.calendar import night_of
from chotso.contracts import contract_of, contracts, groups
from chotso.sandbox.province import advance, seed
from chotso.settings import Settings
from tests.faults.cloning import admin, cloned
from tests.faults.content import Content, content
from tests.faults.killing import extract, note_in, run_in_child
from tests.faults.verdict import Verdict, verdict
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product

BEFORE, NIGHT = date(2021, 11, 10), date(2021, 11, 12)
_NUMBERS = count(1)


@dataclass(frozen=True)
class World:
    """A server of its own with a warehouse before the night.

    Attributes:
        home: Of the server; killing it harms nobody else.
        product: Source and warehouse; every case works on a copy of the warehouse.
        folder: Scratch.
        undisturbed: What the night leaves when nothing happens.
        points: Named places that the night passes, in order of their first time.
        seconds: What the night takes.
    """

    home: Path
    product: Product
    folder: Path
    undisturbed: Content
    points: list[str]
    seconds: float

    def copy(self, tablespace: str = "pg_default") -> cloned:
        """A warehouse for one case."""
        return cloned(self.product, self.folder, f"case_{next(_NUMBERS)}", tablespace)

    @property
    def told(self) -> Path:
        """Where a case's run leaves what it tells the operator."""
        return self.folder / "told"

    def run(
        self,
        settings: Settings,
        *,
        at: Callable[[str], None] | None = None,
        group: str | None = None,
        kill_after: float | None = None,
        night: date = NIGHT,
    ) -> tuple[int, str]:
        """A night's extract with a fault; returns its exit code and what it told."""
        self.told.unlink(missing_ok=True)
        code = run_in_child(
            extract, settings, night, self.told, group, at=at, kill_after=kill_after
        )
        return code, self.told.read_text(encoding="utf-8") if self.told.exists() else ""

    def admin(self, settings: Settings) -> str:
        """The superuser's URL of a case's warehouse."""
        return admin(self.product, settings)

    def finish(self, settings: Settings) -> Verdict:
        """Run the night again, undisturbed, and judge what the warehouse then holds."""
        code, told = self.run(settings)
        final = verdict(self.admin(settings), settings, self.undisturbed)
        if code:
            final.told.append(f"the second run ended with {code}: {told}")
        return final


def group_at(point: str) -> str | None:
    """The group whose extract passes a point; None for a place that belongs to no group."""
    name = point.rsplit(".", 1)[-1]
    if name in contracts():
        return contract_of(name).group
    return name if name in groups() else None


@contextmanager
def world(folder: Path, name: str) -> Iterator[World]:
    """A province of 500 persons and 60 employers with planted defects, on a server of its own."""
    scratch = folder / "scratch"
    scratch.mkdir()
    with (
        _drafts_in(scratch),
        own_server(durable=True) as (running, home),
        product(running, name, folder / "base") as base,
    ):
        place = (base.source_admin_url, base.drop)
        state = folder / "state"
        seed(
            *place,
            persons=500,
            employers=60,
            year=2021,
            seed=3,
            defects="some",
            state_dir=state,
            progress=lambda _: None,
        )
        advance(*place, to=night_of(BEFORE), state_dir=state, progress=lambda _: None)
        run_in_child(extract, base.settings, BEFORE, folder / "first")
        advance(*place, to=night_of(NIGHT), state_dir=state, progress=lambda _: None)
        notes = folder / "points"
        with cloned(base, folder, "undisturbed") as settings:
            begun = time.monotonic()
            assert run_in_child(extract, settings, NIGHT, at=note_in(notes)) == 0
            seconds = time.monotonic() - begun
            undisturbed = content(admin(base, settings))
            points = list(dict.fromkeys(notes.read_text(encoding="utf-8").split()))
            alone = World(home, base, folder, undisturbed, points, seconds)
            assert not verdict(admin(base, settings), settings, undisturbed).told
        yield alone


@contextmanager
def _drafts_in(scratch: Path) -> Iterator[None]:
    """Killed runs leave their temporary folders where the test's own folder goes away."""
    before, tempfile.tempdir = tempfile.tempdir, str(scratch)
    os.environ["TMPDIR"], kept = str(scratch), os.environ.get("TMPDIR")
    try:
        yield
    finally:
        tempfile.tempdir = before
        if kept is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = kept
