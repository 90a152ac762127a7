"""The rules that are written once for every feed: where they hold, and the SQL of one contract.

`expectations/every_feed/<name>.sql` is one rule. Its placeholders are filled from the contract of
the feed that is judged, so a new column or key is judged without a change of any rule.
"""

import re
from collections.abc import Iterable
from typing import Any

from chotso.contracts import Contract, TableSource

FOLDER = "every_feed"
_NAMED = re.compile(r"\{([a-z_]+)\}")


def holds(entry: dict[str, Any], item: Contract) -> bool:
    """Whether a shared rule of the register judges the feed, by what its contract says."""
    where = entry.get("judged_where")
    if where == "read_whole":
        return isinstance(item.source, TableSource) and item.source.read == "whole"
    if where == "has_money":
        return item.money != "0"
    if where == "refers_to":
        return item.feed != entry["refers_to"] and bool(references(entry, item))
    return True


def references(entry: dict[str, Any], item: Contract) -> list[str]:
    """The feed's columns that name a row of the feed that the rule refers to."""
    return item.referring_to(entry["refers_to"]) if "refers_to" in entry else []


def filled(text: str, item: Contract, refers_to: str | None) -> str:
    """The text with the contract's columns for its placeholders; other braces stay."""
    parts = _parts(item, refers_to)
    return _NAMED.sub(lambda match: parts.get(match[1], match[0]), text)


def _parts(item: Contract, refers_to: str | None) -> dict[str, str]:
    required = [n for n, c in item.landed.items() if c.required and n not in item.key]
    parts = {
        "raw": f"raw.{item.feed}",
        "key": ", ".join(item.key),
        "key_is_given": " and ".join(f"{name} is not null" for name in item.key),
        "key_is_missing": _any_missing(item, item.key),
        "missing_key_names": _missing_names(item, item.key),
        "required_is_missing": _any_missing(item, required),
        "missing_required_names": _missing_names(item, required),
        "delivered_columns": ", ".join(f"delivered.{n}" for n in [*item.key, *item.tracked]),
        "same_key_as_repeated": _same(item.key, "repeated"),
        "same_key_as_differing": _same(item.key, "differing"),
    }
    if refers_to and (columns := item.referring_to(refers_to)):
        parts["reference"] = columns[0]
    return parts


def _is_missing(item: Contract, name: str) -> str:
    """Null, and of a text also what is blank."""
    is_text = item.landed[name].type == "text"
    return f"coalesce(btrim({name}), '') = ''" if is_text else f"{name} is null"


def _any_missing(item: Contract, names: Iterable[str]) -> str:
    return " or ".join(_is_missing(item, name) for name in names) or "false"


def _missing_names(item: Contract, names: Iterable[str]) -> str:
    cases = (f"case when {_is_missing(item, name)} then '{name}' end" for name in names)
    return ", ".join(cases) or "null"


def _same(names: Iterable[str], other: str) -> str:
    return " and ".join(f"delivered.{name} = {other}.{name}" for name in names)
