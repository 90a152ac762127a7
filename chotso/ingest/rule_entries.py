"""Reads and checks `expectations/register.yml`, and makes one entry per rule and feed.

A shared rule becomes one entry for each feed that it judges, with the feed's differences.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.ingest import every_feed
from chotso.ingest.rule_models import RuleRegister
from chotso.strict_models import faults_of
from chotso.yaml_reader import read_yaml

RuleFields = dict[str, Any]
WrittenRegister = dict[str, Any]


def read_entries(folder: Path, feeds: Iterable[Contract]) -> list[RuleFields]:
    """All rules of the feeds as fields of a `Rule`, in the order in which they judge.

    Raises:
        ChotsoError: The register, its schema and its SQL files do not hold together; every fault
            is named.
    """
    path = folder / "register.yml"
    written = _read(path)
    contracts = {contract.feed: contract for contract in feeds}
    entries = [entry for contract in contracts.values() for entry in _entries_of(contract, written)]
    if faults := [*_faults(entries, written, contracts), *_file_faults(folder, written)]:
        raise _malformed(path, faults)
    return entries


def _read(path: Path) -> WrittenRegister:
    try:
        checked = RuleRegister.of_content(read_yaml(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise _malformed(path, faults_of(error)) from error
    return checked.model_dump(exclude_unset=True)


def _entries_of(contract: Contract, written: WrittenRegister) -> list[RuleFields]:
    """The rules of one feed: shared rules, its own, then the rules against history."""
    own = [entry for entry in written["rules"] if entry["feed"] == contract.feed]
    shared = {e["name"]: e for e in written["every_feed"] if every_feed.holds(e, contract)}
    placed = {entry["shared"] for entry in own if "shared" in entry}
    unplaced = [entry for name, entry in shared.items() if name not in placed]
    action = written["next_actions"][contract.source.kind]
    default = {"next_action_vi": action["vi"], "next_action_en": action["en"]}
    entries = [
        *(_made(contract, entry, {}) for entry in unplaced if entry["level"] != "history"),
        *(
            _made(contract, shared[entry["shared"]], entry) if "shared" in entry else entry
            for entry in own
            if "left_out" not in entry and entry.get("shared", "") in {"", *shared}
        ),
        *(_made(contract, entry, {}) for entry in unplaced if entry["level"] == "history"),
    ]
    return [default | entry for entry in entries]


def _made(contract: Contract, shared: RuleFields, different: RuleFields) -> RuleFields:
    entry = {"owner": contract.owner, **shared, **different}
    name = entry.pop("name")
    entry.pop("judged_where", None)
    good_value = every_feed.filled(entry["good_value"], contract, entry.get("refers_to"))
    return entry | {
        "id": f"{contract.feed}.{name}",
        "feed": contract.feed,
        "shared": True,
        "good_value": good_value,
    }


def _faults(
    entries: list[RuleFields], written: WrittenRegister, contracts: dict[str, Contract]
) -> list[str]:
    names = [entry["name"] for entry in written["every_feed"]]
    return [
        *(f"{twice} is registered twice" for twice in _twice(entry["id"] for entry in entries)),
        *(f"{twice} is registered twice for every feed" for twice in _twice(names)),
        *(
            f"{entry['id']} does not begin with its feed"
            for entry in entries
            if not entry["id"].startswith(f"{entry['feed']}.")
        ),
        *(
            f"{entry['id']} judges no row, so it can only block"
            for entry in entries
            if entry["level"] != "row" and entry["severity"] != "block"
        ),
        *_faults_of_differences(written, contracts),
    ]


def _faults_of_differences(
    written: WrittenRegister, contracts: dict[str, Contract]
) -> Iterable[str]:
    for feed in sorted({entry["feed"] for entry in written["rules"]} - set(contracts)):
        yield f"{feed} has rules and no contract"
    for contract in contracts.values():
        holding = {e["name"]: e for e in written["every_feed"] if every_feed.holds(e, contract)}
        for entry in written["rules"]:
            if entry["feed"] == contract.feed and entry.get("shared", "") not in {"", *holding}:
                yield f"{contract.feed} differs from {entry['shared']}, which does not hold for it"
        for name, entry in holding.items():
            if len(columns := every_feed.references(entry, contract)) > 1:
                yield f"{contract.feed}.{name} can judge only one of {', '.join(columns)}"


def _file_faults(folder: Path, written: WrittenRegister) -> list[str]:
    rules = {entry["id"]: entry for entry in written["rules"] if "id" in entry}
    rules |= {f"{every_feed.FOLDER}.{entry['name']}": entry for entry in written["every_feed"]}
    ids = {
        f"{every_feed.PATTERNS}.{entry['pattern']}" if "pattern" in entry else rule
        for rule, entry in rules.items()
    }
    files = {f"{found.parent.name}.{found.stem}" for found in folder.glob("*/*.sql")}
    return [
        *(f"{missing} has no SQL file" for missing in sorted(ids - files)),
        *(f"{stray} has an SQL file and is not registered" for stray in sorted(files - ids)),
    ]


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _malformed(path: Path, faults: list[str]) -> ChotsoError:
    shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
    return ChotsoError(
        f"The rule register {path} does not hold together: {shown}.",
        kept="nothing was judged or published.",
        next_step=f"mend {path} or the SQL files beside it.",
    )
