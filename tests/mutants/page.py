"""docs/mutants.md, from docs/mutants.json: which fault was noticed by which tests."""

import json
import re
from pathlib import Path
from typing import Any

from tests.mutants.register import Fault

_DOCS = Path(__file__).resolve().parents[2] / "docs"
RESULTS = _DOCS / "mutants.json"
PAGE = _DOCS / "mutants.md"
_SHOWN = 3
_HEAD = """# Planted faults

Made by `make mutants` from its runs (`docs/mutants.json`); do not edit. Each fault of
`tests/mutants/faults.yml` is put alone into a copy of the tree, and the tests named there are run.
Without any fault all of them pass. A fault that no test notices ends the run with 1.

The column *before* was recorded once, before the tests were laid out anew: the same faults where
their text stood then, with the same tests by name, or all of the room where there was none. `set-
up` means that the world of a module could not be made, e.g. because the build found the fault
itself; *nothing*, that no test tried noticed it.
"""


def read() -> dict[str, Any]:
    """What was recorded: by column, `commit`, `date` and per fault the tests that failed."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def record(column: str, commit: str, date: str, noticed: dict[str, list[str]]) -> None:
    """Keep what a run found in its column, and write the page anew.

    Args:
        column: `before` (the redesign of the tests) or `after`.
        commit: What was tried.
        date: When.
        noticed: Per fault the tests that failed; an empty list where none did.
    """
    kept = read() if RESULTS.exists() else {}
    faults = kept.get(column, {}).get("faults", {}) | noticed
    kept[column] = {"commit": commit, "date": date, "faults": faults}
    text = json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def page(faults: list[Fault], kept: dict[str, Any]) -> str:
    """The page: a line per fault, with what noticed it in each column."""
    columns = sorted(kept, reverse=True)  # before, after
    lines = [_HEAD, *(_summary(column, kept[column]) for column in columns), ""]
    lines += ["| fault | what it does | noticed by, before | noticed by, after |", "|" + "---|" * 4]
    for fault in faults:
        told = [_told(kept.get(column, {}), fault.id) for column in ("before", "after")]
        does = fault.does.replace("|", "\\|")
        lines.append(f"| `{fault.id}` ({fault.kind}) | {does} | {told[0]} | {told[1]} |")
    return "\n".join(lines) + "\n"


def write(faults: list[Fault]) -> None:
    """Write the page."""
    PAGE.write_text(page(faults, read()), encoding="utf-8")


def _summary(column: str, run: dict[str, Any]) -> str:
    noticed = sum(bool(tests) for tests in run["faults"].values())
    return (
        f"- {column}: {noticed} of {len(run['faults'])} faults tried were noticed, at commit "
        f"{run['commit']}, {run['date']}"
    )


def _told(run: dict[str, Any], fault_id: str) -> str:
    tests = run.get("faults", {}).get(fault_id)
    if tests is None:
        return "not tried"
    if not tests:
        return "**nothing**"
    names = list(dict.fromkeys(map(_short, tests)))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "<br>".join(f"`{name}`" for name in names[:_SHOWN]) + more


def _short(name: str) -> str:
    """`marts/test_people::test_who_came_and_went` for the name that pytest reports."""
    module, _, test = name.rpartition("::")
    test = re.sub(r"\[.*", "", test, flags=re.DOTALL)
    return f"{module.removeprefix('tests.').replace('.', '/')}::{test}".removeprefix("::")
