"""Runs tests over a copy of the tree with one fault planted in it, one at a time."""

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.register import Fault

_LIMIT_S = 5400
_TESTS_RAN = (0, 1)


@dataclass(frozen=True)
class Run:
    """What a run of tests found.

    Attributes:
        ran: How many ran.
        failed: Names of those that failed; `MODULE::set-up` where a module's world could not be
            made, e.g. because the build found the fault.
        why: What the first of them said.
    """

    ran: int
    failed: list[str]
    why: str


def copy_of(tree: Path, into: Path) -> None:
    """Copy what is or would be committed of a tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=tree, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (tree / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, into / name)


@contextmanager
def planted(tree: Path, fault: Fault) -> Iterator[None]:
    """The fault stands in the tree until the block ends."""
    file = tree / fault.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(fault.planted(sound), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(sound, encoding="utf-8")


def run_tests(tree: Path, tests: list[str]) -> Run:
    """Run tests of a tree, with this Python and nothing of the tree's own environment.

    Raises:
        RuntimeError: pytest ran no test, or could not run.
    """
    with tempfile.TemporaryDirectory(prefix="chotso-mutant-") as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir={scratch}/cache"]
        told = subprocess.run(
            [*command, f"--junitxml={report}", *tests],
            cwd=tree, env=_environment(tree, Path(scratch)), capture_output=True, text=True,
            timeout=_LIMIT_S, check=False,
        )  # fmt: skip
        if told.returncode not in _TESTS_RAN or not report.exists():
            raise RuntimeError(f"pytest ended with {told.returncode}: {told.stdout[-1500:]}")
        return _read(report)


def _environment(tree: Path, scratch: Path) -> dict[str, str]:
    """`PYTHONPATH` goes before an editable install, and no bytecode outlives its fault."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CHOTSO_", "AIRFLOW_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {
        "PATH": path,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(scratch),
        "LC_ALL": "C.UTF-8",
    }


def _read(report: Path) -> Run:
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    if not cases:
        raise RuntimeError("pytest ran no test")
    found = []
    for case in cases:
        for kind in ("failure", "error"):
            if (said := case.find(kind)) is not None:
                name = case.get("name") if kind == "failure" else "set-up"
                found.append((f"{case.get('classname')}::{name}", said.get("message", "")))
    names = list(dict.fromkeys(name for name, _ in found))
    return Run(len(cases), names, found[0][1][:300] if found else "")
