"""`make bench`: compares extract → landing → load with binary COPY through a file, in one run.

Every measurement is a separate process, floor and product in alternating order. The median counts.
Bulk is compared by working time, a night by the time of the whole process, because most of a
night's time is the start of Python. The exit status is 1 if a limit of the design is exceeded.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psycopg
from rich.console import Console
from rich.table import Table

from bench.night import LAST_NIGHT
from bench.product import FEED
from bench.source import make_source
from chotso import PROJECT_ROOT
from chotso.migrate import migrate
from chotso.sandbox import server as sandbox
from chotso.settings import load_settings

MOST_BULK_RATIO = 2.0
MOST_MEMORY_GROWTH = 1.25
WAYS = ("floor", "product")
PATIENCE_S = 1800


@dataclass(frozen=True)
class Measurement:
    """One process: its rows, seconds of work, total seconds, and peak memory."""

    rows: int
    work_s: float
    process_s: float
    peak_mib: float


@dataclass(frozen=True)
class Comparison:
    """Medians of floor and product for one task."""

    task: str
    floor: Measurement
    product: Measurement
    is_night: bool

    @property
    def ratio(self) -> float:
        """The product's time divided by the floor's time."""
        if self.is_night:
            return self.product.process_s / self.floor.process_s
        return self.product.work_s / self.floor.work_s


def main() -> int:
    """Measure, print, keep `build/bench/ingest.json`; 1 when a limit is passed."""
    options = _options()
    home = PROJECT_ROOT / "build" / "bench"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["CHOTSO_HOME"] = str(home)
    comparisons = []
    with _server(home) as server:
        for lines in options.lines:
            _say(f"making a source of {lines:,} allocation lines")
            make_source(server.source_admin_url, lines, min(options.night, lines))
            comparisons.append(_compare(server, f"{lines:,} lines", options.repeat, night=False))
            if lines == options.lines[0]:
                task = f"a night: {options.night:,} changed of {lines:,}"
                comparisons.append(_compare(server, task, options.repeat, night=True))
    _print(comparisons)
    kept = [asdict(item) | {"ratio": item.ratio} for item in comparisons]
    (home / "ingest.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return _judge(comparisons)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.ingest", description=main.__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[2_000_000, 10_000_000])
    parser.add_argument("--night", type=int, default=80_000, help="lines changed in the night")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each way")
    return parser.parse_args()


@contextmanager
def _server(home: Path) -> Iterator[sandbox.SandboxServer]:
    """A migrated embedded PostgreSQL for this run; its data are removed at the end."""
    server = sandbox.start(home)
    try:
        migrate(load_settings())
        yield server
    finally:
        sandbox.stop(home)
        shutil.rmtree(server.data_dir, ignore_errors=True)
        shutil.rmtree(home / "landing", ignore_errors=True)
        (home / "sandbox.json").unlink(missing_ok=True)


def _compare(server: sandbox.SandboxServer, task: str, repeat: int, *, night: bool) -> Comparison:
    _set_position(server, night=night)
    taken: dict[str, list[Measurement]] = {way: [] for way in WAYS}
    for turn in range(repeat):
        for way in WAYS if turn % 2 == 0 else reversed(WAYS):
            _quiet(server)
            taken[way].append(_measure(server, way, night=night))
            _say(f"{task}: {way} {taken[way][-1].work_s:.1f} s")
    rows = {item.rows for measurements in taken.values() for item in measurements}
    if len(rows) != 1:
        raise SystemExit(f"{task}: floor and product moved different rows: {sorted(rows)}")
    return Comparison(task, _median(taken["floor"]), _median(taken["product"]), night)


def _measure(server: sandbox.SandboxServer, way: str, *, night: bool) -> Measurement:
    urls = {"BENCH_SOURCE_URL": server.source_url, "BENCH_WAREHOUSE_URL": server.warehouse_url}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{way}", *(["--night"] if night else [])],
        env=os.environ | urls,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE_S,
        cwd=PROJECT_ROOT,
    )
    process_s = time.perf_counter() - started
    return Measurement(process_s=process_s, **json.loads(done.stdout.splitlines()[-1]))


def _set_position(server: sandbox.SandboxServer, *, night: bool) -> None:
    """Set the position before all rows, or at the end of the previous night."""
    with psycopg.connect(server.admin_url) as connection:
        connection.execute("delete from ops.feed_position")
        if night:
            connection.execute(
                "insert into ops.feed_position (feed, position, batch_id)"
                " select %s, %s, min(batch_id) from ops.batch",
                [FEED, LAST_NIGHT],
            )


def _quiet(server: sandbox.SandboxServer) -> None:
    """Write pending data to disk, so that the next measurement does not have to."""
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("checkpoint")


def _median(taken: list[Measurement]) -> Measurement:
    return Measurement(
        rows=taken[0].rows,
        work_s=median(item.work_s for item in taken),
        process_s=median(item.process_s for item in taken),
        peak_mib=max(item.peak_mib for item in taken),
    )


def _print(comparisons: list[Comparison]) -> None:
    table = Table(title="extract → landing → load against binary COPY through a file")
    for heading in ("task", "rows", "COPY s", "chotso s", "ratio", "COPY MiB", "chotso MiB"):
        table.add_column(heading, justify="left" if heading == "task" else "right")
    for item in comparisons:
        seconds = [
            way.process_s if item.is_night else way.work_s for way in (item.floor, item.product)
        ]
        table.add_row(
            item.task,
            f"{item.product.rows:,}",
            *(f"{each:.2f}" for each in seconds),
            f"{item.ratio:.2f}",
            f"{item.floor.peak_mib:.0f}",
            f"{item.product.peak_mib:.0f}",
        )
    Console(width=110).print(table)


def _judge(comparisons: list[Comparison]) -> int:
    bulk = [item for item in comparisons if not item.is_night]
    broken = [
        f"{item.task}: {item.ratio:.2f} × COPY, at most {MOST_BULK_RATIO} promised"
        for item in bulk
        if item.ratio > MOST_BULK_RATIO
    ]
    growth = bulk[-1].product.peak_mib / bulk[0].product.peak_mib
    if growth > MOST_MEMORY_GROWTH:
        broken.append(f"memory grows with the rows: {growth:.2f} × from first to last size")
    for sentence in broken:
        print(sentence, file=sys.stderr)
    return 1 if broken else 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
