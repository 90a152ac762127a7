"""The rules through Great Expectations, the engine that judges every batch.

It lends the query's braces to str.format, its colons to SQLAlchemy's text(), and gives {batch} an
alias of its own unless it sees a join.
"""

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chotso.ingest.rules import rules_of
from chotso.settings import Settings
from tests.ingest.rules.batches import facts_of, fill_raw, make_batch
from tests.ingest.rules.casebook import casebooks

pytestmark = pytest.mark.warehouse


@pytest.fixture(scope="module")
def source(settings: Settings) -> Any:
    import great_expectations as gx

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    variables: Any = context.variables
    variables.progress_bars = {"globally": False}
    sources: Any = context.data_sources
    return sources.add_postgres(
        "rules",
        connection_string=settings.warehouse_url.replace("postgresql://", "postgresql+psycopg://"),
        kwargs={"connect_args": {"options": "-c role=chotso_loader -c timezone=UTC"}},
    )


@pytest.fixture
def committed(loader: psycopg.Connection, settings: Settings) -> Iterator[psycopg.Connection]:
    """Great Expectations reads in its own session, so what it reads must stand until the end."""
    loader.rollback()
    yield loader
    loader.rollback()
    assert settings.admin_url is not None
    with psycopg.connect(settings.admin_url) as admin:
        raw = sql.SQL(", ").join(sql.Identifier("raw", feed) for feed in casebooks())
        admin.execute(sql.SQL("truncate {}").format(raw))
        made = admin.execute("select tablename from pg_tables where schemaname = 'landing'")
        for (name,) in made.fetchall():
            admin.execute(sql.SQL("drop table {}").format(sql.Identifier("landing", name)))


def _batch(source: Any, batch_id: str) -> Any:
    # Quoted: the engine takes a name as it is, and a batch's has hyphens.
    asset = source.add_table_asset(batch_id, table_name=f'"{batch_id}"', schema_name="landing")
    return asset.add_batch_definition_whole_table("whole").get_batch()


def _validate(batch: Any, queries: list[str]) -> list[dict[str, Any]]:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.core.unexpected_rows_expectation import (
        UnexpectedRowsExpectation,
    )

    suite = ExpectationSuite(
        name="rules",
        expectations=[
            UnexpectedRowsExpectation(unexpected_rows_query=query, meta={"number": number})
            for number, query in enumerate(queries)
        ],
    )
    results = batch.validate(suite, result_format={"result_format": "BASIC"}).results
    by_number = {r.expectation_config.meta["number"]: r.result for r in results}
    return [by_number[number] for number in range(len(queries))]


@pytest.mark.parametrize("feed", casebooks())
def test_every_rule_runs_and_finds(committed: psycopg.Connection, source: Any, feed: str) -> None:
    book = casebooks()[feed]
    batch_id = f"{feed}-20211231-000001"
    fill_raw(committed, book.raw)
    make_batch(committed, batch_id, book, [{}, book.bad.row])
    committed.commit()
    rules = rules_of(feed)
    queries = [rule.query(facts_of(book, rows=2)) for rule in rules]
    found = _validate(_batch(source, batch_id), queries)
    counts = {rule.name: r["observed_value"] for rule, r in zip(rules, found, strict=True)}
    assert {name for name, count in counts.items() if count} == {book.bad.breaks}, counts


def test_without_the_rendering_the_engine_refuses_what_postgres_takes(
    committed: psycopg.Connection, source: Any
) -> None:
    book = casebooks()["agencies"]
    make_batch(committed, "agencies-20211231-000002", book, [{}])
    committed.commit()
    naive = "select row_no, 'x' as detail from {batch} as delivered where ma_co_quan ~ '^[0-9]+$'"
    committed.execute(naive.format(batch='landing."agencies-20211231-000002"').encode())
    (result,) = _validate(_batch(source, "agencies-20211231-000002"), [naive])
    assert "observed_value" not in result
