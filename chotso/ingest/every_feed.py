"""Rules that are written once for all feeds: which feeds they judge, and their SQL for one feed.

`expectations/every_feed/<name>.sql` is one rule. Its placeholders are filled from the contract of
the feed. A new column or key is therefore judged without a change of the rule.

`expectations/patterns/<pattern>.sql` is the SQL of several rules, of a feed or of every feed. The
register gives each of them what stands in the pattern's own placeholders.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chotso.contracts import Contract, TableSource

FOLDER = "every_feed"
PATTERNS = "patterns"
_MOST_DONG = 10**15
_NAMED = re.compile(r"\{([a-z_]+)\}")


def holds(entry: dict[str, Any], contract: Contract) -> bool:
    """Whether a shared rule judges this feed, by the feed's contract."""
    where = entry.get("judged_where")
    if where == "read_whole":
        return isinstance(contract.source, TableSource) and contract.source.read == "whole"
    if where == "has_money":
        return contract.money != "0"
    if where == "has_amounts":
        return bool(contract.amounts)
    if where == "refers_to":
        return contract.feed != entry["refers_to"] and bool(references(entry, contract))
    return True


def references(entry: dict[str, Any], contract: Contract) -> list[str]:
    """The feed's columns that refer to the feed which the rule names."""
    return contract.referring_to(entry["refers_to"]) if "refers_to" in entry else []


def filled(
    text: str, contract: Contract, refers_to: str | None, given: Mapping[str, str] | None = None
) -> str:
    """The text with the contract's columns, and what is given, in its placeholders.

    Other braces are left.
    """
    parts = {**_parts(contract, refers_to), **(given or {})}
    return _NAMED.sub(lambda match: parts.get(match[1], match[0]), text)


def _parts(contract: Contract, refers_to: str | None) -> dict[str, str]:
    required = [n for n, c in contract.landed.items() if c.required and n not in contract.key]
    parts = {
        "raw": f"raw.{contract.feed}",
        "key": ", ".join(contract.key),
        "key_is_given": " and ".join(f"{name} is not null" for name in contract.key),
        "key_is_missing": _any_missing(contract, contract.key),
        "missing_key_names": _missing_names(contract, contract.key),
        "required_is_missing": _any_missing(contract, required),
        "missing_required_names": _missing_names(contract, required),
        "amount_is_out_of_range": " or ".join(map(_is_out_of_range, contract.amounts)) or "false",
        "names_out_of_range": _names_where(_is_out_of_range, contract.amounts),
        "delivered_columns": ", ".join(
            f"delivered.{n}" for n in [*contract.key, *contract.tracked]
        ),
        "same_key_as_repeated": _same(contract.key, "repeated"),
        "same_key_as_differing": _same(contract.key, "differing"),
    }
    if refers_to and (columns := contract.referring_to(refers_to)):
        parts["reference"] = columns[0]
    return parts


def _is_missing(contract: Contract, name: str) -> str:
    """SQL for a missing value: null, or for a text column also blank."""
    is_text = contract.landed[name].type == "text"
    return f"coalesce(btrim({name}), '') = ''" if is_text else f"{name} is null"


def _any_missing(contract: Contract, names: Iterable[str]) -> str:
    return " or ".join(_is_missing(contract, name) for name in names) or "false"


def _missing_names(contract: Contract, names: Iterable[str]) -> str:
    return _names_where(lambda name: _is_missing(contract, name), names)


def _is_out_of_range(name: str) -> str:
    return f"{name} not between -{_MOST_DONG} and {_MOST_DONG}"


def _names_where(condition: Callable[[str], str], names: Iterable[str]) -> str:
    cases = (f"case when {condition(name)} then '{name}' end" for name in names)
    return ", ".join(cases) or "null"


def _same(names: Iterable[str], other: str) -> str:
    return " and ".join(f"delivered.{name} = {other}.{name}" for name in names)
