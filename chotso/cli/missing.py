"""`chotso missing`: register rows that the source no longer has, and how they are ended."""

from typing import Annotated

import typer

from chotso.calendar import local_minute
from chotso.cli.console import OUTPUT, Json, answer
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

app = typer.Typer(no_args_is_help=True, help="Register rows that the source no longer shows.")


@app.command("list")
def list_(json: Json = False) -> None:
    """List register rows that a whole read lacked: they stay in force, with what hangs on them."""
    from chotso.ingest import missing

    with connect(load_settings()) as conn:
        missing.weigh(conn, missing.feeds())
        conn.commit()
        rows = missing.listing(conn)

    def tell() -> None:
        for row in rows:
            since = local_minute(row.missing_since)
            OUTPUT.print(f"{row.feed} {row.row_key}: missing since {since}", markup=False)
            OUTPUT.print(f"    {missing.hanging_text(row.hanging)}", markup=False)
        if not rows:
            OUTPUT.print("No register row is missing.")

    answer(rows, json, tell)


@app.command()
def close(
    feed: Annotated[str, typer.Option("--feed", help="The register.")],
    reason: Annotated[str, typer.Option("--reason", help="Why the rows have ended.")],
    by: Annotated[str, typer.Option("--by", help="Who says so.")],
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY…", help="Keys as `missing list` shows them.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All missing rows of the feed.")] = False,
    json: Json = False,
) -> None:
    """Record that missing rows have ended: from now on nothing counts through them."""
    from chotso.ingest import missing
    from chotso.quarantine.close import close_missing

    if feed not in missing.feeds():
        raise typer.BadParameter(f"--feed is one of {', '.join(missing.feeds())}")
    if bool(keys) == all_:
        raise typer.BadParameter("name the rows' keys, or --all")
    settings = load_settings()
    if all_:
        with connect(settings) as conn:
            keys = [row.row_key for row in missing.listing(conn, [feed])]
    report = close_missing(settings, feed, keys or [], reason=reason, by=by)

    def tell() -> None:
        for row in report.rows:
            OUTPUT.print(f"closed: {row}", markup=False)
        OUTPUT.print(f"act {report.act.act_id}: {report.act.landing_path}", markup=False)

    answer(report, json, tell)
