"""`chotso status`: is all well, and the night at a glance, in the terminal's columns."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from chotso.calendar import local_minute
from chotso.cli.console import OUTPUT, Json, answer
from chotso.lines import span, wrapped
from chotso.settings import load_settings

if TYPE_CHECKING:
    from chotso.status import Health, Status
    from chotso.watch.fault import Fault

_TOLD = 5
_GOES_ON = "    "


def status(json: Json = False) -> None:
    """Is all well (exit status 0), and if not, what to do; then the last night at a glance."""
    from chotso.status import look

    found = look(load_settings())
    answer(found, json, lambda: show(found, OUTPUT))
    if not found.is_well:
        raise SystemExit(1)


def show(found: "Health", console: Console) -> None:
    """Print is all well, how the night stands, what readers see, and what is due."""
    from chotso.status import Status

    _print(console, _lines_of_health(found))
    if not isinstance(found, Status):
        return
    console.print(_table(found), soft_wrap=False)
    _print(
        console,
        chain(
            _lines_of_builds(found),
            _lines_of_freezes(found),
            _lines_of_feeds(found),
            _lines_of_what_is_due(found),
        ),
    )


def _print(console: Console, told: Iterable[str]) -> None:
    for text in told:
        begins = text[: len(text) - len(text.lstrip())]
        for line in wrapped(text, console.width, begins + _GOES_ON):
            console.print(line, markup=False)


def _lines_of_health(found: "Health") -> Iterator[str]:
    counted = Counter(each.severity for each in found.causes)
    told = ", ".join(f"{n} {severity}" for severity, n in counted.items())
    yield f"{'healthy' if found.is_well else 'NOT WELL'}{': ' if told else ''}{told}"
    for each in found.causes:
        yield f"{each.severity}: {each.what}"
        yield f"    next: {each.next_step}"
    if found.unread:
        yield f"the ledger could not be read: {found.unread}"
    ago = found.looked_seconds_ago
    yield (
        "no watch has run here yet (`chotso watch`)"
        if ago is None
        else "when the watch last looked is not known: a clock was wrong"
        if ago < 0
        else f"the watch last looked {span(ago)} ago"
    )


def _table(found: "Status") -> Table:
    """How far each feed of the newest night is, in 80 columns."""
    night = next((each["business_date"] for each in found.stages), None)
    table = Table(
        title=f"The night of {night or '–'} (local time)",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in ("feed", "state"):
        table.add_column(name, overflow="fold")
    for name in ("since", "rows", "aside", "đồng", "age"):
        table.add_column(name, justify="right", overflow="fold")
    for each in found.stages:
        begun = each["batches"] > 0
        sums = ("rows_delivered", "rows_quarantined", "money_delivered")
        table.add_row(
            each["feed"],
            _state(each),
            local_minute(each["at"])[5:] if each["at"] else "–",
            *(f"{each[name]:,}" if begun else "–" for name in sums),
            _age(each["age_seconds"]),
        )
    return table


def _state(stage: dict[str, Any]) -> str:
    """Of several files, how many are in the worst state."""
    count, total = stage["batches_in_state"], stage["batches"]
    return stage["state"] if count == total else f"{count} {stage['state']}"


def _lines_of_builds(found: "Status") -> Iterator[str]:
    build, shown = found.build, found.exposed
    if build and build["build_id"] != (shown or {}).get("build_id"):
        yield f"build {build['build_id']} of {build['business_date']}: {_of_build(build)}"
    yield (
        f"readers see: build {shown['build_id']} of {shown['business_date']}, "
        f"known at {local_minute(shown['as_known_at'])} ({span(shown['age_seconds'])} ago)"
        if shown
        else "readers see: nothing yet"
    )


def _of_build(build: dict[str, Any]) -> str:
    began = f"began {local_minute(build['started_at'])}"
    if build["status"] == "running" and not build["is_worked_on"]:
        return f"{began}, and its process is gone"
    if build["status"] == "running":
        more = f" ({', '.join(build['running'][:_TOLD])})" if build["running"] else ""
        return f"{began}, runs{more}"
    if build["status"] == "failed":
        return f"{began}, failed: {build['reason'] or 'its process is gone'}"
    return f"{began}, is {build['status']}"


def _lines_of_freezes(found: "Status") -> Iterator[str]:
    told: set[str] = set()
    for feed in found.feeds:
        if feed["freeze_batches"]:
            if feed["freezes"] not in told:
                yield f"read for freezes, not in the table ({feed['freezes']}):"
            told.add(feed["freezes"])
            yield (
                f"    {feed['feed']}: {feed['freeze_rows'] or 0:,} rows, "
                f"{feed['freeze_money'] or 0:,} đồng in {feed['freeze_batches']} batches"
            )


def _lines_of_feeds(found: "Status") -> Iterator[str]:
    from chotso.ingest import drop_register

    yield from _untold(
        found.causes,
        [
            (f"{row['batch_id']} {row['status']}: {row['reason']}", row["reason"] or "")
            for row in found.stopped
        ],
    )
    compared = ", ".join(f"{n:,} {status}" for status, n in found.control_totals.items())
    yield f"control totals by feed and month: {compared or 'none'}"
    yield from _untold(found.causes, [(f"differs: {each}", each) for each in found.unproven])
    yield from _untold(
        found.causes,
        [(f"missing at the source: {each}", str(each)) for each in found.missing_rows],
    )
    yield from drop_register.lines(found.drop_folder)
    for doubt in found.proves_no_absence:
        yield (
            f"proves no absence, what it lacks stays in force: {doubt['scope_key']} in "
            f"{doubt['delivery_name']} ({doubt['batch_id']})"
        )
    yield from map(_shown_drift, found.schema_drift)
    oldest = found.quarantine["oldest_days"]
    yield (
        f"quarantine: {found.quarantine['rows']:,} rows open, "
        f"{found.quarantine['at_stake']:,} đồng of them could change figures to date, each once"
        + (f", the oldest for {oldest} days" if oldest is not None else "")
    )


def _lines_of_what_is_due(found: "Status") -> Iterator[str]:
    from chotso.build import uncounted

    for sentence in uncounted.sentences(found.exposed["uncounted"] if found.exposed else None):
        yield f"no freeze: {sentence}"
    if not any(each.kind == "freeze_would_fail" for each in found.causes):
        yield from found.freeze_obstacles
    for cutoff in found.cutoffs:
        at = local_minute(cutoff["cutoff_at"])
        yield f"{cutoff['period_id']}: cutoff {at}, {cutoff['state']}"
    yield from (f"warning: {warning}" for warning in found.warnings)
    unseen = [each for each in found.incidents if not each.acknowledged_by]
    if found.incidents:
        yield (
            f"open incidents: {len(found.incidents)}, not acknowledged: {len(unseen)} "
            "(`chotso incidents list`)"
        )


def _untold(causes: list["Fault"], told: list[tuple[str, str]]) -> Iterator[str]:
    """The first lines of what no cause says already, and how many more there are.

    Args:
        causes: What was told.
        told: A line, and the part of it that a cause would quote.
    """
    said = [each.what for each in causes]
    lines = [line for line, part in told if not part or not any(part in what for what in said)]
    yield from lines[:_TOLD]
    if len(lines) > _TOLD:
        yield f"    and {len(lines) - _TOLD} more (`chotso status --json`)"


def _shown_drift(drift: dict[str, Any]) -> str:
    found = drift["found_type"] or "missing"
    expected = f", expected {drift['expected']}" if drift["expected"] else ""
    return (
        f"schema {drift['kind']}: {drift['relation']}.{drift['column_name']}: {found}{expected} "
        f"({drift['contract_line']}), since {local_minute(drift['first_seen'])}"
    )


def _age(seconds: float | None) -> str:
    return span(seconds) if seconds is not None else "–"
