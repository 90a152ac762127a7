"""States: dbt builds at an instant, each in a scratch schema; the newest are kept.

A figure is explained from the same tables that it was computed from. A state's name is a hash of
all that decides its content: the instant, what had been published and decided by then, the
configuration and the code.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from chotso.build import run_build
from chotso.build.scratch import MARKER
from chotso.errors import ChotsoError
from chotso.provenance import code_version
from chotso.registers import Registers
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold

KEPT = 4
_PREFIX = "explain_"
# Only the models that explanations read. No tests: every explanation checks that it adds up.
_MODELS = (
    "fct_monthly_attainment", "fct_contribution", "fct_employer_account", "dim_agency",
    "dim_metric", "dim_month",
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """A build at an instant, in a schema of its own.

    Attributes:
        as_known_at: The instant asked for, aware.
        config_sha256: Of the configuration that it was built under.
        event_cutoff: What happened at or after it does not count; None where everything does.
        is_new: Whether this call built it.
    """

    schema: str
    as_known_at: datetime
    config_sha256: str
    is_new: bool
    event_cutoff: datetime | None = None


@contextmanager
def holding(settings: Settings) -> Iterator[psycopg.Connection]:
    """A session that holds the lock: no other explanation can make or drop states."""
    with connect(settings) as conn, hold(conn, "explain"):
        yield conn


def shown_instant(conn: psycopg.Connection) -> datetime:
    """The instant of the build that readers see.

    Raises:
        ChotsoError: Nothing is exposed yet.
    """
    row = conn.execute(
        """
        select build.as_known_at
        from ops.exposed as exposed
        inner join ops.build as build on build.build_id = exposed.generation
        """
    ).fetchone()
    if row is None:
        raise ChotsoError(
            "Readers see no figures yet: there is nothing to explain.",
            next_step="run `chotso build`, or name an instant with --known-at.",
        )
    instant: datetime = row[0]
    return instant


def make_state(
    settings: Settings,
    conn: psycopg.Connection,
    instant: datetime,
    registers: Registers,
    event_cutoff: datetime | None = None,
) -> State:
    """The state at an instant under a configuration; it is built if it does not exist.

    Args:
        settings: Where the warehouse is.
        conn: A session from `holding`.
        instant: Aware; what became known later is not in the state.
        registers: The configuration.
        event_cutoff: Aware; what happened at or after it does not count. Default: none.

    Raises:
        ChotsoError: The instant is outside what is known, or a model failed.
    """
    schema = _name(conn, instant, registers, event_cutoff)
    is_new = not _is_built(conn, schema)
    if is_new:
        run_build(
            settings,
            as_known_at=instant,
            event_cutoff=event_cutoff,
            schema=schema,
            config=registers,
            only=_MODELS,
        )
    return State(schema, instant, registers.sha256, is_new, event_cutoff)


def drop_old_states(
    settings: Settings, conn: psycopg.Connection, using: list[State], keep: int = KEPT
) -> list[str]:
    """Drop old states that explanations made, but not those in use; returns their schemas."""
    rows = conn.execute(
        """
        select namespace.nspname
        from pg_namespace as namespace
        where
            namespace.nspname ~ %s
            and obj_description(namespace.oid, 'pg_namespace') = %s
        order by (
            select max(build.build_id) from ops.build as build
            where build.target_schema = namespace.nspname
        ) desc nulls last
        """,
        [f"^{_PREFIX}[0-9a-f]{{12}}$", MARKER],
    ).fetchall()
    used = {state.schema for state in using}
    others = [name for (name,) in rows if name not in used]
    dropped = others[max(keep - len(used), 0) :]
    for name in dropped:
        conn.execute("select ops.drop_scratch_schema(%s)", [name])
        conn.commit()
        shutil.rmtree(settings.home / "dbt" / name, ignore_errors=True)
    return dropped


def _name(
    conn: psycopg.Connection,
    instant: datetime,
    registers: Registers,
    event_cutoff: datetime | None,
) -> str:
    row = conn.execute(
        """
        select
            count(*), max(published_at),
            (select count(*) from ops.operator_act as act where act.known_at <= %(instant)s)
        from ops.batch
        where status = 'published' and known_at <= %(instant)s
        """,
        {"instant": instant},
    ).fetchone()
    conn.commit()
    assert row is not None
    inputs = [
        instant.astimezone(UTC).isoformat(),
        registers.sha256,
        code_version(),
        row[0],
        row[1].astimezone(UTC).isoformat() if row[1] else None,
        row[2],
    ]
    if event_cutoff is not None:
        inputs.append(event_cutoff.astimezone(UTC).isoformat())
    return _PREFIX + hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:12]


def _is_built(conn: psycopg.Connection, schema: str) -> bool:
    row = conn.execute(
        """
        select build.status = 'built' and namespace.oid is not null
        from ops.build as build
        left join pg_namespace as namespace on namespace.nspname = build.target_schema
        where build.target_schema = %s
        order by build.build_id desc
        limit 1
        """,
        [schema],
    ).fetchone()
    conn.commit()
    return bool(row and row[0])
