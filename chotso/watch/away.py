"""What was told while the warehouse was away: kept in a file, and written down when it is back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
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

    def as_incident(self) -> Incident:
        """It, as the routes take it; number 0 says that the ledger does not know it yet."""
        shown = {name: getattr(self.fault, name) for name in TOLD_OF_A_FAULT}
        return Incident(
            incident_id=0,
            severity=self.fault.severity,
            fault_count=1,
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


@contextmanager
def remembered(home: Path) -> Iterator[dict[str, Told]]:
    """What was told by any process of this home; changes are kept at the end of the block."""
    folder = home / "watch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "away.json"
    with locked(folder):
        told = _read(path)
        yield told
        if told:
            write_private(path, _FILE.dump_json(told).decode() + "\n")
        else:
            path.unlink(missing_ok=True)


def write_down(conn: psycopg.Connection, told: dict[str, Told]) -> None:
    """Insert what was told as incidents, with the notices that were sent; commits."""
    with conn.transaction():
        for each in told.values():
            incident_id = incidents.write(conn, each.fault, each.opened_at)
            conn.cursor().executemany(
                "insert into ops.incident_notice (incident_id, event, route, sent_at) "
                "values (%s, 'opened', %s, clock_timestamp()) on conflict do nothing",
                [(incident_id, route) for route in each.routes],
            )
    conn.commit()
    told.clear()


def _read(path: Path) -> dict[str, Told]:
    """The file; one that is missing, damaged, or of a version with other kinds is none."""
    try:
        found = _FILE.validate_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if all(each.fault.kind in KINDS for each in found.values()) else {}
