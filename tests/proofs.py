"""How big a proof is: a seeded slice in `make slices`, the full size in `make proofs`.

The full run writes what it found into docs/proofs.json; `python -m tests.proofs` renders that as
docs/proofs.md.
"""

import json
import os
from pathlib import Path

IS_FULL = os.environ.get("CHOTSO_PROOFS") == "full"
_DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS = _DOCS / "proofs.json"
PAGE = _DOCS / "proofs.md"

_HEAD = """# Proofs

Made by `make proofs` from the runs themselves (`docs/proofs.json`); do not edit. `make slices` runs
a seeded slice of every class and point; each proof has a naive twin that fails it.
"""


def size(of_slice: int, in_full: int) -> int:
    """How many cases to run: a slice, or all of them when CHOTSO_PROOFS is `full`."""
    return in_full if IS_FULL else of_slice


def record(name: str, **figures: int | float | str) -> None:
    """Keep what a full run found under the proof's name; a slice leaves no record."""
    if not IS_FULL:
        return
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept[name] = figures
    text = json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def page() -> str:
    """docs/proofs.md: one section per proof, its figures as a list."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    parts = [_HEAD]
    for name, figures in kept.items():
        lines = [f"- {key.replace('_', ' ')}: {_shown(value)}" for key, value in figures.items()]
        parts.append("\n".join([f"## {name}", "", *lines, ""]))
    return "\n".join(parts)


def _shown(value: int | float | str) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
