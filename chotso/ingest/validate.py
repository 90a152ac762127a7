"""Applies every rule of a feed to a batch, through Great Expectations in the warehouse's database.

A row rule that fails writes its rows into the batch's verdict table. A rule of severity `block`
stops the batch. Results have counts, never values.
"""

import logging
import os
import socket
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.exc import OperationalError

from chotso import libraries
from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, commit_landing, verdict_table
from chotso.ingest.rules import Rule, RuleFacts, rules_of
from chotso.masking import without_values
from chotso.settings import Settings
from chotso.urls import one_host, sqlalchemy_url
from chotso.waits import watched
from chotso.warehouse.connect import LOADER_ROLE, SESSION, login_session

_SESSION_NAME = f"chotso rules of {socket.gethostname()[:30]}/{os.getpid()}"
_ASSET = "batch"


@dataclass(frozen=True)
class RuleResult:
    """What one rule found in one batch."""

    rule: Rule
    rows_failed: int
    detail: str | None


def validate(
    settings: Settings, conn: psycopg.Connection, contract: Contract, batch: LandedBatch
) -> list[RuleResult]:
    """Judge a loaded batch; writes its verdict table and commits.

    Raises:
        ChotsoError: The feed has no rules, or a rule could not be run.
    """
    facts = _facts(batch)
    rules = rules_of(contract.feed)
    table = batch_table(batch.batch_id).as_string(conn)
    queries = [rule.query(facts) for rule in rules]
    counts = _run(settings, batch.batch_id, rules, queries)
    verdicts = verdict_table(batch.batch_id)
    conn.execute(sql.SQL("drop table if exists {}").format(verdicts))
    conn.execute(
        sql.SQL(
            "create unlogged table {} "
            "(row_no bigint, rule_id text not null, rule_order int not null, detail text)"
        ).format(verdicts)
    )
    results = []
    for order, (rule, query, failed) in enumerate(zip(rules, queries, counts, strict=True)):
        detail = (
            _mark(conn, batch.batch_id, rule, order, query.format(batch=table)) if failed else None
        )
        results.append(RuleResult(rule, failed, detail))
    conn.execute(sql.SQL("analyze {}").format(verdicts))
    commit_landing(conn)
    return results


def _facts(batch: LandedBatch) -> RuleFacts:
    return RuleFacts(
        known_at=batch.known_at,
        business_date=batch.business_date,
        month=batch.landed.facts.month,
        rows=batch.landed.data.rows,
    )


def _mark(
    conn: psycopg.Connection, batch_id: str, rule: Rule, order: int, query: str
) -> str | None:
    """Insert the rows that broke a rule into the verdict table; returns the detail of one."""
    statement = sql.SQL(
        "insert into {} select row_no, {}, {}, detail from ({}) as broken returning detail"
    ).format(
        verdict_table(batch_id),
        sql.Literal(rule.id),
        sql.Literal(order),
        sql.SQL(query),
    )
    row = conn.execute(statement).fetchone()
    return row[0] if row else None


def _run(settings: Settings, batch_id: str, rules: list[Rule], queries: list[str]) -> list[int]:
    """The number of failed rows per rule, in the given order."""
    libraries.imported(libraries.GREAT_EXPECTATIONS)
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    with watched(partial(login_session, settings), name=_SESSION_NAME) as watch:
        try:
            outcome = _outcome(settings, batch_id, rules, queries)
        except (TestConnectionError, OperationalError) as error:
            raise _no_connection(batch_id, str(error)) from error
    by_rule: dict[str, Any] = {}
    for result in outcome.results:
        assert result.expectation_config is not None
        by_rule[result.expectation_config.meta["rule_id"]] = result
    counts = []
    for rule in rules:
        result = by_rule[rule.id]
        if watch.holders and "LockNotAvailable" in str(result.exception_info):
            raise watch.busy()
        if result.exception_info and result.exception_info.get("raised_exception", False):
            raise _could_not_run(batch_id, rule, result.exception_info)
        failed = result.result.get("observed_value")
        if failed is None:
            raise _could_not_run(batch_id, rule, result.exception_info)
        counts.append(int(failed))
    return counts


def _outcome(settings: Settings, batch_id: str, rules: list[Rule], queries: list[str]) -> Any:
    """Great Expectations' result for the batch's table."""
    import great_expectations as gx

    from chotso.ingest.rule_expectation import ExpectNoRowToBreakRule

    suite = gx.ExpectationSuite(
        name=batch_id,
        expectations=[
            ExpectNoRowToBreakRule(unexpected_rows_query=query, meta={"rule_id": rule.id})
            for rule, query in zip(rules, queries, strict=True)
        ],
    )
    asset = _gx_asset(settings.warehouse_url, batch_id)
    batch = asset.get_batch(asset.build_batch_request())
    return batch.validate(suite, result_format={"result_format": "BASIC"})


def _gx_asset(url: str, table: str) -> Any:
    """The context's only asset, set to the batch's table.

    A context serialises all its assets whenever one is added or removed, so one asset is reused.
    """
    source = _gx_source(url)
    if not source.assets:
        return source.add_table_asset(_ASSET, table_name=table, schema_name="landing")
    asset = source.get_asset(_ASSET)
    asset.table_name = table
    return asset


def _no_connection(batch_id: str, said: str) -> ChotsoError:
    return ChotsoError(
        f"The rules over batch {batch_id} lost the warehouse, or found no way to it: {said[:500]}",
        kept="nothing of the batch was published; its landing stands.",
        next_step="see that the server runs and make room on the server's disk if it is full, "
        "then run the same command again.",
    )


def _could_not_run(batch_id: str, rule: Rule, info: Any) -> ChotsoError:
    if "OperationalError" in str(info):
        return _no_connection(batch_id, _message(info))
    return ChotsoError(
        f"Rule {rule.id} could not be run over batch {batch_id}: {_message(info)}",
        kept="nothing of the batch was published; its landing stands.",
        next_step=f"mend {rule.path} and run the same command again.",
    )


def _message(info: Any) -> str:
    """Why Great Expectations could not run a rule, without values that the server quotes."""
    tried = [info, *info.values()] if isinstance(info, dict) else []
    for each in tried:
        if isinstance(each, dict) and "exception_message" in each:
            return without_values(str(each["exception_message"]))
    return "no result"


@cache
def _gx_source(url: str) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context.data_sources.add_postgres(  # type: ignore[call-arg]
        "warehouse",
        # every character is quoted: Great Expectations would replace `$NAME` by a variable
        connection_string=sqlalchemy_url(one_host(url)),
        kwargs={
            "connect_args": {
                "options": f"-c role={LOADER_ROLE} {SESSION}",
                "application_name": _SESSION_NAME,
            },
            "pool_pre_ping": True,  # the server may have restarted since the last batch
        },
    )
