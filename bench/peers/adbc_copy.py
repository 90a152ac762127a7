"""ADBC's PostgreSQL driver on both sides: Arrow batches of a query, ingested as they come."""

import adbc_driver_postgresql.dbapi as adbc

from bench.lines import SCHEMA, new_table, query, source_url, target_url
from bench.measured import measured


def fetch_and_ingest() -> str:
    """Ingest the allocation lines."""
    table = new_table("adbc")
    with adbc.connect(source_url()) as source, adbc.connect(target_url()) as target:
        with source.cursor() as read, target.cursor() as write:
            read.execute(query())
            write.adbc_ingest(
                table.removeprefix(f"{SCHEMA}."),
                read.fetch_record_batch(),
                mode="append",
                db_schema_name=SCHEMA,
            )
        target.commit()
    return table


if __name__ == "__main__":
    measured(fetch_and_ingest)
