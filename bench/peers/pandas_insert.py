"""pandas alone: `to_sql` as it comes."""

from functools import partial

from bench.measured import measured
from bench.peers.frames import read_and_write

if __name__ == "__main__":
    measured(partial(read_and_write, "pandas_insert"))
