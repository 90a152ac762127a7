"""`make bench`: bulk ingest by chotso, floors and peers, interleaved in one run on the same rows.

Every measurement is a process of its own. In each turn every way comes once, in alternating order;
medians count, and a ratio is the median of the turns' ratios. After each measurement the table is
compared with the source, and dropped. A night is compared by the time of the whole process, because
most of it is the start of Python. The exit status is 1 if a limit of the design is exceeded.
"""

import argparse
import sys
from dataclasses import dataclass

import psycopg

from bench.equal import content
from bench.lines import RELATION, SCHEMA
from bench.night import LAST_NIGHT
from bench.place import HOME, Place, place, say
from bench.product import FEED
from bench.source import LINES_A_DOCUMENT, make_source
from bench.ways import Measurement, Taken, Way, keep, measure, ratio, show
from chotso.ingest import ledger
from chotso.sandbox import server as sandbox

MOST_BULK_RATIO = 1.3
MOST_MEMORY_MIB = 400
MOST_MEMORY_GROWTH = 1.25
FLOOR = Way("COPY through a file", "bench.floor")
PRODUCT = Way("chotso", "bench.product")
PIPED = Way("COPY piped, no file", "bench.piped")
PEERS = [
    Way("ADBC, query to ingest", "bench.peers.adbc_copy", is_peer=True),
    Way("dlt, its fastest way", "bench.peers.dlt_load", is_peer=True),
    Way("pandas, to_sql by COPY", "bench.peers.pandas_copy", is_peer=True, share=0.1),
    Way("pandas, to_sql", "bench.peers.pandas_insert", is_peer=True, share=0.1),
]
_NIGHT = f"where ngay_sua >= timestamptz '{LAST_NIGHT.isoformat()}'"


@dataclass(frozen=True)
class Task:
    """What is ingested: how many lines, and whether only those of the last night."""

    name: str
    lines: int
    is_night: bool = False

    def where(self, way: Way) -> str:
        """The condition for the lines that a way gets."""
        if self.is_night:
            return _NIGHT
        if way.share == 1:
            return ""
        return f"where so_chung_tu <= 'CT{int(self.lines * way.share) // LINES_A_DOCUMENT:09d}'"


def main() -> int:
    """Measure, print, keep `build/bench/ingest.json`; 1 when a limit is passed."""
    options = _options()
    results: list[tuple[Task, list[Taken]]] = []
    with place() as here:
        for lines in options.lines:
            say(f"making a source of {lines:,} allocation lines")
            make_source(here.server.source_admin_url, lines, min(options.night, lines))
            is_first = lines == options.lines[0]
            ways = [FLOOR, PRODUCT, PIPED, *PEERS] if is_first else [FLOOR, PRODUCT]
            results.append(_compare(here, Task(f"{lines:,} lines", lines), ways, options.repeat))
            if is_first:
                night = Task(f"a night: {options.night:,} of {lines:,} lines", lines, is_night=True)
                results.append(_compare(here, night, [FLOOR, PRODUCT], options.repeat))
    keep(HOME / "ingest.json", {task.name: found for task, found in results})
    for task, found in results:
        show(task.name, found, FLOOR, PRODUCT, whole_process=task.is_night)
    return _judge(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.ingest", description=main.__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[2_000_000, 10_000_000])
    parser.add_argument("--night", type=int, default=80_000, help="lines changed in the night")
    parser.add_argument("--repeat", type=int, default=5, help="turns: measurements of each way")
    return parser.parse_args()


def _compare(here: Place, task: Task, ways: list[Way], repeat: int) -> tuple[Task, list[Taken]]:
    _set_position(here.server, is_night=task.is_night)
    due = {way: content(here.server.source_admin_url, RELATION, task.where(way)) for way in ways}
    turns: dict[Way, list[Measurement]] = {way: [] for way in ways}
    for turn in range(repeat):
        for way in ways if turn % 2 == 0 else reversed(ways):
            here.settle()
            environment = here.environment | {"BENCH_WHERE": task.where(way)}
            taken = measure(way, environment)
            _check_and_clean(here, way, taken.result, due[way])
            turns[way].append(taken)
            say(f"{task.name}: {way.name} {taken.work_s:.1f} s, the rows are the source's")
    return task, [Taken(way, due[way]["rows"], turns[way]) for way in ways]


def _check_and_clean(here: Place, way: Way, table: str, due: dict[str, int]) -> None:
    is_ours = way == PRODUCT
    url = here.server.admin_url if is_ours else here.target_url
    found = content(url, table)
    if found != due:
        wrong = [name for name in due if found[name] != due[name]]
        raise SystemExit(f"{way.name}: other rows than the source's in {', '.join(wrong)}")
    schema = table.partition(".")[0]
    is_own_schema = schema not in (SCHEMA, "landing")  # made by the way itself, with its notes
    dropped = f"schema {schema} cascade" if is_own_schema else f"table {table}"
    with psycopg.connect(url) as connection:
        connection.execute(f"drop {dropped}".encode())
        if is_ours:  # so that it can be landed again
            ledger.stop(connection, table.removeprefix("landing."), "failed", "a measurement")


def _set_position(server: sandbox.SandboxServer, *, is_night: bool) -> None:
    """Set the position before all rows, or at the end of the previous night."""
    with psycopg.connect(server.admin_url) as connection:
        connection.execute("delete from ops.feed_position")
        if is_night:
            connection.execute(
                "insert into ops.feed_position (feed, position, batch_id)"
                " select %s, %s, min(batch_id) from ops.batch",
                [FEED, LAST_NIGHT],
            )


def _judge(results: list[tuple[Task, list[Taken]]]) -> int:
    broken = []
    peaks = []
    for task, found in results:
        ours = {taken.way: taken for taken in found}
        if task.is_night:
            continue
        peaks.append(ours[PRODUCT].peak_mib)
        floor, product = (ours[way].seconds(whole_process=False) for way in (FLOOR, PRODUCT))
        if (times := ratio(product, floor)) > MOST_BULK_RATIO:
            broken.append(f"{task.name}: {times:.2f} × COPY, at most {MOST_BULK_RATIO} promised")
    if max(peaks) > MOST_MEMORY_MIB:
        broken.append(f"{max(peaks):.0f} MiB, at most {MOST_MEMORY_MIB} promised")
    if peaks[-1] / peaks[0] > MOST_MEMORY_GROWTH:
        broken.append(
            f"memory grows with the rows: {peaks[-1] / peaks[0]:.2f} × from first to last"
        )
    for sentence in broken:
        print(sentence, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
