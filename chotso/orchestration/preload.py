"""Imports libraries once in the scheduler's fork server, so that each task need not.

Only libraries that are safe to fork: importing them makes no connection, thread or lock.
"""

import contextlib
import gc

from chotso import libraries

HEAVY = (
    libraries.GREAT_EXPECTATIONS,
    *libraries.DBT,
    "psycopg",
    "pyarrow.parquet",
    "chotso.ingest.night",
    "chotso.build.dbt",
    "chotso.release.seal.freeze",
)

for _name in HEAVY:
    # A task that needs a missing module fails with its own, clearer message.
    with contextlib.suppress(ImportError):
        libraries.imported(_name)

# Objects that the garbage collector ignores stay in memory pages that all forks share.
gc.collect()
gc.freeze()
