"""`chotso sandbox`: the embedded PostgreSQL and the synthetic province (all invented)."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from chotso.cli.console import OUTPUT, Json, answer, as_instant, progress
from chotso.errors import ChotsoError
from chotso.settings import load_home, load_places, load_settings

if TYPE_CHECKING:
    from chotso.sandbox.province import AdvanceReport, SeedReport

app = typer.Typer(no_args_is_help=True, help="The embedded server and the synthetic province.")


@app.command()
def start(json: Json = False) -> None:
    """Start the embedded PostgreSQL with the databases tst, warehouse and airflow."""
    from chotso.sandbox import server

    with progress() as show:
        show("starting PostgreSQL")
        running = server.start(load_home())
    load_settings().pseudonym_key()  # the embedded default makes a key at its first start
    answer(
        {"host": running.host, "port": running.port, "data_dir": running.data_dir},
        json,
        lambda: OUTPUT.print(f"PostgreSQL listens on {running.host}:{running.port}", markup=False),
    )


@app.command()
def stop(json: Json = False) -> None:
    """Stop the embedded PostgreSQL; what it holds is kept."""
    from chotso.sandbox import server

    was_running = server.stop(load_home())
    answer(
        {"was_running": was_running},
        json,
        lambda: OUTPUT.print("stopped" if was_running else "was not running"),
    )


@app.command()
def status(json: Json = False) -> None:
    """Say whether the embedded PostgreSQL runs, and where."""
    from chotso.sandbox import server

    found = server.status(load_home())

    def tell() -> None:
        for name, value in found.items():
            OUTPUT.print(f"{name}: {value}", markup=False)

    answer(found, json, tell)


@app.command()
def seed(
    persons: Annotated[int, typer.Option(min=1)] = 120_000,
    employers: Annotated[int, typer.Option(min=1)] = 400,
    year: Annotated[int, typer.Option(min=2021)] = 2021,
    seed: Annotated[int, typer.Option()] = 2021,
    defects: Annotated[str, typer.Option(help="none, some or all")] = "none",
    json: Json = False,
) -> None:
    """Make the synthetic province in tst and the drop folder, up to 1 October."""
    from chotso.sandbox import province

    if defects not in ("none", "some", "all"):
        raise typer.BadParameter("--defects is none, some or all")
    chosen: Literal["none", "some", "all"] = defects  # type: ignore[assignment]
    place = _source()
    with progress() as show:
        report = province.seed(
            *place,
            persons=persons,
            employers=employers,
            year=year,
            seed=seed,
            defects=chosen,
            state_dir=load_home() / "sandbox",
            progress=show,
        )
    _tell(report, json)


@app.command()
def advance(
    to: Annotated[str, typer.Option(help="Until when the source lives, ISO-8601.")],
    json: Json = False,
) -> None:
    """Let the source live until an instant: payments, corrections, new spells, C12 exports."""
    from chotso.sandbox import province

    instant = as_instant(to)
    place = _source()
    with progress() as show:
        report = province.advance(
            *place, to=instant, state_dir=load_home() / "sandbox", progress=show
        )
    _tell(report, json)


def _source() -> tuple[str, Path]:
    from chotso.sandbox import server

    running = server.load(load_home())
    if running is None:
        raise ChotsoError(
            "There is no embedded PostgreSQL to make the province in.",
            next_step="run `chotso sandbox start`.",
        )
    drop = load_places().drop_url.removeprefix("file://")
    return running.source_admin_url, Path(drop)


def _tell(report: "SeedReport | AdvanceReport", as_json: bool) -> None:
    def tell() -> None:
        OUTPUT.print(report.note, markup=False)
        OUTPUT.print(f"the source's clock: {report.clock_at}", markup=False)
        rows = ", ".join(f"{name} {count:,}" for name, count in report.rows.items())
        OUTPUT.print(f"rows: {rows}; files: {len(report.files)}", markup=False)
        for kind, count in Counter(defect.kind for defect in report.defects).items():
            OUTPUT.print(f"planted: {kind} ({count})", markup=False)
        if report.defects:
            answers = load_home() / "sandbox" / "defects.json"
            OUTPUT.print(f"their right answers: {answers}", markup=False)

    answer(report, as_json, tell)
