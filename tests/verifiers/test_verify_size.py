"""A release of a million rows verifies in seconds, and in the memory that the smallest takes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chotso.verifier import verify
from tests import proofs
from tests.verifiers.both import SCRIPT, node
from tests.worlds import bundles

pytestmark = [pytest.mark.proof]

SOURCE = Path(verify.__file__)
ROWS = proofs.size(20_000, 1_000_000)
# A row of data/attainment.csv is as long.
ROW = "{:07d},Bảo hiểm xã hội huyện {},072,2021-12,collection_total,vnd,at_least,{},{},\\N,true\n"
MARGIN_BYTES = 2 << 20
NODE_MARGIN_BYTES = 64 << 20  # garbage that it has not collected yet
# Its own high-water mark: the kernel counts a parent's memory against the child that it becomes.
MEASURED = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    told = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    sys.stderr.write(told[0].split()[1])
"""
# Of what it ran; its own is less than Node's.
WATCHED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(done.returncode)
"""
NAIVE = """
import hashlib, pathlib, sys
kept = [path.read_bytes().splitlines() for path in pathlib.Path(sys.argv[1]).rglob("*.csv")]
print(sum(len(hashlib.sha256(line).digest()) for lines in kept for line in lines))
"""


@dataclass(frozen=True)
class Run:
    status: int
    seconds: float  # with the interpreter's start
    peak_bytes: int


def measured(program: Path, *arguments: str) -> Run:
    """A Python program in a process of its own: exit status, wall time, most memory held."""
    return _run([sys.executable, "-I", "-c", MEASURED, str(program), *arguments])


def measured_in_node(*arguments: str) -> Run:
    """The second verifier, likewise."""
    return _run([sys.executable, "-I", "-c", WATCHED, node(), str(SCRIPT), *arguments])


def _run(command: list[str]) -> Run:
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return Run(done.returncode, time.monotonic() - begun, int(done.stderr) * 1024)


def lines(rows: int) -> Iterator[bytes]:
    yield b"agency_code,agency_name,parent,month,metric,unit,direction,actual,plan,ratio,is_met\n"
    for number in range(rows):
        yield ROW.format(number, number % 97, number * 7919, number * 104729).encode()


def made(folder: Path, rows: int) -> str:
    """A sound bundle with this many rows in `data/attainment.csv`; the root."""
    content = b"".join(lines(rows))
    files = bundles.all_files() | {
        "data/attainment.csv": content,
        "rows/attainment.txt": bundles.index_of(content),
    }
    manifest = bundles.manifest_of(files)
    for entry in manifest["files"]:
        if entry["path"] == "data/attainment.csv":
            entry["rows"] = rows
    return bundles.write(folder, files, manifest)


def test_a_million_rows_take_seconds_and_no_more_memory_than_one(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    roots = {small: made(small, 1), large: made(large, ROWS)}
    runs = {
        folder: measured(SOURCE, str(folder), "--anchor", root) for folder, root in roots.items()
    }
    assert [run.status for run in runs.values()] == [0, 0]
    grown = runs[large].peak_bytes - runs[small].peak_bytes
    assert grown < MARGIN_BYTES
    second = {
        folder: measured_in_node(str(folder), "--anchor", root) for folder, root in roots.items()
    }
    assert [run.status for run in second.values()] == [0, 0]
    assert second[large].peak_bytes - second[small].peak_bytes < NODE_MARGIN_BYTES
    program = tmp_path / "naive.py"
    program.write_text(NAIVE, encoding="utf-8")
    naive = {folder: measured(program, str(folder)) for folder in (small, large)}
    assert naive[large].peak_bytes - naive[small].peak_bytes > MARGIN_BYTES
    paths = [str(path) for path in large.rglob("*") if path.is_file()]
    begun = time.monotonic()
    subprocess.run(["sha256sum", *paths], stdout=subprocess.DEVNULL, check=True)
    plain_seconds = time.monotonic() - begun
    assert runs[large].seconds < 120
    proofs.record(
        "Size: a release of a million rows is verified",
        rows=ROWS,
        bytes=sum(Path(path).stat().st_size for path in paths),
        seconds=f"{runs[large].seconds:.2f}",
        seconds_of_sha256sum=f"{plain_seconds:.2f}",
        times_as_long_as_sha256sum=f"{runs[large].seconds / plain_seconds:.1f}",
        peak_memory_mib=f"{runs[large].peak_bytes / (1 << 20):.1f}",
        peak_memory_of_the_smallest_mib=f"{runs[small].peak_bytes / (1 << 20):.1f}",
        seconds_in_node=f"{second[large].seconds:.2f}",
        times_as_long_in_node=f"{second[large].seconds / plain_seconds:.1f}",
        peak_memory_in_node_mib=f"{second[large].peak_bytes / (1 << 20):.1f}",
        peak_memory_of_the_smallest_in_node_mib=f"{second[small].peak_bytes / (1 << 20):.1f}",
    )


def test_a_changed_row_among_them_is_named(tmp_path: Path) -> None:
    root = made(tmp_path, ROWS)
    path = tmp_path / "data/attainment.csv"
    content = path.read_bytes()
    wanted = ROWS * 2 // 3
    start = content.index(f"\n{wanted:07d},".encode()) + 1
    path.write_bytes(content[:start] + b"9" + content[start + 1 :])
    result = verify.verify_bundle(tmp_path, root)
    assert result.status == "failed"
    assert ("row", "data/attainment.csv", wanted + 2) in {
        (each.code, each.path, each.row) for each in result.findings
    }
