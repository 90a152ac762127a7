"""`python -m tests.mutants [ID …]`: plant every fault, or those named; 1 if one is not noticed.

One test run at a time: servers and builds take both cores already.
"""

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.mutants import page
from tests.mutants.planting import copy_of, planted, run_tests
from tests.mutants.register import Fault, read_faults

_TREE = Path(__file__).resolve().parents[2]


def main(wanted: list[str]) -> int:
    """Plant, record and write the page; the number of the exit status."""
    every = read_faults()
    if unknown := set(wanted) - {fault.id for fault in every}:
        print(f"no such fault: {', '.join(sorted(unknown))}")
        return 2
    faults = [fault for fault in every if not wanted or fault.id in wanted]
    with tempfile.TemporaryDirectory(prefix="chotso-mutants-") as folder:
        tree = Path(folder) / "tree"
        copy_of(_TREE, tree)
        if not _is_sound(tree, faults):
            return 1
        noticed = noticed_of(tree, faults)
    page.record("after", _commit(_TREE), f"{datetime.now(UTC):%Y-%m-%d}", noticed)
    page.write(every)
    missed = [fault_id for fault_id, tests in noticed.items() if not tests]
    print(f"{len(noticed) - len(missed)} of {len(noticed)} faults noticed; see {page.PAGE}")
    return 1 if missed else 0


def _is_sound(tree: Path, faults: list[Fault]) -> bool:
    """Whether all tests pass without a fault: else a failure would say nothing."""
    tests = sorted({test for fault in faults for test in fault.noticed_by})
    run = run_tests(tree, tests)
    for name in run.failed:
        print(f"fails without any fault: {name}")
    return not run.failed


def noticed_of(tree: Path, faults: list[Fault]) -> dict[str, list[str]]:
    """Per fault the tests that noticed it, told as it goes."""
    noticed = {}
    for fault in faults:
        with planted(tree, fault):
            run = run_tests(tree, fault.noticed_by)
        noticed[fault.id] = run.failed
        print(f"{fault.id}: {', '.join(run.failed[:3]) or 'NOTHING'}: {run.why}", flush=True)
    return noticed


def _commit(tree: Path) -> str:
    told = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=tree, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
