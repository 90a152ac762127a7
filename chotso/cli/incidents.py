"""`chotso watch` and `chotso incidents`: what is wrong, who was told, who sees to it."""

import logging
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from chotso.calendar import local_minute
from chotso.cli.console import OUTPUT, Json, answer
from chotso.lines import wrapped
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

if TYPE_CHECKING:
    from chotso.watch.incident import Incident

app = typer.Typer(no_args_is_help=True, help="What is wrong: list, show, acknowledge, close.")
Number = Annotated[int, typer.Argument(help="The incident's number.")]
_UNDER = " " * 11  # under what the first line of an item says
By = Annotated[str, typer.Option(help="Your name; it is written down.")]


def watch(
    once: Annotated[bool, typer.Option("--once", help="Look once (for a cron line).")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=1)] = 60.0,
    json: Json = False,
) -> None:
    """Look at ledger and clocks, keep incidents, and tell people; without Airflow."""
    from chotso.watch.rounds import look_once, watch_on

    if not once:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        logging.getLogger("httpx").setLevel(logging.WARNING)
        watch_on(load_settings, every)
    found = look_once(load_settings())
    causes = found.diagnosis.causes
    answer(
        {"causes": causes, "incidents": found.open_incidents},
        json,
        lambda: _tell_all(found.open_incidents),
    )
    if any(each.severity != "warning" for each in causes):
        raise SystemExit(1)


@app.command("list")
def listing(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    json: Json = False,
) -> None:
    """Open incidents, the worst first."""
    from chotso.watch import incidents

    with connect(load_settings()) as conn:
        found = incidents.listed(conn, is_open=not all_)
    answer({"incidents": found}, json, lambda: _tell_all(found))


@app.command()
def show(number: Number, json: Json = False) -> None:
    """One incident: what happened, what was kept, the next step."""
    from chotso.watch import incidents

    with connect(load_settings()) as conn:
        found = incidents.one(conn, number)
    answer(found, json, lambda: _tell(found))


@app.command()
def acknowledge(number: Number, by: By, json: Json = False) -> None:
    """Say that you see to it."""
    from chotso.watch import incidents

    with connect(load_settings()) as conn:
        found = incidents.acknowledge(conn, number, by)
    answer(found, json, lambda: _tell(found))


@app.command()
def close(
    number: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="Why it is over; it is written down.")],
    json: Json = False,
) -> None:
    """Close an incident; it is not opened again in that night."""
    from chotso.watch.rounds import closed

    found = closed(load_settings(), number, by, reason)
    answer(found, json, lambda: _tell(found))


def _tell_all(found: "list[Incident]") -> None:
    if not found:
        OUTPUT.print("No incident is open.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("no.", "severity", "night", "since", "what", "seen to by"):
        table.add_column(name, overflow="fold", justify="right" if name == "no." else "left")
    for each in found:
        over = f", over {local_minute(each.ended_at)[5:]}" if each.ended_at else ""
        table.add_row(
            str(each.incident_id),
            each.severity,
            each.business_date.isoformat(),
            local_minute(each.opened_at)[5:],
            f"{each.title}: {each.subject}{over}",
            each.acknowledged_by or "–",
        )
    OUTPUT.print(table, soft_wrap=False)
    OUTPUT.print("`chotso incidents show NO.` has the next step.", markup=False)


def _tell(each: "Incident") -> None:
    from chotso.watch.routes import runbook

    lines = [
        f"{each.incident_id}  [{each.severity}] {each.title} — {each.title_vi}",
        f"night      {each.business_date}" + (f", {each.period_id}" if each.period_id else ""),
        f"since      {local_minute(each.opened_at)}, last seen {local_minute(each.last_seen_at)}, "
        f"faults {each.fault_count}",
        f"what       {each.what}",
        *([f"kept       {each.kept}"] if each.kept else []),
        f"next       {each.next_step}",
        *([f"airflow    {each.dag_id} / {each.task_id or '–'}"] if each.dag_id else []),
        *([f"log        {each.log_url}"] if each.log_url else []),
        f"runbook    {runbook(each.kind)}",
        *(
            [f"seen to    by {each.acknowledged_by} since {local_minute(each.acknowledged_at)}"]
            if each.acknowledged_at
            else []
        ),
        *(
            [f"over       {local_minute(each.ended_at)}: {each.end_reason} ({each.ended_by})"]
            if each.ended_at
            else []
        ),
    ]
    for text in lines:
        for line in wrapped(text, OUTPUT.width, _UNDER):
            OUTPUT.print(line, markup=False)
