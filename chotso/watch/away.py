"""What was told while the warehouse was away: kept in a file, and written down when it is back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from chotso.folder import locked, write_private
from chotso.incident_kinds import KINDS
from chotso.watch.fault import Fault
from chotso.watch.incident import Incident


@dataclass
class Told:
    """A fault that could not be written down, and the routes that were told of it."""

    fault: Fault
    opened_at: datetime
    routes: list[str] = field(default_factory=list)

    def as_incident(self) -> Incident:
        """It, as the routes take it; number 0 says that the ledger does not know it yet."""
        shown = {name: getattr(self.fault, name) for name in _SHOWN}
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


_SHOWN = (
    "kind", "subject", "business_date", "period_id", "what", "kept", "next_step", "dag_id",
    "task_id", "log_url",
)  # fmt: skip


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
            write_private(path, json.dumps({k: _plain(v) for k, v in told.items()}) + "\n")
        else:
            path.unlink(missing_ok=True)


def write_down(conn: psycopg.Connection, told: dict[str, Told]) -> None:
    """Insert what was told as incidents, with the notices that were sent; commits."""
    with conn.transaction():
        for each in told.values():
            incident = each.as_incident()
            row = conn.execute(
                """
                insert into ops.incident (
                    kind, subject, business_date, period_id, severity, what, kept, next_step,
                    dag_id, task_id, log_url, opened_at, last_seen_at
                )
                values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                on conflict (kind, subject, business_date) do update
                set
                    ended_at = null, ended_by = null, end_reason = null,
                    fault_count = incident.fault_count + 1
                returning incident_id
                """,
                [
                    *(getattr(incident, name) for name in _SHOWN[:4]),
                    incident.severity,
                    *(getattr(incident, name) for name in _SHOWN[4:]),
                    each.opened_at,
                    each.opened_at,
                ],
            ).fetchone()
            assert row is not None
            conn.cursor().executemany(
                "insert into ops.incident_notice (incident_id, event, route, sent_at) "
                "values (%s, 'opened', %s, clock_timestamp()) on conflict do nothing",
                [(row[0], route) for route in each.routes],
            )
    conn.commit()
    told.clear()


def _read(path: Path) -> dict[str, Told]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {key: _told(each) for key, each in found.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _told(found: dict[str, Any]) -> Told:
    fault = {name: found["fault"][name] for name in _SHOWN}
    fault["business_date"] = date.fromisoformat(fault["business_date"])
    if fault["kind"] not in KINDS:
        raise KeyError(fault["kind"])
    return Told(Fault(**fault), datetime.fromisoformat(found["opened_at"]), found["routes"])


def _plain(told: Told) -> dict[str, Any]:
    fault = asdict(replace(told.fault, about=frozenset()))
    fault = {name: fault[name] for name in _SHOWN}
    fault["business_date"] = told.fault.business_date.isoformat()
    return {
        "fault": fault,
        "opened_at": told.opened_at.isoformat(),
        "routes": told.routes,
    }
