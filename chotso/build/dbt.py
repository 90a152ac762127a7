"""A build: dbt computes all models from raw, the configuration and two instants.

Each build is recorded in `ops.build`.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from chotso import telemetry
from chotso.build import counted, kept, orphans, uncounted
from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.build.expose import expose, tidy
from chotso.build.knowledge import Knowledge, knowledge_at
from chotso.build.node_ledger import mark_killed
from chotso.build.runner import WHOLE, DbtSummary, run_dbt
from chotso.build.scratch import claim_scratch_schema, drop_foreign_keys
from chotso.build.watchers import watchers
from chotso.contracts import contracts
from chotso.errors import BusyError, ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest.control_totals import refuse_unproven
from chotso.ingest.rules import register
from chotso.provenance import code_version
from chotso.registers import Registers, load_registers, parse_registers
from chotso.settings import Settings
from chotso.waits import watched
from chotso.warehouse import statistics
from chotso.warehouse.connect import connect, login_session
from chotso.warehouse.locks import hold

ConfigChoice = Literal["as-of", "current"]
_NOT_TOLD = telemetry.Step()
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildReport:
    """The result of a build: its number, its schema, and whether readers see it.

    `base_build_id`: the build whose sums over persons it added changes to; None: it counted all.
    """

    build_id: int
    schema: str
    as_known_at: datetime
    event_cutoff: datetime | None
    exposed: bool
    base_build_id: int | None
    models: int
    tests: int
    seconds: float
    notes: list[str]


def run_build(
    settings: Settings,
    *,
    as_known_at: datetime | None = None,
    event_cutoff: datetime | None = None,
    schema: str | None = None,
    config: ConfigChoice | Registers = "as-of",
    only: Sequence[str] = (),
    is_whole: bool = False,
    is_parsed_anew: bool = False,
) -> BuildReport:
    """Build and test all models and, without `schema`, show them to readers by one switch.

    Args:
        settings: Where the warehouse is.
        as_known_at: Aware instant; facts that became known later are left out. Default: everything
            published and every act recorded. A given instant uses the configuration of the newest
            exposed build at or before it.
        event_cutoff: Aware instant; events at or after it do not count. Default: none.
        schema: A scratch schema to build into; readers do not see it. Required with an instant.
        config: "current" means today's configuration, whatever `as_known_at` says. Registers are
            used as they are.
        only: Build only these models and those that they depend on, without tests. A build for
            readers is always complete.
        is_whole: Count all persons. Without it, a build for readers adds the changed ones to what
            the last one kept, if that fits (`chotso.build.kept`); a scratch build counts all.
        is_parsed_anew: Do not use the parsed dbt project that an earlier process cached.

    Raises:
        ChotsoError: Nothing is published yet; or the instant is outside the known time; or the
            schema is no scratch schema; or a model or test failed; or, for readers, control totals
            differ. Readers then see the same build as before.
        BusyError: Another build of the same schema took too long.
    """
    started = time.monotonic()
    _refuse_wrong_arguments(as_known_at, event_cutoff, schema, only)
    target = schema or NIGHTLY_SCHEMA
    with (
        telemetry.step("build", target) as step,
        connect(settings) as conn,
        hold(conn, f"build {target}"),
    ):
        knowledge = knowledge_at(conn, as_known_at)
        registers = configuration_at(conn, as_known_at, config)
        if schema is not None:
            claim_scratch_schema(conn, schema)
        orphans.end(conn, target)
        counted = None if schema else _counting(conn, knowledge, registers, is_whole=is_whole)
        base = counted.base if counted else None
        changed: list[str] = []  # marts of which rows changed
        build_id = _begin(conn, knowledge, event_cutoff, target, registers, base)
        failpoint("build.begun")
        try:
            if schema is None:
                refuse_unproven(conn)
            drop_foreign_keys(conn, target)
            statistics.gather(conn)
            variables = build_variables(registers, knowledge.as_known_at, event_cutoff)
            variables["kept_as_known_at"] = _instant(base.as_known_at) if base else None
            call = (variables, _command(only), is_parsed_anew, step)
            summary = _run_watched(settings, build_id, target, *call)
            failpoint("build.built")
            notes = [] if only else uncounted.record(conn, target, build_id)
            if counted is not None:
                changed = _show(conn, build_id, target, knowledge, counted)
            _finish(conn, build_id, "built" if schema else "exposed")
        except BaseException as error:
            _finish_failed(conn, build_id, error)
            raise
        failpoint("build.exposed")
        tidy(conn, changed)
    return BuildReport(
        build_id=build_id,
        schema=target,
        as_known_at=knowledge.as_known_at,
        event_cutoff=event_cutoff,
        exposed=schema is None,
        base_build_id=base.build_id if base else None,
        models=summary.models,
        tests=summary.tests,
        seconds=round(time.monotonic() - started, 1),
        notes=notes,
    )


def _command(only: Sequence[str]) -> tuple[str, ...]:
    """Dbt's command: for some models and those that they depend on, or for everything."""
    return ("run", "--select", *(f"+{model}" for model in only)) if only else WHOLE


def _show(
    conn: psycopg.Connection,
    build_id: int,
    schema: str,
    knowledge: Knowledge,
    counted: kept.Counting,
) -> list[str]:
    """Show the build to readers and keep its sums; returns the marts of which rows changed."""
    with conn.transaction():
        changed = expose(conn, schema, build_id)
        kept.keep(conn, build_id, knowledge.as_known_at, counted)
    return changed


def _counting(
    conn: psycopg.Connection, knowledge: Knowledge, registers: Registers, *, is_whole: bool
) -> kept.Counting:
    found = kept.counting(
        conn, knowledge.as_known_at, knowledge.business_date, registers.sha256, is_whole=is_whole
    )
    if found.base is None:
        _LOG.info("all persons are counted: %s", found.why_whole)
    else:
        _LOG.info("persons who changed since build %s are counted", found.base.build_id)
    return found


def _run_watched(
    settings: Settings,
    build_id: int,
    schema: str,
    variables: dict[str, Any],
    command: tuple[str, ...],
    is_parsed_anew: bool,
    step: telemetry.Step = _NOT_TOLD,
) -> DbtSummary:
    """Run dbt with its own session name, and report the sessions that it waits for."""
    name = orphans.session_name(build_id, schema)
    with watched(partial(login_session, settings), name=name) as watch:
        try:
            told = watchers(settings, build_id, schema, step)
            return run_dbt(settings, schema, variables, command, name, is_parsed_anew, told)
        except ChotsoError as error:
            if watch.holders is None:
                raise
            raise BusyError(
                f"{error.what} It waited for a lock held by {watch.holders}.",
                kept=error.kept,
                next_step="wait for that session, or have its owner end it "
                f"(`select pg_terminate_backend(pid)`), then build again; else {error.next_step}",
            ) from error


def build_variables(
    registers: Registers, as_known_at: datetime, event_cutoff: datetime | None
) -> dict[str, Any]:
    """All variables of the dbt project, as JSON types only."""
    metrics = registers.metrics.model_dump(mode="json")
    measures = registers.measures.model_dump(mode="json", by_alias=True)
    return {
        "as_known_at": _instant(as_known_at),
        "event_cutoff": _instant(event_cutoff) if event_cutoff else None,
        "first_year": measures.pop("first_year"),
        "metrics": metrics["metrics"],
        "funds": metrics["funds"],
        "measures": measures,
        "periods": [period.model_dump(mode="json") for period in registers.periods],
        "labels": {**registers.labels.model_dump(mode="json")["labels"], **_known_labels()},
    }


def _known_labels() -> dict[str, list[dict[str, str]]]:
    """Labels from other files: feeds from their contracts, rules from their register."""
    titles = {feed: contract.title.split(" — ", 1) for feed, contract in contracts().items()}
    rules = register()
    return {
        "feed": [_label(feed, title[0], title[-1]) for feed, title in titles.items()],
        "rule": [_label(rule.id, rule.sentence_vi, rule.sentence_en) for rule in rules],
        "next_action": [
            _label(rule.id, rule.next_action_vi, rule.next_action_en) for rule in rules
        ],
    }


def _label(code: str, vi: str, en: str) -> dict[str, str]:
    return {"code": code, "vi": vi, "en": en}


def _instant(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo("UTC")).isoformat(timespec="microseconds")


def _refuse_wrong_arguments(
    as_known_at: datetime | None,
    event_cutoff: datetime | None,
    schema: str | None,
    only: Sequence[str],
) -> None:
    if only and schema is None:
        raise ValueError("a build for readers is whole")
    for name, instant in (("as-known-at", as_known_at), ("cutoff", event_cutoff)):
        if instant is None:
            continue
        if schema is None:
            raise ChotsoError(
                f"A build with --{name} cannot be shown to readers.",
                kept="nothing was built.",
                next_step="give a scratch schema with --schema.",
            )
        if instant.tzinfo is None:
            raise ChotsoError(
                f"--{name} {instant} has no time zone.",
                kept="nothing was built.",
                next_step="give it as e.g. 2021-12-31T17:00:00+07:00.",
            )


def configuration_at(
    conn: psycopg.Connection,
    as_known_at: datetime | None,
    config: ConfigChoice | Registers = "as-of",
) -> Registers:
    """The configuration of the newest build that was exposed at or before an instant."""
    if isinstance(config, Registers):
        return config
    if as_known_at is None or config == "current":
        return load_registers()
    row = conn.execute(
        """
        select config, build_id from ops.build
        where exposed_at is not null and as_known_at <= %s
        order by as_known_at desc, build_id desc
        limit 1
        """,
        [as_known_at],
    ).fetchone()
    conn.commit()
    if row is None:
        return load_registers()
    return parse_registers(row[0], source=f"the configuration of build {row[1]}")


def _begin(
    conn: psycopg.Connection,
    knowledge: Knowledge,
    event_cutoff: datetime | None,
    schema: str,
    registers: Registers,
    base: kept.Kept | None,
) -> int:
    with conn.transaction():
        # we hold the schema's lock, so the processes that wrote these rows have ended
        conn.execute(
            """
            update ops.build
            set status = 'failed', reason = 'ended without finishing',
                finished_at = clock_timestamp()
            where target_schema = %s and status = 'running'
            """,
            [schema],
        )
        mark_killed(conn, schema)
        row = conn.execute(
            """
            insert into ops.build (business_date, as_known_at, event_cutoff, target_schema,
                config, config_sha256, code_version, base_build_id, is_refresh, status)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'running')
            returning build_id
            """,
            [
                knowledge.business_date,
                knowledge.as_known_at,
                event_cutoff,
                schema,
                Jsonb(registers.configuration),
                registers.sha256,
                code_version(),
                base.build_id if base else None,
                knowledge.is_refresh,
            ],
        ).fetchone()
        assert row is not None
        counted.count_in(conn, row[0])
    conn.commit()
    return int(row[0])


def _finish(conn: psycopg.Connection, build_id: int, status: str) -> None:
    conn.execute(
        "update ops.build set status = %s, finished_at = clock_timestamp() where build_id = %s",
        [status, build_id],
    )
    conn.commit()


def _finish_failed(conn: psycopg.Connection, build_id: int, error: BaseException) -> None:
    if conn.closed or conn.broken:
        return
    conn.rollback()
    reason = error.what if isinstance(error, ChotsoError) else type(error).__name__
    conn.execute(
        "update ops.build set status = 'failed', reason = %s, finished_at = clock_timestamp() "
        "where build_id = %s",
        [reason, build_id],
    )
    conn.commit()
