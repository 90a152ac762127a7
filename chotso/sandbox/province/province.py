"""`seed` and `advance`: make the synthetic province, and continue it.

The state of a province at an instant depends only on its parameters: one advance or many give the
same rows and files. An advance writes files, then the event log, then the tables in one
transaction. A killed advance is repeated from the clock in the tables.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.progress import Progress
from chotso.sandbox.province.defects import Defect, load_defects, save_defects
from chotso.sandbox.province.deliveries import deliveries
from chotso.sandbox.province.delivery import clear_drop, deliver
from chotso.sandbox.province.event_log import EventLog, event_lines, file_line, state_lines
from chotso.sandbox.province.parameters import DefectLevel, Parameters, load_parameters
from chotso.sandbox.province.tables import (
    INVENTED,
    create_schema,
    fill,
    finish_schema,
    read_clock,
    set_clock,
    upsert,
)
from chotso.sandbox.province.timeline import aware, iso
from chotso.sandbox.province.world import World, make_world
from chotso.session import open_session

_SIZES_FILE = "event_log_sizes.json"


@dataclass(frozen=True, slots=True)
class SeedReport:
    """The result of `seed`."""

    note: str
    clock_at: str
    rows: dict[str, int]
    files: list[str]
    defects: list[Defect]

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AdvanceReport:
    """The result of `advance`; rows are counted as versions, including deletions."""

    note: str
    from_at: str
    clock_at: str
    rows: dict[str, int]
    files: list[str]
    defects: list[Defect]

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        return asdict(self)


def seed(
    source_admin_url: str,
    drop: Path,
    *,
    persons: int,
    employers: int,
    year: int,
    seed: int,
    defects: DefectLevel,
    state_dir: Path,
    progress: Progress,
) -> SeedReport:
    """Makes the province in schema `tst` and the drop folder, up to 1 October local midnight.

    An earlier province is replaced, with its schema, its files in the drop folder and event log.

    Args:
        source_admin_url: `postgresql://` URL of a login with the right to create schema `tst`.
        drop: Drop folder; made if it is missing.
        persons: Number of persons, insured or not.
        employers: Number of employers, with collection agents and budget payers.
        year: The year; `advance` can continue through its last quarter.
        seed: The same seed and sizes give the same bytes.
        defects: How many defects are planted; the right answers are written to `defects.json`.
        state_dir: Folder of the parameters, the event log and the right answers.
        progress: Called with a line of text at each step.

    Raises:
        ChotsoError: A size is out of range.
    """
    parameters = Parameters(persons, employers, year, seed, defects)
    parameters.check()
    state_dir.mkdir(parents=True, exist_ok=True)
    parameters.save(state_dir)
    (state_dir / _SIZES_FILE).unlink(missing_ok=True)
    world = make_world(parameters, progress)
    until = parameters.timeline.seeded_until
    clear_drop(drop)
    log = EventLog(state_dir)
    log.truncate(0)
    progress("Đang xuất tệp C12 và kế hoạch")
    delivered = _Delivered(world, drop, after=None, until=until)
    # The files' lines follow the tables' lines, but files are written first, to count their rows.
    file_lines = delivered.write()
    planted = _planted(world, [], delivered.defects, until)
    save_defects(state_dir, planted)
    newest = {v.table.name: v.newest(None, until) for v in world.tables}
    progress("Đang ghi nhật ký sự kiện")

    def lines() -> Iterator[str]:
        for versions in world.tables:
            yield from state_lines(versions, newest[versions.table.name])
        yield from file_lines

    log_size = log.append(lines())
    rows: dict[str, int] = {}
    with open_session(source_admin_url) as connection:
        create_schema(connection)
        for versions in world.tables:
            progress(f"Đang nạp bảng {versions.table.name}")
            chosen = newest[versions.table.name]
            columns = (columns for _, columns in versions.chunks(chosen))
            rows[versions.table.name] = fill(connection, versions.table, columns)
        finish_schema(connection)
        set_clock(connection, aware(until))
    # Written last: without it, no advance accepts these parameters for the source.
    _save_sizes(state_dir, {iso(until): log_size})
    _analyse(source_admin_url)
    return SeedReport(INVENTED, iso(until), rows, delivered.names, planted)


def advance(
    source_admin_url: str, drop: Path, *, to: datetime, state_dir: Path, progress: Progress
) -> AdvanceReport:
    """Continues the source to an instant: documents, corrections, spells, exports, plans.

    Args:
        source_admin_url: `postgresql://` URL of a login with the right to write schema `tst`.
        drop: Drop folder.
        to: The new time of the source's clock, aware, whole seconds.
        state_dir: As given to `seed`.
        progress: Called with a line of text at each step.

    Raises:
        ChotsoError: Nothing was seeded, or the instant is before the clock or after the horizon.
    """
    parameters = load_parameters(state_dir)
    with open_session(source_admin_url) as connection:
        clock = read_clock(connection)
        after, until = _stretch(parameters, clock, to)
        world = make_world(parameters, progress)
        log = EventLog(state_dir)
        sizes = _load_sizes(state_dir, iso(after))
        log.truncate(sizes[iso(after)])
        progress(f"Nguồn chạy tới {iso(until)}")
        delivered = _Delivered(world, drop, after=after, until=until)
        file_lines = delivered.write()
        earlier = load_defects(state_dir, iso(after))
        planted = _planted(world, earlier, delivered.defects, until)
        save_defects(state_dir, planted)
        size = log.append(iter([*event_lines(world.tables, after, until), *file_lines]))
        _save_sizes(state_dir, {**sizes, iso(until): size})
        rows: dict[str, int] = {}
        for versions in world.tables:
            rows[versions.table.name] = int(versions.between(after, until).size)
            chosen = versions.newest(after, until)
            if not chosen.size:
                continue
            upsert(connection, versions.table, versions.render(chosen),
                   versions.deleted[chosen].tolist())  # fmt: skip
        set_clock(connection, aware(until))
    before = {defect.id for defect in earlier}
    fresh = [defect for defect in planted if defect.id not in before]
    return AdvanceReport(INVENTED, iso(after), iso(until), rows, delivered.names, fresh)


def _stretch(parameters: Parameters, clock: datetime | None, to: datetime) -> tuple[int, int]:
    if clock is None:
        raise ChotsoError(
            "The source has no clock: no synthetic province stands in schema tst.",
            next_step="Run: chotso sandbox seed",
        )
    if to.tzinfo is None:
        raise ChotsoError(
            f"{to.isoformat()} has no offset from UTC.",
            next_step="Give the instant with its offset, such as 2021-12-31T17:00:00+07:00.",
        )
    after, until = int(clock.timestamp()), int(to.timestamp())
    if until < after:
        raise ChotsoError(
            f"The source's clock stands at {iso(after)} and does not go back to {iso(until)}.",
            kept="the source as it is",
            next_step="Advance to a later instant, or seed the province anew.",
        )
    if until > parameters.timeline.horizon:
        raise ChotsoError(
            f"The synthetic province ends at {iso(parameters.timeline.horizon)}.",
            kept="the source as it is",
            next_step="Advance to that instant at most.",
        )
    return after, until


class _Delivered:
    """Writes the files of a seed or advance, and records their names and defects."""

    def __init__(self, world: World, drop: Path, *, after: int | None, until: int) -> None:
        self.world, self.drop = world, drop
        self.after, self.until = after, until
        self.names: list[str] = []
        self.defects: list[Defect] = []

    def write(self) -> list[str]:
        """Writes the files; returns their lines for the event log."""
        world, lines = self.world, []
        self.drop.mkdir(parents=True, exist_ok=True)
        for each in deliveries(world.parameters, world.book, world.plans, self.after, self.until):
            deliver(self.drop, each.name, each.content, rows=each.row_count, at=each.at,
                    stated=each.stated, always_manifest=each.always_manifest)  # fmt: skip
            self.names.append(each.name)
            self.defects += each.defects
            lines.append(file_line(each.at, each.name, each.logged))
        return lines


def _planted(
    world: World, earlier: list[Defect], in_files: list[Defect], until: int
) -> list[Defect]:
    """The right answers for everything delivered so far, each once, ordered by instant."""
    in_tables = [defect for defect in world.defects if defect.at <= iso(until)]
    known = {defect.id: defect for defect in [*earlier, *in_tables, *in_files]}
    return sorted(known.values(), key=lambda defect: (defect.at, defect.id))


def _analyse(source_admin_url: str) -> None:
    with open_session(source_admin_url, autocommit=True) as connection:
        connection.execute("analyze")


def _load_sizes(state_dir: Path, clock: str) -> dict[str, int]:
    """Sizes of the event log by clock; raises an error if the source has another clock."""
    path = state_dir / _SIZES_FILE
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if clock not in found:
        raise ChotsoError(
            f"The source's clock stands at {clock}, of which {state_dir} knows nothing: "
            "a seed was interrupted, or the source is another province's.",
            kept="the source as it is",
            next_step="Seed the province anew: chotso sandbox seed",
        )
    return found


def _save_sizes(state_dir: Path, sizes: dict[str, int]) -> None:
    text = json.dumps(sizes, indent=1, sort_keys=True)
    (state_dir / _SIZES_FILE).write_text(text + "\n", encoding="utf-8")
