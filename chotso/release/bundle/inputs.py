"""What a release was made from: landed files, configuration, rules, code, packages, by hash."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from chotso import PROJECT_ROOT
from chotso.provenance import code_sha256, code_version, lock_sha256
from chotso.release.data.canonical import canonical_json

_INPUTS = "select entry from ops.release_inputs(%s) as entry"
_FINAL = "select entry from ops.newest_deliveries(%s) as entry"
_NEWEST = """
    select feed, max(known_at)
    from ops.batch
    where status = 'published' and known_at <= %s and read_mode <> 'replay'
    group by feed
"""


def landed_inputs(conn: psycopg.Connection, as_known_at: datetime) -> list[dict[str, Any]]:
    """Published batches that changed something, and recorded acts, ordered by content.

    Returns:
        Mappings with `feed`, `business_date`, `known_at`, `delivery_name` (files only), `sha256`
        (of the landed file), `delivery_sha256` (of the delivery as it came), `rows_delivered`
        and `money_delivered` (whole đồng, as text); of an act, `act_id`, `kind`, `known_at` and
        `sha256` (of its landed file).
    """
    return _entries(conn, _INPUTS, as_known_at)


def newest_batches(conn: psycopg.Connection, as_known_at: datetime) -> list[dict[str, Any]]:
    """Per feed, the business date and `known_at` of its newest published batch."""
    return _entries(conn, _FINAL, as_known_at)


def newest_knowledge(conn: psycopg.Connection) -> tuple[datetime, date]:
    """The newest known_at of anything published or decided, and the business date.

    Something must have been published.
    """
    row = conn.execute(
        """
        select
            greatest(max(known_at), (select max(act.known_at) from ops.operator_act as act)),
            max(business_date)
        from ops.batch
        where status = 'published'
        """
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def newest_known(conn: psycopg.Connection, as_known_at: datetime) -> dict[str, datetime]:
    """Per feed, the `known_at` of its newest published batch."""
    return dict(conn.execute(_NEWEST.encode(), [as_known_at]).fetchall())


@dataclass(frozen=True)
class MadeBy:
    """Code, packages, configuration and rules that made the figures; files as bytes by path."""

    code_version: str
    code_sha256: str
    lock_sha256: str
    configuration: dict[str, bytes]
    rules: dict[str, bytes]

    def manifest_part(self) -> dict[str, Any]:
        """The entry of the manifest: hashes only; the configuration itself is in the bundle."""
        return {
            "code": {"version": self.code_version, "sha256": self.code_sha256},
            "lock_sha256": self.lock_sha256,
            "configuration": _hashes(self.configuration),
            "rules": _hashes(self.rules),
        }

    def sha256(self) -> str:
        """One hash of everything. A build with another hash is not continued."""
        return hashlib.sha256(canonical_json(self.manifest_part())).hexdigest()


def made_by(root: Path = PROJECT_ROOT) -> MadeBy:
    """Code, packages, configuration and rules of this project, as they are now."""
    return MadeBy(
        code_version=code_version(),
        code_sha256=code_sha256(),
        lock_sha256=lock_sha256(),
        configuration=_files(root, "config", (".yml",)),
        rules=_files(root, "expectations", (".yml", ".sql")),
    )


def _entries(conn: psycopg.Connection, query: str, as_known_at: datetime) -> list[dict[str, Any]]:
    """Entries ordered by content; a seal computes the same with the same SQL functions."""
    found = conn.execute(query.encode(), [as_known_at]).fetchall()
    return sorted((entry for (entry,) in found), key=canonical_json)


def _files(root: Path, folder: str, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in (root / folder).rglob("*")
        if path.is_file() and path.suffix in suffixes
    }
    return dict(sorted(found.items()))


def _hashes(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in files.items()
    ]
