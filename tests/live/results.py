"""What the live run found: kept in docs/faults-live.json, shown as a table in docs/watch.md."""

import json
import os
import re
from pathlib import Path

from tests.live.fault import Fault

IS_KEPT = "CHOTSO_FAULTS_LIVE" in os.environ  # asked at the start: the tests set their own
_DOCS = Path(__file__).resolve().parents[2] / "docs"
RESULTS = _DOCS / "faults-live.json"
PAGE = _DOCS / "watch.md"
_BEGIN, _END = "<!-- made by make faults-live -->", "<!-- end -->"
_HEAD = (
    "| fault | incident | webhook, s | mail, s | the next step, carried out | open, s | naive |\n"
    "|---|---|---|---|---|---|---|\n"
)


def record(fault: Fault, **found: int) -> None:
    """Keep what a run found, if `make faults-live` asked for it, and show it in the page.

    Args:
        fault: The fault.
        found: `post` and `mail`: seconds until told; `open`: until the end was; `naive`: how many
            messages `on_failure_callback` alone would have sent.
    """
    if not IS_KEPT:
        return
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept[fault.name] = kept.get(fault.name, {}) | {"kind": fault.kind, "step": fault.step} | found
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write_page()


def write_page() -> None:
    """Put the table into the page."""
    text = PAGE.read_text("utf-8")
    shown = f"{_BEGIN}\n{table()}{_END}"
    PAGE.write_text(re.sub(f"{_BEGIN}.*?{_END}", lambda _: shown, text, flags=re.DOTALL), "utf-8")


def table() -> str:
    """One line per fault, in the order of the last runs."""
    kept = json.loads(RESULTS.read_text("utf-8"))
    return _HEAD + "".join(f"| {name} | {_row(found)} |\n" for name, found in kept.items())


def _row(found: dict[str, int | str | None]) -> str:
    kind = f"`{found['kind']}`" if found["kind"] else "none: it heals by itself"
    columns = ("post", "mail", "step", "open", "naive")
    return " | ".join([kind, *(str(found.get(name, "–")) for name in columns)])
