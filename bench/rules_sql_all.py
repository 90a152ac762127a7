"""All rules of the feed by hand: the six, and those that ask for the line's document."""

import psycopg

from bench.lines import SCHEMA, target_url
from bench.measured import measured
from bench.rules_sql import count_broken

_UNKNOWN = f"""
select count(*)
from {SCHEMA}.lines
left join {SCHEMA}.documents using (so_chung_tu)
where documents.so_chung_tu is null
"""
_BEYOND = f"""
with sums as (
    select
        so_chung_tu,
        count(*) as lines,
        sum(coalesce(tien_goc, 0)) + sum(coalesce(tien_lai, 0)) as money
    from {SCHEMA}.lines
    group by so_chung_tu
)

select coalesce(sum(sums.lines), 0)
from sums
inner join {SCHEMA}.documents using (so_chung_tu)
where
    documents.trang_thai = 'HIEU_LUC'
    and (sums.money < least(documents.so_tien, 0) or sums.money > greatest(documents.so_tien, 0))
"""


def count_all_broken() -> dict[str, int]:
    """Rows that break each rule."""
    with psycopg.connect(target_url(), options="-c work_mem=64MB") as connection:
        unknown = connection.execute(_UNKNOWN.encode()).fetchone()
        beyond = connection.execute(_BEYOND.encode()).fetchone()
    assert unknown is not None
    assert beyond is not None
    return count_broken() | {"document_known": int(unknown[0]), "document": int(beyond[0])}


if __name__ == "__main__":
    measured(count_all_broken)
