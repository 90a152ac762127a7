"""`chotso quarantine`: the rows set aside, with their reasons and their money."""

from typing import Annotated, Any

import typer
from psycopg.rows import dict_row
from rich.table import Table

from chotso.cli.console import OUTPUT, Json, answer
from chotso.errors import ChotsoError
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

app = typer.Typer(no_args_is_help=True, help="The rows set aside.")

_LIST = """
select id, feed, rule_id, row_key, money, first_seen, last_seen, status
from quarantine.row
where %(all)s or status = 'open'
order by feed, id
"""


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Ended and waived rows too.")] = False,
    json: Json = False,
) -> None:
    """List the rows set aside: feed, first rule broken, key, đồng, first and last seen."""
    with (
        connect(load_settings()) as conn,
        conn.cursor(row_factory=dict_row) as cursor,
    ):
        rows = cursor.execute(_LIST, {"all": all_}).fetchall()
    answer(rows, json, lambda: _table(rows))


@app.command()
def show(
    id_: Annotated[int, typer.Argument(metavar="ID", help="A row's id.")], json: Json = False
) -> None:
    """Show one row set aside: the row as delivered, every rule it broke, and its history."""
    with (
        connect(load_settings()) as conn,
        conn.cursor(row_factory=dict_row) as cursor,
    ):
        row = cursor.execute("select * from quarantine.row where id = %s", [id_]).fetchone()
    if row is None:
        raise ChotsoError(
            f"No row {id_} stands in quarantine.",
            next_step="run `chotso quarantine list` for the ids.",
        )

    def tell() -> None:
        for name, value in row.items():
            OUTPUT.print(f"{name}: {value}", markup=False)

    answer(row, json, tell)


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        OUTPUT.print("No row is set aside.")
        return
    table = Table()
    for name in rows[0]:
        table.add_column(name, justify="right" if name in ("id", "money") else "left")
    for row in rows:
        table.add_row(*[f"{v:,}" if n == "money" else str(v) for n, v in row.items()])
    OUTPUT.print(table)
