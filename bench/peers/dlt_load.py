"""dlt's fastest way: Arrow batches by ConnectorX, and Parquet that ADBC ingests.

Read with pyarrow it took twice as long, loaded as CSV by COPY four times. dlt makes its own
schema and a logged table.
"""

import tempfile

import dlt
from dlt.sources.sql_database import sql_table

from bench.lines import RELATION, source_url, target_url
from bench.measured import measured

_DATASET = "bench_dlt"


def run_pipeline() -> str:
    """Load all allocation lines."""
    schema, table = RELATION.split(".")
    with tempfile.TemporaryDirectory(prefix="bench-dlt-") as folder:
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.postgres(credentials=target_url()),
            dataset_name=_DATASET,
            pipelines_dir=folder,
        )
        lines = sql_table(
            credentials=source_url(),
            schema=schema,
            table=table,
            backend="connectorx",
            reflection_level="full_with_precision",
        )
        pipeline.run(lines, loader_file_format="parquet", write_disposition="replace")
    return f"{_DATASET}.{table}"


if __name__ == "__main__":
    measured(run_pipeline)
