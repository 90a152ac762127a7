"""What a person reads is in local time, wherever it is written: image and services have TZ=UTC."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# They talk to programs: the verifier imports nothing of ours, the sandbox writes the source's data.
OTHERS = ("verifier", "sandbox")
SHOWN = """
from datetime import UTC, datetime
from chotso.calendar import local_instant, local_minute
from chotso.waits import Holder
at = datetime(2021, 12, 31, 18, 30, tzinfo=UTC)
print(local_minute(at), local_instant(at), Holder(7, "psql", "lan", at, at))
"""


def _said_in_another_zone(text: str) -> list[str]:
    """Instants in texts as they come, and conversions to the zone of the machine."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    shown = {
        call
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FormattedValue)
        for call in map(ast.unparse, ast.walk(node.value))
        if call.endswith(".isoformat()") or ".isoformat(timespec=" in call
    }
    shown |= {ast.unparse(call) for call in calls if ast.unparse(call).endswith(".astimezone()")}
    return sorted(shown)


def test_no_text_has_an_instant_of_another_zone() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {each}"
        for path in sorted((ROOT / "chotso").rglob("*.py"))
        if path.relative_to(ROOT / "chotso").parts[0] not in OTHERS
        for each in _said_in_another_zone(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["f'{at.isoformat()}'", "f'{at.isoformat(timespec=1)}'", "at.astimezone()"]
)
def test_the_judgement_can_fail(text: str) -> None:
    assert len(_said_in_another_zone(text)) == 1
    assert _said_in_another_zone("at.isoformat(), at.astimezone(ZONE), f'{local_minute(at)}'") == []


def test_it_is_local_where_the_machine_is_not() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOWN],
        env={"TZ": "UTC", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (
        "2022-01-01 01:30 2022-01-01T01:30:00+07:00 psql (pid 7, login lan, "
        "since 2022-01-01 01:30:00, idle since 2022-01-01 01:30:00)"
    )
