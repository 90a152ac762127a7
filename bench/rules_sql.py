"""The floor of the rules: what one who needs nothing but six numbers would write."""

import psycopg

from bench.lines import SCHEMA, target_url
from bench.measured import measured
from bench.six_rules import FIRST_MONTH, FUNDS, KEY, LAST_MONTH, MOST_MONEY, REQUIRED

_MONEY = f"between {-MOST_MONEY} and {MOST_MONEY}"
_BROKEN = {
    "required": " or ".join(f"{name} is null" for name in REQUIRED),
    "fund": f"quy not in {FUNDS}",
    "first_day": "extract(day from thang) <> 1",
    "month": f"thang not between date '{FIRST_MONTH}' and date '{LAST_MONTH}'",
    "money": f"tien_goc not {_MONEY} or tien_lai not {_MONEY}",
}
_COUNTS = ", ".join(f"count(*) filter (where {broken})" for broken in _BROKEN.values())
_KEY = ", ".join(KEY)
_REPEATED = f"""
select coalesce(sum(times), 0)
from (
    select count(*) as times from {SCHEMA}.lines group by {_KEY} having count(*) > 1
) as repeated
"""


def count_broken() -> dict[str, int]:
    """Rows that break each rule."""
    with psycopg.connect(target_url(), options="-c work_mem=64MB") as connection:
        found = connection.execute(f"select {_COUNTS} from {SCHEMA}.lines".encode()).fetchone()
        repeated = connection.execute(_REPEATED.encode()).fetchone()
    assert found is not None
    assert repeated is not None
    return dict(zip(_BROKEN, found, strict=True)) | {"key_unique": int(repeated[0])}


if __name__ == "__main__":
    measured(count_broken)
