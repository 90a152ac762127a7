"""Records and reports accepted rows that a build counts at no province."""

from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb


def record(conn: psycopg.Connection, schema: str, build_id: int) -> list[str]:
    """Insert a build's uncounted rows into the ledger; returns a message per agency. No commit."""
    found = conn.execute(
        sql.SQL(
            """
            select agency_code, metric_code, sum(fact_count)::bigint, sum(money_vnd)::bigint
            from {}
            group by agency_code, metric_code
            order by agency_code, metric_code
            """
        ).format(sql.Identifier(schema, "int_uncounted_facts"))
    ).fetchall()
    facts = [
        {"agency_code": agency, "metric_code": metric, "fact_count": count, "money_vnd": money}
        for agency, metric, count, money in found
    ]
    conn.execute(
        "update ops.build set uncounted = %s where build_id = %s", [Jsonb(facts), build_id]
    )
    return sentences(facts)


def sentences(facts: list[dict[str, Any]] | None) -> list[str]:
    """The uncounted rows in words, per agency and metric."""
    return [
        f"counts at no province: {each['agency_code'] or 'lines without a document'}, "
        f"{each['metric_code']}: {each['fact_count']:,} facts, {each['money_vnd']:,} đồng"
        for each in facts or []
    ]
