"""Whether a warehouse holds what an undisturbed night leaves, and whether its ledger adds up."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from chotso.settings import Settings
from tests.faults.content import Content, content

_SHOWN = 4


@dataclass
class Verdict:
    """Rows lost, rows there twice or wrongly, batches that do not add up, and what is wrong."""

    lost: int = 0
    duplicated: int = 0
    unbalanced: int = 0
    told: list[str] = field(default_factory=list)


def verdict(url: str, settings: Settings, wanted: Content) -> Verdict:
    """Compare content, ledger, control totals, landing tables and archive with what must be.

    Args:
        url: The superuser's URL of the warehouse.
        settings: Where its archive is.
        wanted: What the undisturbed night left.
    """
    return judged(url, settings, content(url), wanted)


def judged(url: str, settings: Settings, found: Content, wanted: Content) -> Verdict:
    """The same for a content that was read already."""
    final = Verdict()
    for name in sorted(found.keys() | wanted.keys()):
        here, there = Counter(found.get(name, [])), Counter(wanted.get(name, []))
        lost, extra = there - here, here - there
        final.lost += lost.total()
        final.duplicated += extra.total()
        final.told += [f"{name}: lost {row}" for row in list(lost)[:_SHOWN]]
        final.told += [f"{name}: one too many {row}" for row in list(extra)[:_SHOWN]]
    with psycopg.connect(url) as conn:
        final.unbalanced = _count(conn, _UNBALANCED)
        for what, query in _MUST_BE_NONE.items():
            if number := _count(conn, query):
                final.told.append(f"{number} {what}")
        final.told += _archive(conn, Path(settings.landing_url))
    return final


_UNBALANCED = """
select count(*)
from ops.batch
where status = 'published' and (
    rows_delivered is distinct from rows_accepted + rows_quarantined
    or money_delivered is distinct from money_accepted + money_quarantined
    or rows_delivered is distinct from (landing_files -> 'data' ->> 'rows')::bigint
)
"""

_MUST_BE_NONE = {
    "unbalanced batches": _UNBALANCED,
    "batches left in work": "select count(*) from ops.batch where status = 'running'",
    "landing tables left": "select count(*) from pg_tables where schemaname = 'landing'",
    "months whose totals differed": "select count(*) from ops.control_total "
    "where status <> 'equal'",
    "positions of batches that were not published": "select count(*) from ops.feed_position "
    "join ops.batch using (batch_id) where status <> 'published'",
    "locks held": "select count(*) from pg_locks where locktype = 'advisory' "
    "and database = (select oid from pg_database where datname = current_database())",
    "deliveries published twice": "select count(*) from (select from ops.batch "
    "where status = 'published' and delivery_name is not null and read_mode = 'file' "
    "group by feed, delivery_name, delivery_sha256 having count(*) > 1) as twice",
}


def _count(conn: psycopg.Connection, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _archive(conn: psycopg.Connection, root: Path) -> list[str]:
    """Every landed batch's folder is whole, and every original is what its name says."""
    told = []
    for batch_id, folder, files in conn.execute(
        "select batch_id, landing_path, landing_files from ops.batch "
        "where landed_at is not null and known_at > (select min(known_at) from ops.batch)"
    ):
        manifest = root / folder / "manifest.json"
        if not manifest.exists() or json.loads(manifest.read_text())["batch_id"] != batch_id:
            told.append(f"{batch_id} has no manifest")
        for role, kept in files.items():
            if "sha256" in kept and _sha256(root / kept["path"]) != kept["sha256"]:
                told.append(f"{batch_id}: {role} is not what was landed")
    for original in root.glob("originals/*/*"):
        if not original.name.startswith(".") and _sha256(original) != original.parent.name:
            told.append(f"{original} is not what its name says")
    return told


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "missing"
