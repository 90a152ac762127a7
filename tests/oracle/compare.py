"""Every column of a mart against the oracle, difference by difference."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.oracle.recompute import Figures

ATTAINMENT_KEY = ("agency_code", "month", "metric_code")
ARREARS_KEY = ("agency_code", "month", "group_code", "variant_code")
SHOWN = 25


def differences(
    found: Iterable[Mapping[str, Any]], expected: Figures, key: tuple[str, ...]
) -> list[str]:
    """What is missing, too many, or different; empty when all is equal.

    Numbers are compared exactly and must not be floats; columns that the oracle does not know are
    free.
    """
    said: list[str] = []
    seen: set[tuple[Any, ...]] = set()
    for row in found:
        at = tuple(row[column] for column in key)
        if at in seen:
            said.append(f"{_name(at)}: more than one row")
        seen.add(at)
        if at not in expected:
            said.append(f"{_name(at)}: no such row expected")
            continue
        for column, value in expected[at].items():
            if not _same(row[column], value):
                said.append(f"{_name(at)}.{column}: {row[column]} where {value} is right")
    said += [f"{_name(at)}: missing" for at in expected if at not in seen]
    if len(said) > SHOWN:
        said[SHOWN:] = [f"... and {len(said) - SHOWN} more"]
    return said


def _same(found: Any, right: Any) -> bool:
    if found is None or right is None:
        return found is right
    if isinstance(found, float) or isinstance(found, bool) != isinstance(right, bool):
        return False
    return bool(found == right)


def _name(at: tuple[Any, ...]) -> str:
    return " ".join(str(part) for part in at)
