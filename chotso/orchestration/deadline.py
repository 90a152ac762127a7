"""Which periods are due to be frozen, by the source's clock and the sealed releases."""

import time
from datetime import datetime, timedelta

import psycopg

from chotso.registers import load_registers
from chotso.settings import Settings
from chotso.source.database import open_snapshot
from chotso.warehouse.connect import connect

# A schedule runs by this machine's clock; the source's clock may be a little behind.
CLOCK_SKEW = timedelta(minutes=5)
POLL_S = 1.0


def periods_due(settings: Settings) -> list[str]:
    """Periods whose cutoff has passed and that have no sealed release, by cutoff.

    Periods with the same cutoff come in the register's order, which is their order in the chain.

    If a cutoff is less than five minutes away, this waits for it.
    """
    with connect(settings) as conn:
        sealed = sealed_periods(conn)
    unsealed = {p.id: p.cutoff_at for p in load_registers().periods if p.id not in sealed}
    now = source_now(settings)
    near = [at for at in unsealed.values() if now < at <= now + CLOCK_SKEW]
    deadline = time.monotonic() + CLOCK_SKEW.total_seconds()
    while near and now < max(near) and time.monotonic() < deadline:
        time.sleep(POLL_S)
        now = source_now(settings)
    due = [period_id for period_id, at in unsealed.items() if at <= now]
    return sorted(due, key=lambda period_id: unsealed[period_id])


def source_now(settings: Settings) -> datetime:
    """The source's clock."""
    with open_snapshot(settings.source_url) as snapshot:
        return snapshot.known_at


def sealed_periods(conn: psycopg.Connection) -> set[str]:
    """Periods that have a sealed release."""
    found = conn.execute(
        "select period_id from frozen.release where kind = 'original' and sealed_at is not null"
    ).fetchall()
    return {row[0] for row in found}
