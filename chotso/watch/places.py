"""Looks that need no warehouse: disks, clocks, the source, the drop folder and Airflow."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import psycopg

from chotso.calendar import local_minute
from chotso.errors import ChotsoError
from chotso.folder import local_folder, nearest
from chotso.ingest import drop_register
from chotso.local import airflow as local_airflow
from chotso.settings import Settings
from chotso.watch.dags import extract_dags
from chotso.watch.fault import Fault
from chotso.watch.moment import Moment, wall_clock

_GIGABYTE = 10**9
_TIMEOUT_S = 30.0  # a loaded machine answers late; one that is gone refuses at once
_LOGS = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"  # Airflow's own; a local one logs under CHOTSO_HOME
_SILENT = timedelta(minutes=2)
_PARTS = {"metadatabase": "database", "scheduler": "scheduler", "dag_processor": "DAG processor"}


def disks(moment: Moment) -> Iterator[Fault]:
    """Disks of this machine that the product writes to and that are nearly full."""
    seen: set[int] = set()
    for name, folder in written_to(moment.settings).items():
        place = nearest(folder)
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        use = shutil.disk_usage(place)
        limits = moment.limits.disk
        share = use.free / use.total if use.total else 0
        if share >= limits.free_share or use.free >= limits.free_gigabytes * _GIGABYTE:
            continue
        yield moment.fault(
            kind="disk_nearly_full",
            subject=name,
            what=f"{use.free / _GIGABYTE:.1f} GB of {use.total / _GIGABYTE:.0f} GB are free for "
            f"{folder} ({name}).",
            kept="all that was published; nothing half-written counts.",
            next_step=f"make room on the disk of {place} (`chotso retention` lists what may go), "
            f"then run again what it stopped: `chotso nightly --date {moment.night}`",
        )


def drop_folder(moment: Moment) -> Iterator[Fault]:
    """A drop folder that cannot be listed."""
    try:
        drop_register.look(moment.settings)
    except ChotsoError as error:
        yield moment.fault(
            kind="drop_folder_away",
            subject="drop folder",
            what=error.what,
            kept="what was taken before; the collection system's feeds go on.",
            next_step=f"{error.next_step.rstrip('.')}; then clear `land` and all after it in "
            f"{extract_dags('file')}, where a run failed, or run "
            f"`chotso nightly --date {moment.night}`",
        )


def airflow(moment: Moment) -> Iterator[Fault]:
    """A scheduler, DAG processor or API server without a heartbeat, or with a wrong clock."""
    ailing, beats = _health(moment.settings)
    if ailing:
        yield moment.fault(
            kind="airflow_away",
            subject="airflow",
            what=f"Airflow does not work: {'; '.join(ailing)}.",
            kept="all that was published; nights, freeze and builds go on where they stopped.",
            next_step="start what is named (`make up` on one machine, `docker compose up --detach` "
            f"else) and read its log; a night cannot wait: `chotso nightly --date {moment.night}`",
        )
    now = wall_clock()
    wrong = {name: beat for name, beat in beats.items() if abs(beat - now) > _allowed(moment)}
    if wrong:
        yield _clocks_differ(moment, f"Airflow's {' and '.join(wrong)}", now, max(wrong.values()))


def clocks(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """This machine's clock against the warehouse's server, and against the source's server.

    A source whose clock is set by a table lives in another time, and is not compared.
    """
    before = wall_clock()
    row = conn.execute("select clock_timestamp()").fetchone()
    assert row is not None
    if abs(row[0] - before) > _allowed(moment):
        yield _clocks_differ(moment, "the warehouse's server", before, row[0])
    ahead = moment.source_ahead
    if ahead is not None and abs(ahead) > _allowed(moment):
        yield _clocks_differ(moment, "the source's server", before, before + ahead)


def _allowed(moment: Moment) -> timedelta:
    return timedelta(seconds=moment.limits.clock_difference_seconds)


def _clocks_differ(moment: Moment, whose: str, ours: datetime, other: datetime) -> Fault:
    seconds = abs(other - ours).total_seconds()
    return moment.fault(
        kind="clock_differs",
        subject="clocks",  # whichever is wrong, and whoever else notices: one incident
        what=f"This machine's clock says {local_minute(ours)}, that of {whose} "
        f"{local_minute(other)}: {seconds:.0f} seconds apart.",
        kept="no figure depends on either; schedules start at the wrong time.",
        next_step="set the wrong one right (`timedatectl` shows whether it is synchronized), "
        "then see whether a night or a freeze was missed (`chotso status`)",
    )


def source_away(error: ChotsoError, moment: Moment) -> Fault:
    """The fault for a source that does not answer or tells no time."""
    return moment.fault(
        kind="source_away",
        subject="source",
        what=error.what,
        kept="all that was published; a night reads all that changed since.",
        next_step=f"{error.next_step.rstrip('.')}; then clear `land` and all after it in "
        f"{extract_dags()}, where a run failed, or run `chotso nightly --date {moment.night}`",
    )


def warehouse_away(error: ChotsoError, moment: Moment) -> Fault:
    """The fault for a warehouse that does not answer or may not be used."""
    return Fault(
        kind="warehouse_away",
        subject="warehouse",
        business_date=moment.night,
        what=error.what,
        kept=error.kept or "what was committed.",
        next_step=error.next_step,
    )


def written_to(settings: Settings) -> dict[str, Path]:
    """The folders of this machine that the product and Airflow write to, by their variables."""
    places = {
        "CHOTSO_HOME": settings.home,
        "CHOTSO_RELEASES_DIR": settings.releases_dir,
        "TMPDIR": Path(tempfile.gettempdir()),
    }
    if logs := os.environ.get(_LOGS):
        places[_LOGS] = Path(logs)
    for name, url in (
        ("CHOTSO_LANDING_URL", settings.landing_url),
        ("CHOTSO_DROP_URL", settings.drop_url),
    ):
        if (folder := local_folder(url)) is not None:
            places[name] = folder
    return places


def _health(settings: Settings) -> tuple[list[str], dict[str, datetime]]:
    """What does not work of Airflow, and the last heartbeat of what does; nothing if unknown."""
    if gone := [] if settings.airflow_url else local_airflow.fallen(settings.home):
        return [f"its {name} is gone" for name in gone], {}
    url = settings.airflow_url or local_airflow.address(settings.home)
    if url is None:
        return [], {}
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/api/v2/monitor/health", timeout=_TIMEOUT_S, trust_env=False
        ).raise_for_status()
        health: dict[str, dict[str, str | None]] = answer.json()
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (httpx.HTTPError, LookupError, ValueError) as error:
        return [f"its API server at {url} does not answer ({error})"], {}
    ailing, beats = [], {}
    for part, name in _PARTS.items():
        told = health.get(part) or {}
        state, beat = told.get("status"), _beat(told)
        if state != "healthy" and beat and theirs < beat + _SILENT:
            continue  # a loaded machine; Airflow itself waits for half a minute only
        if state != "healthy":
            since = f", its last heartbeat was at {local_minute(beat)}" if beat else ""
            ailing.append(f"its {name} is {state or 'missing'}{since}")
        elif beat:
            beats[name] = beat
    return ailing, beats


def _beat(part: dict[str, str | None]) -> datetime | None:
    texts = [text for key, text in part.items() if key.endswith("heartbeat") and text]
    return datetime.fromisoformat(texts[0]) if texts else None
