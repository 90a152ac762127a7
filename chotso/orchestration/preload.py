"""Imported once by the scheduler's fork server, so that tasks do not pay for these imports.

Only libraries that are safe to carry over a fork: no connection, thread or lock is made here.
"""

import contextlib
import gc
import importlib

HEAVY = (
    "great_expectations",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "psycopg",
    "pyarrow.parquet",
    "chotso.ingest.night",
    "chotso.build.dbt",
    "chotso.release.seal.freeze",
)

for _name in HEAVY:
    # A task that needs a missing module fails with its own, clearer message.
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)

# Out of the collector's sight, the pages stay shared between all processes forked from here.
gc.collect()
gc.freeze()
