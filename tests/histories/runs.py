"""Plays histories against real warehouses: kept worker processes, a warehouse cloned for each."""

import contextlib
import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import great_expectations  # noqa: F401  (before the fork, so that no worker spends seconds on it)
import psycopg
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.ingest.night import extract_group
from chotso.ingest.rules import register
from chotso.ingest.validate import _gx_source
from chotso.settings import Settings
from tests.histories.disturbance import History, Visit, arrive
from tests.histories.life import Life
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.worlds.product import SOURCE_LOGIN, Product

_FORK = multiprocessing.get_context("fork")


class Worker:
    """A process of its own that runs groups, so that two of them can run the same at once."""

    def __init__(self) -> None:
        self._ours, theirs = _FORK.Pipe()
        self._process = _FORK.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, settings: Settings, group: str, on: date, full: bool) -> None:
        """Start a run; `outcome` waits for it."""
        self._ours.send((settings, group, on, full))

    def outcome(self) -> list[str]:
        """What the run stopped; an error of the run itself comes as its text after `!`."""
        found: list[str] = self._ours.recv()
        return found

    def end(self) -> None:
        """End the process."""
        self._ours.close()
        self._process.join(10)


def _serve(requests: Any) -> None:
    at = ""
    with contextlib.suppress(EOFError):
        while True:
            settings, group, on, full = requests.recv()
            if settings.warehouse_url != at:
                # One validation context per warehouse: it keeps every batch it ever saw.
                _gx_source.cache_clear()
                at = settings.warehouse_url
            try:
                requests.send(extract_group(settings, group, on, full=full).stopped)
            except ChotsoError as error:
                requests.send([f"!{error}"])
            except Exception as error:
                requests.send([f"!{type(error).__name__}: {error}"])


@dataclass
class Place:
    """Where one history is played: its own source, drop folder, archive and warehouse."""

    settings: Settings
    source_admin_url: str
    admin_url: str
    drop: Path


class Stage:
    """One server with a migrated, empty warehouse to clone."""

    def __init__(self, base: Product, folder: Path) -> None:
        self._base = base
        self._folder = folder
        register()  # read before the fork, once for all workers
        self._workers = [Worker() for _ in range(3)]
        self._threads = ThreadPoolExecutor(1)

    def end(self) -> None:
        """End the workers."""
        self._threads.shutdown()
        for worker in self._workers:
            worker.end()

    @contextmanager
    def place(self, name: str) -> Iterator[Place]:
        """A fresh warehouse over a fresh source; dropped at the end."""
        base, folder = self._base, self._folder / name
        (folder / "drop").mkdir(parents=True)
        source, warehouse = f"{database(base.source_admin_url)}_{name}", f"warehouse_h_{name}"
        self._execute("drop database if exists {} with (force)", source)
        self._execute("drop database if exists {} with (force)", warehouse)
        self._execute("create database {}", source)
        self._execute("create database {} template {}", warehouse, database(base.admin_url))
        grant = "grant connect, temporary on database {} to chotso_loader"
        self._execute(grant, warehouse)
        settings = base.settings.model_copy(
            update={
                "home": folder,
                "landing_url": str(folder / "landing"),
                "drop_url": str(folder / "drop"),
                "source_url": on_database(base.settings.source_url, source),
                "warehouse_url": on_database(base.settings.warehouse_url, warehouse),
                "admin_url": on_database(base.admin_url, warehouse),
            }
        )
        source_admin = on_database(base.source_admin_url, source)
        with psycopg.connect(source_admin) as connection:
            create_schema(connection, SOURCE_LOGIN)
        try:
            yield Place(
                settings, source_admin, on_database(base.admin_url, warehouse), folder / "drop"
            )
        finally:
            self._execute("drop database if exists {} with (force)", source)
            self._execute("drop database if exists {} with (force)", warehouse)
            shutil.rmtree(folder, ignore_errors=True)

    def play_beside(self, place: Place, life: Life, history: History) -> Future[list[str]]:
        """Play an undisturbed history in the third worker, while others go on."""
        return self._threads.submit(_play, place, life, history, self._workers[2:])

    def play(self, place: Place, life: Life, history: History) -> list[str]:
        """Play a history; returns what was stopped against its script."""
        return _play(place, life, history, self._workers[:2])

    def _execute(self, statement: Any, *names: str) -> None:
        url = on_database(self._base.admin_url, "postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _play(place: Place, life: Life, history: History, workers: list[Worker]) -> list[str]:
    wrong: list[str] = []
    for visit in history.visits:
        state = life.states[visit.state]
        with psycopg.connect(place.source_admin_url) as connection:
            write_snapshot(connection, state.tables, state.clock)
        wrong += _visit(place, visit, state.business_date, workers)
    return wrong


def _visit(place: Place, visit: Visit, on: date, workers: list[Worker]) -> list[str]:
    wrong: list[str] = []
    refused = 0
    for deliveries, runs in visit.rounds:
        for delivery in deliveries:
            arrive(delivery, place.drop)
        for run in runs:
            at_once = workers if run.how == "at once" else workers[:1]
            for _ in range(2 if run.how == "twice" else 1):
                for worker in at_once:
                    worker.begin(place.settings, run.group, on, run.full)
                stopped = [s for worker in at_once for s in worker.outcome()]
                refused += sum("is refused" in s for s in stopped)
                wrong += [s for s in stopped if "is refused" not in s]
    if refused != visit.refused:
        wrong.append(f"{refused} files refused on {on}, not {visit.refused}")
    return wrong


def database(url: str) -> str:
    """The database that a URL names."""
    return urlsplit(url).path.lstrip("/")


def on_database(url: str, name: str) -> str:
    """The URL on another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
