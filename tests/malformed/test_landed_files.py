"""A landed Parquet file that was cut or changed is refused when it is loaded, wherever it broke."""

from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chotso.contracts import contract_of
from chotso.errors import ChotsoError
from chotso.ingest.night import extract_group, land_group, process_and_prove
from chotso.landing import LandedFile, Landing
from chotso.sandbox.server import SandboxServer
from chotso.source.arrow import landed_schema
from tests.malformed.desk import Desk
from tests.malformed.warehouse import NIGHT, empty_warehouse, ended, misjudged
from tests.proofs import record

pytestmark = pytest.mark.proof

C12 = contract_of("c12")
PARTS = 64


def _landed(folder: Path) -> LandedFile:
    rows = [{"row_no": n, "madvi": f"AA{n:04d}A", "ck_bhxh": n * 1_000} for n in range(1, 400)]
    table = pa.Table.from_pylist(rows, schema=landed_schema(C12))
    with Landing(str(folder)).parquet("c12/data.parquet", table.schema, ["ck_bhxh"]) as draft:
        draft.write(table.to_batches()[0])
    return draft.result()


def _broken(content: bytes) -> list[bytes]:
    """The file cut at every 64th, and with one byte changed at every 64th."""
    made = []
    for part in range(PARTS):
        at = len(content) * part // PARTS
        changed = bytearray(content)
        changed[at] ^= 0x55
        made += [content[:at], bytes(changed)]
    return made


def test_every_cut_and_every_changed_byte_is_refused(tmp_path: Path) -> None:
    landed = _landed(tmp_path)
    path = tmp_path / landed.path
    whole = path.read_bytes()
    with Landing(str(tmp_path)).open_checked(landed) as parquet:
        assert parquet.read().num_rows == 399
    for broken in _broken(whole):
        path.write_bytes(broken)
        opened = Landing(str(tmp_path)).open_checked(landed)
        with pytest.raises(ChotsoError, match="is not what was landed"):
            opened.__enter__()
    path.unlink()
    with pytest.raises(ChotsoError, match="missing"):
        Landing(str(tmp_path)).open_checked(landed).__enter__()
    record("malformed input: landed Parquet files", cut_or_changed=2 * PARTS, refused=2 * PARTS)


def test_the_naive_twin_reads_changed_files(tmp_path: Path) -> None:
    """Parquet alone has no checksum over what it says: opening it proves nothing."""
    landed = _landed(tmp_path)
    whole = (tmp_path / landed.path).read_bytes()
    taken_in = 0
    for broken in _broken(whole):
        path = tmp_path / "broken.parquet"
        path.write_bytes(broken)
        try:
            pq.read_table(path)
            taken_in += 1
        except (OSError, pa.ArrowException):
            continue
    assert taken_in > 0


@pytest.mark.warehouse
def test_a_changed_landing_stops_its_batch_and_the_next_night_reads_the_file_again(
    running: SandboxServer,
    tmp_path: Path,
) -> None:
    with empty_warehouse(running, tmp_path) as warehouse:
        desk = Desk(warehouse.drop, seed=1, steps=1)
        made = desk.lines("changed in the archive")
        land_group(warehouse.settings, "c12", NIGHT)
        data = max(
            Path(warehouse.settings.landing_url).glob("c12/*/*/data.parquet"),
            key=lambda path: path.stat().st_size,
        )
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 0x01
        data.chmod(0o600)
        data.write_bytes(content)
        with pytest.raises(ChotsoError, match="is not what was landed"):
            process_and_prove(warehouse.settings, "c12", NIGHT)
        with psycopg.connect(warehouse.admin_url) as conn:
            assert conn.execute("select count(*) from raw.c12").fetchone() == (0,)
            conn.execute("delete from ops.batch where status = 'failed'")
        extract_group(warehouse.settings, "c12", NIGHT)
        assert not misjudged(made, ended(warehouse.admin_url))
