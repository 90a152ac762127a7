"""The judgement: everything that is wrong now, each cause once."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from chotso.errors import ChotsoError
from chotso.settings import Settings
from chotso.source.database import open_snapshot
from chotso.warehouse.connect import connect
from chotso.watch import builds, freezes, nights, notices, places, proofs
from chotso.watch.finding import Finding
from chotso.watch.kinds import EVERYTHING, KINDS
from chotso.watch.limits import load_limits
from chotso.watch.moment import Moment, clock_by_ledger, due_night, open_periods, wall_clock

_LOG = logging.getLogger(__name__)
_PLACES = (places.disks, places.drop_folder, places.airflow)
_LEDGER: tuple[Callable[[Moment, psycopg.Connection], Iterator[Finding]], ...] = (
    places.clocks,
    proofs.restored,
    nights.night_not_begun,
    nights.night_not_ended,
    nights.feeds,
    builds.waits,
    builds.build,
    proofs.totals,
    proofs.registers,
    proofs.files,
    proofs.quarantine,
    freezes.due,
    freezes.would_fail,
    freezes.releases,
    notices.routes,
)
_NO_ROOM = ("No space left on device", "MB are left for")
# psycopg reads intervals in this style alone
_SETTINGS = "set local lock_timeout = '5s'; set local intervalstyle = 'postgres'"


@dataclass(frozen=True)
class Judgement:
    """What is wrong.

    Attributes:
        moment: When, and of which night.
        causes: One finding per cause, the worst first.
        consequences: Findings that a cause explains, each with that cause.
        is_warehouse_there: Whether incidents can be written down.
    """

    moment: Moment
    causes: list[Finding]
    consequences: list[tuple[Finding, Finding]]
    is_warehouse_there: bool


def judge(settings: Settings, *, is_sure: bool = False) -> Judgement:
    """Look at the ledger, the clocks and the places.

    Args:
        settings: Where everything is.
        is_sure: Give no grace to what Airflow may try again, because it has used up its tries.

    Raises:
        ChotsoError: The limits or the registers cannot be read.
    """
    limits = load_limits()
    clock = _source_clock(settings)
    now = wall_clock() if isinstance(clock, ChotsoError) else clock
    moment = Moment(settings, limits, now, due_night(now), is_sure)
    try:
        with connect(settings) as conn:
            if isinstance(clock, ChotsoError):
                now = clock_by_ledger(conn) or now
            periods = open_periods(conn)
            moment = replace(moment, now=now, night=due_night(now), open_periods=periods)
            found = list(_found_in_ledger(moment, conn))
    except ChotsoError as error:
        causes = [places.warehouse_away(error, moment), *_found_in_places(moment)]
        return _folded(moment, causes, is_warehouse_there=False)
    if isinstance(clock, ChotsoError):
        found.append(places.source_away(clock, moment))
    return _folded(moment, [*found, *_found_in_places(moment)], is_warehouse_there=True)


def explained(finding: Finding, by: Finding) -> bool:
    """Whether a finding is only a consequence of another one."""
    explains = KINDS[by.kind].explains
    if finding.key == by.key:
        return False
    if explains == EVERYTHING:
        return finding.kind not in ("airflow_away", "disk_nearly_full")
    if by.kind == "disk_nearly_full":
        return any(said in finding.what for said in _NO_ROOM)
    if by.kind == "freeze_due" and finding.about:
        # whatever stopped the freeze is named in its reason
        return any(name in by.what for name in finding.about)
    if finding.kind not in explains:
        return False
    if finding.kind == "task_failed" and by.dag_id is not None:
        if KINDS[by.kind].is_of_a_night and finding.business_date != by.business_date:
            return False
        return finding.dag_id == by.dag_id or finding.dag_id in by.about
    if finding.kind == "landing_failed" and by.kind in ("source_away", "drop_folder_away"):
        return finding.subject == by.subject
    return True


def _source_clock(settings: Settings) -> datetime | ChotsoError:
    try:
        with open_snapshot(settings.source_url) as snapshot:
            return snapshot.known_at
    except ChotsoError as error:
        return error


def _found_in_places(moment: Moment) -> Iterator[Finding]:
    for look in _PLACES:
        yield from look(moment)


def _found_in_ledger(moment: Moment, conn: psycopg.Connection) -> Iterator[Finding]:
    """Each look in a transaction of its own: one that fails leaves the others their sight."""
    for look in _LEDGER:
        try:
            with conn.transaction():
                conn.execute(_SETTINGS)
                found = list(look(moment, conn))
        except psycopg.errors.LockNotAvailable:
            _LOG.warning("%s waited for a lock and is looked at again next time", look.__name__)
        except psycopg.Error as error:
            if conn.broken:
                raise
            yield _blind(moment, look.__name__, error)
        else:
            yield from found


def _blind(moment: Moment, name: str, error: psycopg.Error) -> Finding:
    said = error.diag.message_primary or type(error).__name__
    return Finding(
        kind="task_failed",
        subject=f"watch.{name}",
        business_date=moment.night,
        what=f"The watch could not look at {name}: {said}",
        kept="everything.",
        next_step="run `chotso migrate` with CHOTSO_ADMIN_URL, which puts tables and rights back",
    )


def _folded(moment: Moment, found: list[Finding], *, is_warehouse_there: bool) -> Judgement:
    causes: list[Finding] = []
    consequences: list[tuple[Finding, Finding]] = []
    for finding in found:
        cause = next((each for each in found if explained(finding, each)), None)
        if cause is None:
            causes.append(finding)
        else:
            consequences.append((finding, cause))
    worst = ("critical", "error", "warning")
    causes.sort(key=lambda each: (worst.index(each.severity), each.kind, each.subject))
    return Judgement(moment, causes, consequences, is_warehouse_there)
