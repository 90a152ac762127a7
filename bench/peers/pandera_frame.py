"""pandera on a pandas frame, validated lazily; the frame is read from our landed Parquet."""

import os

import pandas as pd
import pandera.pandas as pa

from bench.measured import measured
from bench.six_rules import FIRST_MONTH, FUNDS, KEY, LAST_MONTH, MOST_MONEY, REQUIRED

_MONEY = pa.Check.in_range(-MOST_MONEY, MOST_MONEY, error="money")
_CHECKS = {
    "quy": [pa.Check.isin(FUNDS, error="fund")],
    "thang": [
        pa.Check(lambda months: months.dt.day == 1, error="first_day"),
        pa.Check.in_range(pd.Timestamp(FIRST_MONTH), pd.Timestamp(LAST_MONTH), error="month"),
    ],
    "tien_goc": [_MONEY],
    "tien_lai": [_MONEY],
}
_RULES = {"not_nullable": "required", "multiple_fields_uniqueness": "key_unique"}


def validate() -> dict[str, int]:
    """Rows that break each rule."""
    frame = pd.read_parquet(os.environ["BENCH_PARQUET"], columns=list(REQUIRED))
    frame = frame.astype({"thang": "datetime64[s]", "tien_goc": "Int64", "tien_lai": "Int64"})
    columns = {name: pa.Column(checks=_CHECKS.get(name, []), nullable=False) for name in REQUIRED}
    counts = dict.fromkeys(["required", "key_unique", "fund", "first_day", "month", "money"], 0)
    try:
        pa.DataFrameSchema(columns, unique=list(KEY)).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        for check, broken in errors.failure_cases["check"].value_counts().items():
            rule = _RULES.get(str(check), str(check))
            counts[rule] = counts.get(rule, 0) + int(broken)
    return counts


if __name__ == "__main__":
    measured(validate)
