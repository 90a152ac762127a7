"""`chotso quarantine`: rows set aside, their reasons and money, and how they are dealt with."""

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from chotso.calendar import local_minute
from chotso.cli.console import OUTPUT, Json, answer, progress
from chotso.quarantine.rows import AsideRow
from chotso.quarantine.stake import Stake
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

app = typer.Typer(no_args_is_help=True, help="The rows set aside.")

_BATCH = re.compile(r"[a-z0-9]+_[0-9]{8}_[0-9]+")
Id = Annotated[int, typer.Argument(metavar="ID", help="A row's id.")]


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Ended and waived rows too.")] = False,
    json: Json = False,
) -> None:
    """List the rows set aside: feed, agency, first rule broken, đồng, first and last seen, age."""
    rows, clock, stake = _read(ended_too=all_)
    listed = [_listed(row, clock) for row in rows]

    def tell() -> None:
        _tell_rows(listed)
        if rows:
            _tell_stake(stake)

    answer(listed, json, tell)


@app.command()
def show(id_: Id, json: Json = False) -> None:
    """Show one row set aside: the row as delivered, every rule it broke, and its history."""
    from chotso.quarantine.clock import newest_reading
    from chotso.quarantine.rows import row_set_aside

    settings = load_settings()
    with connect(settings) as conn:
        row = row_set_aside(conn, id_)
        clock = newest_reading(settings, conn)
    rules = [
        {
            "rule_id": rule.id,
            "sentence_vi": rule.sentence_vi,
            "sentence_en": rule.sentence_en,
            "next_action_vi": rule.next_action_vi,
            "next_action_en": rule.next_action_en,
        }
        for rule in row.broken_rules()
    ]
    shown = vars(row) | {"age_days": row.age_days(clock), "rules": rules}

    def tell() -> None:
        for name, value in shown.items():
            if name not in {"rules", "row"}:
                OUTPUT.print(f"{name}: {_told(value)}", markup=False)
        OUTPUT.print("row as delivered:")
        for name, value in row.row.items():
            OUTPUT.print(f"  {name}: {_told(value)}", markup=False)
        for rule in rules:
            OUTPUT.print(f"\n{rule['rule_id']}\n  {rule['sentence_vi']}", markup=False)
            OUTPUT.print(f"  {rule['sentence_en']}", markup=False)
            OUTPUT.print(f"  Cần làm: {rule['next_action_vi']}", markup=False)
            OUTPUT.print(f"  Next: {rule['next_action_en']}", markup=False)

    answer(shown, json, tell)


@app.command()
def replay(
    id_: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="A row's id; all open rows without.")
    ] = None,
    json: Json = False,
) -> None:
    """Judge open rows again, after the source or a rule was mended; all of them without ID."""
    from chotso.quarantine.replay import replay as run

    with progress() as show:
        report = run(load_settings(), id_, progress=show)

    def tell() -> None:
        for row in report.rows:
            ended = f"{row.status}: {row.resolution}" if row.resolution else row.status
            OUTPUT.print(f"{row.id} {row.feed} {row.row_key}: {ended}", markup=False)
        if not report.rows:
            OUTPUT.print("No row is set aside.")

    answer(report, json, tell)
    report.raise_if_left()


@app.command()
def waive(
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="A row's id, or the batch of a refused file.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why it stays out.")],
    by: Annotated[str, typer.Option("--by", help="Who says so.")],
    json: Json = False,
) -> None:
    """Record that an open row, or a refused file, was seen and stays out: it never counts."""
    from chotso.quarantine.waive import waive as waive_row
    from chotso.quarantine.waive import waive_file

    report: Any
    if id_.isascii() and id_.isdecimal():
        report = waive_row(load_settings(), int(id_), reason=reason, by=by)
        what = f"{report.id} {report.feed} {report.row_key}"
    elif _BATCH.fullmatch(id_):
        report = waive_file(load_settings(), id_, reason=reason, by=by)
        what = f"{report.batch_id} {report.delivery_name}"
    else:
        raise typer.BadParameter(f"{id_!r} is neither a row's id nor a batch.")

    def tell() -> None:
        OUTPUT.print(f"{what}: waived", markup=False)
        OUTPUT.print(f"act {report.act.act_id}: {report.act.landing_path}", markup=False)

    answer(report, json, tell)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="A folder for the workbooks.")],
    json: Json = False,
) -> None:
    """Write an Excel workbook per agency, in Vietnamese, with what to do about each open row."""
    from chotso.quarantine.workbook import write_workbooks

    rows, clock, stake = _read()
    files = write_workbooks(out, rows, stake, clock)

    def tell() -> None:
        for path in files:
            OUTPUT.print(str(path), markup=False)
        if not files:
            OUTPUT.print("No row is set aside.")

    answer({"clock": clock, "files": files, **_stake(stake)}, json, tell)


@app.command()
def summary(json: Json = False) -> None:
    """Money at stake: per agency and metric as readers see it, per agency and feed as of now."""
    rows, clock, stake = _read()
    oldest = max((row.age_days(clock) for row in rows), default=None)
    told = {"clock": clock, "rows": len(rows), "oldest_days": oldest, **_stake(stake)}
    answer(told, json, lambda: _tell_stake(stake))


def _read(ended_too: bool = False) -> tuple[list[AsideRow], datetime, Stake]:
    from chotso.quarantine.clock import newest_reading
    from chotso.quarantine.rows import rows_set_aside
    from chotso.quarantine.stake import at_stake

    settings = load_settings()
    with connect(settings) as conn:
        rows = rows_set_aside(conn, ended_too=ended_too)
        return rows, newest_reading(settings, conn), at_stake(conn, rows)


def _listed(row: AsideRow, clock: datetime) -> dict[str, Any]:
    kept = {name: value for name, value in vars(row).items() if name != "row"}
    return kept | {"age_days": row.age_days(clock)}


def _stake(stake: Stake) -> dict[str, Any]:
    return {
        "as_known_at": stake.as_known_at,
        "by_metric": stake.by_metric(),
        "by_month": stake.months,
        "by_feed": stake.feeds,
    }


def _tell_rows(rows: list[dict[str, Any]]) -> None:
    """Print four lines per row: a table of ten columns is too wide for a terminal."""
    if not rows:
        OUTPUT.print("No row is set aside.")
        return
    for row in rows:
        days = f"{row['age_days']} day{'' if row['age_days'] == 1 else 's'}"
        OUTPUT.print(f"{row['id']:>6}  {row['feed']} {row['row_key']}", markup=False)
        OUTPUT.print(
            f"        {row['agency_code'] or 'no agency'}, {row['money']:,} đồng, {row['status']}",
            markup=False,
        )
        first, last = local_minute(row["first_seen"]), local_minute(row["last_seen"])
        OUTPUT.print(f"        {days}: first seen {first}, last {last}", markup=False)
        OUTPUT.print(f"        {row['rule_id']}: {row['detail'] or ''}".rstrip(": "), markup=False)


def _told(value: object) -> str:
    """A value in a line: local time, grouped digits, names with commas."""
    match value:
        case datetime():
            return local_minute(value)
        case Decimal():
            return f"{value:,}"
        case list():
            return ", ".join(map(str, value))
        case None:
            return "–"
    return str(value)


def _tell_stake(stake: Stake) -> None:
    """Print the money at stake; a payment and its lines are one sum, as a metric and its total."""
    if not stake.feeds and not stake.months:
        OUTPUT.print("No row is set aside, and no money is at stake.")
        return
    if stake.as_known_at is not None:
        OUTPUT.print(
            f"Known at {local_minute(stake.as_known_at)}, could belong to figures that readers "
            "see,\nnot to be added up:"
        )
        if not stake.months:
            OUTPUT.print("  none")
        for at in stake.by_metric():
            OUTPUT.print(
                f"  {at['agency_code']} {at['metric_name_vi']}: {at['money']:,} đồng "
                f"in {at['months']} months",
                markup=False,
            )
    OUTPUT.print("Open rows, as delivered (a payment and its lines are one sum):")
    if not stake.feeds:
        OUTPUT.print("  none")
    for feed in stake.feeds:
        OUTPUT.print(
            f"  {feed.agency_code or 'no agency'} {feed.feed}: {feed.rows:,} rows, "
            f"{feed.money:,} đồng",
            markup=False,
        )
