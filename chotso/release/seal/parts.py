"""The parts that a freeze calls; tests can replace each of them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

import psycopg

from chotso.calendar import local_instant
from chotso.progress import Progress
from chotso.release.bundle.inputs import MadeBy, made_by
from chotso.settings import Settings

CATCH_UP_S = 600.0


@dataclass(frozen=True)
class PeriodToFreeze:
    """A period's id, its cutoff, and the groups of employers that are withheld.

    Employers of these groups have a person's name, which must not be in a release.
    """

    period_id: str
    cutoff_at: datetime
    withheld_employer_groups: tuple[str, ...] = ()


class Extracted(Protocol):
    """The result of the final extract."""

    @property
    def known_at(self) -> datetime:
        """The instant at which every feed was read."""

    @property
    def batch_ids(self) -> Sequence[str]:
        """The batches that it published."""

    @property
    def stopped(self) -> Sequence[str]:
        """What was blocked or refused, each with its next step."""


class FinalExtractor(Protocol):
    """Reads and publishes every feed in one snapshot; finishes an earlier call."""

    def __call__(
        self,
        settings: Settings,
        business_date: date,
        *,
        final_of: str,
        not_before: datetime | None,
        progress: Progress,
    ) -> Extracted:
        """Extract for a release; a later call returns the instant of the first complete extract."""


class CaughtUp(Protocol):
    """Waits for a source whose data are older than its server's clock."""

    def __call__(self, settings: Settings, instant: datetime, progress: Progress) -> datetime:
        """Return the instant up to which data are complete; it may still be before `instant`."""


class Build(Protocol):
    """Builds the marts into a new scratch schema."""

    def __call__(
        self,
        settings: Settings,
        *,
        as_known_at: datetime,
        event_cutoff: datetime,
        schema: str,
        config: Literal["current"],
    ) -> object:
        """Build; raises ChotsoError where it fails."""


def _connect(settings: Settings) -> AbstractContextManager[psycopg.Connection]:
    from chotso.warehouse.connect import connect

    return connect(settings)


def _hold(conn: psycopg.Connection, name: str) -> AbstractContextManager[None]:
    from chotso.warehouse.locks import hold

    return hold(conn, name, wait_seconds=600)


def _source_clock(settings: Settings) -> datetime:
    from chotso.source.database import open_snapshot

    with open_snapshot(settings.source_url) as snapshot:
        return snapshot.known_at


def _caught_up(
    settings: Settings, instant: datetime, progress: Progress, limit_s: float = CATCH_UP_S
) -> datetime:
    """Wait for a standby server whose clock has reached the instant, but whose data have not.

    Returns:
        The instant up to which the source's data are complete. It is before `instant` if the
        server's own clock has not reached it, or if the wait took too long.
    """
    from chotso.source.database import open_snapshot

    deadline = time.monotonic() + limit_s
    while True:
        with open_snapshot(settings.source_url) as snapshot:
            known_at, shown = snapshot.known_at, snapshot.server_clock
        if known_at >= instant or shown < instant or time.monotonic() > deadline:
            return known_at
        progress(
            f"the source's data is known to {local_instant(known_at)}: waiting for "
            f"{local_instant(instant)}"
        )
        time.sleep(1)


def _feeds() -> list[str]:
    from chotso.contracts import contracts

    return sorted(contract.feed for contract in contracts().values())


def _period(period_id: str) -> PeriodToFreeze:
    from chotso.registers import load_registers

    found = load_registers().period(period_id)
    return PeriodToFreeze(found.id, found.cutoff_at, tuple(found.withheld_employer_groups))


def _final_extract(
    settings: Settings,
    business_date: date,
    *,
    final_of: str,
    not_before: datetime | None,
    progress: Progress,
) -> Extracted:
    from chotso.ingest.night import final_extract

    return final_extract(
        settings, business_date, final_of=final_of, not_before=not_before, progress=progress
    )


def _build(
    settings: Settings,
    *,
    as_known_at: datetime,
    event_cutoff: datetime,
    schema: str,
    config: Literal["current"],
) -> object:
    from chotso.build.dbt import run_build

    return run_build(
        settings,
        as_known_at=as_known_at,
        event_cutoff=event_cutoff,
        schema=schema,
        config=config,
        is_parsed_anew=True,  # a release must not depend on files of an earlier process
    )


class LateChanges(Protocol):
    """Lists and records what became known after a period's current release."""

    def __call__(
        self, settings: Settings, period_id: str, until: datetime, progress: Progress
    ) -> Iterable[Mapping[str, object]]:
        """Rows of `data/late_changes.csv`, in order of their key."""


def _late_changes(
    settings: Settings, period_id: str, until: datetime, progress: Progress
) -> Iterable[Mapping[str, object]]:
    from chotso.release.late.register import late_facts

    return [fact.row() for fact in late_facts(settings, period_id, until, progress)]


@dataclass(frozen=True)
class Parts:
    """The parts, with the real ones as defaults (imported only when they are called)."""

    connect: Callable[[Settings], AbstractContextManager[psycopg.Connection]] = field(
        default=_connect
    )
    hold: Callable[[psycopg.Connection, str], AbstractContextManager[None]] = field(default=_hold)
    source_clock: Callable[[Settings], datetime] = field(default=_source_clock)
    caught_up: CaughtUp = field(default=_caught_up)
    feeds: Callable[[], list[str]] = field(default=_feeds)
    made_by: Callable[[], MadeBy] = field(default=made_by)
    period: Callable[[str], PeriodToFreeze] = field(default=_period)
    final_extract: FinalExtractor = field(default=_final_extract)
    build: Build = field(default=_build)
    late_changes: LateChanges = field(default=_late_changes)
