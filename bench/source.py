"""A collection system of a given size: documents with four allocation lines each, and a clock."""

import psycopg

from bench.night import NOW
from chotso.sandbox.province import tables

LINES_A_DOCUMENT = 4

_DOCUMENTS = """
insert into tst.chung_tu
select
    'CT' || lpad(number::text, 9, '0'),
    'YA' || lpad(mod(number, 4000)::text, 4, '0') || 'Z',
    '0720' || mod(number, 10),
    'UNC',
    timestamptz '2021-01-01 08:00:00+07' + mod(number, 360) * interval '1 day',
    (1000000 + number) * 4,
    'HIEU_LUC',
    timestamptz '2021-01-01 09:00:00+07' + mod(number, 360) * interval '1 day',
    case
        when number <= %(night)s then timestamptz '2021-12-28 09:00:00+07'
        else timestamptz '2021-06-30 09:00:00+07'
    end
from generate_series(1, %(documents)s) as number
"""
_LINES = """
insert into tst.phan_bo
select
    document.so_chung_tu,
    line,
    (array['HTTT', 'ODTS', 'BHTN', 'BHYT'])[line],
    date_trunc('month', document.ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')::date,
    document.so_tien / 4 - 1000 * line,
    1000 * line,
    document.ngay_sua
from tst.chung_tu as document
cross join generate_series(1, 4) as line
"""


def make_source(source_admin_url: str, lines: int, night_lines: int) -> None:
    """Replace schema `tst` by a new one with this many allocation lines.

    Args:
        source_admin_url: A superuser's URL of the database `tst`.
        lines: All allocation lines.
        night_lines: How many of them changed in the last night.
    """
    counts = {"documents": lines // LINES_A_DOCUMENT, "night": night_lines // LINES_A_DOCUMENT}
    with psycopg.connect(source_admin_url, autocommit=True) as connection:
        with connection.transaction():
            tables.create_schema(connection)
            connection.execute(_DOCUMENTS, counts)
            connection.execute(_LINES)
            tables.finish_schema(connection)
            connection.execute("insert into tst.dong_ho values (1, %s)", [NOW])
        connection.execute("vacuum (analyze) tst.chung_tu, tst.phan_bo")
