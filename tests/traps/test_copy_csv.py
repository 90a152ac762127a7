"""COPY ... (FORMAT csv) reads less, or other, than the file says."""

import psycopg
import pytest

from chotso.contracts import contract_of
from chotso.ingest.night import extract_group
from tests.traps.world import DAY, begin, in_force, tables, write
from tests.worlds.product import Product

pytestmark = pytest.mark.warehouse

FILE = b"1,a\n\\.\n2,b\n"
_MARK_IS_DATA = 180000  # from PostgreSQL 18 on a lone \. in a CSV file is data


def _copied(conn: psycopg.Connection, content: bytes, options: str) -> list[tuple[str, ...]]:
    conn.execute("create temporary table trap (number text, name text) on commit drop")
    with conn.cursor() as cursor, cursor.copy(f"copy trap from stdin ({options})".encode()) as copy:
        copy.write(content)
    return conn.execute("select number, name from trap").fetchall()


def test_a_lone_mark_of_the_end_in_the_source(warehouse: Product, conn: psycopg.Connection) -> None:
    r"""Before version 18 a line of \. alone ends a COPY in silence; from then on it is data."""
    try:
        found = _copied(conn, FILE, "format csv")
    except psycopg.Error:
        found = []
    assert len(found) < 3, "the twin loses or refuses rows around the mark"
    if conn.info.server_version < _MARK_IS_DATA:
        assert found == [("1", "a")]

    begin(warehouse)
    rows = tables()
    rows["don_vi"][0]["ten"] = "\\."
    rows["don_vi"].append({**rows["don_vi"][0], "ma_don_vi": "TA0002A", "ten": "a\n\\.\nb"})
    write(warehouse, rows)
    assert not extract_group(warehouse.settings, "registers", DAY).stopped
    assert in_force(warehouse, "employers", "ma_don_vi, ten") == [
        ("TA0001A", "\\."),
        ("TA0002A", "a\n\\.\nb"),
    ]


def test_reordered_columns_load_swapped(warehouse: Product, conn: psycopg.Connection) -> None:
    """A header is skipped, not read, unless it is to match."""
    swapped = b"name,number\na,1\n"
    assert _copied(conn, swapped, "format csv, header") == [("a", "1")]
    conn.rollback()
    with pytest.raises(psycopg.Error):
        _copied(conn, swapped, "format csv, header match")

    begin(warehouse)
    with psycopg.connect(warehouse.source_admin_url) as source:
        columns = list(contract_of("employers").columns)
        source.execute("alter table tst.don_vi rename to don_vi_cu")
        listed = ", ".join(reversed(columns))
        source.execute(f"create table tst.don_vi as select {listed} from tst.don_vi_cu".encode())
        source.execute("grant select on tst.don_vi to public")
    assert not extract_group(warehouse.settings, "registers", DAY).stopped
    assert in_force(warehouse, "employers", "ma_don_vi, ten") == [("TA0001A", "Công ty thử")]


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_one_bad_byte_aborts_the_whole_copy(
    conn: psycopg.Connection, byte: bytes, warehouse: Product
) -> None:
    with pytest.raises(psycopg.Error):
        _copied(conn, b"1,a\n2,b" + byte + b"\n3,c\n", "format csv")

    # A file with such a byte sets its row aside; its neighbours go on.
    from tests.oracle.hostile.c12_files import COLUMNS

    begin(warehouse)
    row = dict.fromkeys(COLUMNS, "") | {"thang": "10/2021"}
    codes = ("TA0001A", "TA0002A", "TA0003A")
    lines = [",".join((row | {"madvi": code}).values()).encode() for code in codes]
    lines[1] = lines[1].replace(b"TA0002A,", b"TA0002A,x" + byte)
    name = f"C12_202110_20211101T08000{byte[0] % 2}_07201.csv"
    (warehouse.drop / name).write_bytes(b"\n\n" + b"\n".join(lines) + b"\n")
    try:
        told = extract_group(warehouse.settings, "c12", DAY).stopped
        kept = [code for (code,) in in_force(warehouse, "c12", "madvi")]
    finally:
        (warehouse.drop / name).unlink()
    refused = any("is refused" in line for line in told)
    assert refused or {"TA0001A", "TA0003A"} <= set(kept), (told, kept)
    if refused:
        assert kept == [], "a file is refused whole or read row by row, never in part"
