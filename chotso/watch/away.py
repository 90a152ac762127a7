"""What was told while the warehouse was away: kept in a file, and written down when it is back.

The file's disk may be full then, too. What cannot be written is kept in this process, so that a
watch that goes on does not repeat itself.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import psycopg
from pydantic import TypeAdapter

from chotso.folder import locked, write_private
from chotso.incident_kinds import KINDS
from chotso.watch import incidents
from chotso.watch.fault import Fault
from chotso.watch.incident import TOLD_OF_A_FAULT, Incident


@dataclass
class Told:
    """A fault that could not be written down, and the routes that were told of it."""

    fault: Fault
    opened_at: datetime
    routes: list[str] = field(default_factory=list)
    fault_count: int = 1

    def as_incident(self) -> Incident:
        """It, as the routes take it; number 0 says that the ledger does not know it yet."""
        shown = {name: getattr(self.fault, name) for name in TOLD_OF_A_FAULT}
        return Incident(
            incident_id=0,
            severity=self.fault.severity,
            fault_count=self.fault_count,
            opened_at=self.opened_at,
            last_seen_at=self.opened_at,
            acknowledged_at=None,
            acknowledged_by=None,
            ended_at=None,
            ended_by=None,
            end_reason=None,
            **shown,
        )


_FILE = TypeAdapter(dict[str, Told])
_LOG = logging.getLogger(__name__)
# By the file that could not be written.
_UNWRITTEN: dict[Path, dict[str, Told]] = {}
# What this process has told of each home while the warehouse was away: kind, subject, night, route.
# Another process that reaches the warehouse empties the file; it does not end what we see.
_TOLD_HERE: dict[Path, set[tuple[str, str, date, str]]] = {}


@contextmanager
def remembered(home: Path) -> Iterator[dict[str, Told]]:
    """What was told by any process of this home; changes are kept at the end of the block."""
    folder = home / "watch"
    path = folder / "away.json"
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.enter_context(locked(folder))
        except OSError as error:
            _LOG.warning("%s cannot be locked: %s", folder, error.strerror)
        told = _UNWRITTEN[path] if path in _UNWRITTEN else _read(path)
        yield told
        _keep(path, told)


def write_down(conn: psycopg.Connection, told: dict[str, Told], routes: Iterable[str]) -> None:
    """Insert what was told as incidents, with their notices, sent and unsent; commits.

    Args:
        conn: The warehouse.
        told: What was told; it is empty afterwards.
        routes: Names of all routes; those that could not be told are told now.
    """
    names = list(routes)
    with conn.transaction():
        for each in told.values():
            incident_id = incidents.write(conn, each.fault, each.opened_at, each.fault_count)
            incidents.tell(conn, incident_id, "opened", names)
            conn.execute(
                "update ops.incident_notice set sent_at = clock_timestamp() where incident_id = %s "
                "and event = 'opened' and route = any(%s) and sent_at is null",
                [incident_id, each.routes],
            )
    conn.commit()
    told.clear()


def is_told_here(home: Path, fault: Fault, route: str) -> bool:
    """Whether this process told the route of the fault since it last reached the warehouse."""
    return (*fault.key, fault.business_date, route) in _TOLD_HERE.get(home, ())


def note_told_here(home: Path, fault: Fault, route: str) -> None:
    """Note that this process told the route of the fault."""
    _TOLD_HERE.setdefault(home, set()).add((*fault.key, fault.business_date, route))


def reached(home: Path) -> None:
    """Forget it: this process has reached the warehouse in a whole round."""
    _TOLD_HERE.pop(home, None)


def _keep(path: Path, told: dict[str, Told]) -> None:
    try:
        if told:
            write_private(path, _FILE.dump_json(told).decode() + "\n")
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        _LOG.warning("%s cannot be written: %s", path, error.strerror)
        _UNWRITTEN[path] = dict(told)
    else:
        _UNWRITTEN.pop(path, None)


def _read(path: Path) -> dict[str, Told]:
    """The file; one that is missing, damaged, or of a version with other kinds is none."""
    try:
        found = _FILE.validate_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if all(each.fault.kind in KINDS for each in found.values()) else {}
