"""`chotso retention`: what may go, with bytes and age; it deletes only with --apply."""

from typing import TYPE_CHECKING, Annotated

import typer

from chotso.calendar import local_minute
from chotso.cli.console import OUTPUT, Json, answer, progress
from chotso.settings import load_settings

if TYPE_CHECKING:
    from chotso.retention.rules import Retention

_MIB = 1 << 20


def retention(
    days: Annotated[int, typer.Option(help="What was touched since then stays.")] = 90,
    apply: Annotated[bool, typer.Option("--apply", help="Delete it.")] = False,
    json: Json = False,
) -> None:
    """Say which logs, drafts and rows of Airflow nothing needs any more; delete with --apply."""
    from chotso.retention.rules import retain

    with progress() as show:
        found = retain(load_settings(), days=days, apply=apply, progress=show)
    answer(found, json, lambda: _tell(found))


def _tell(found: "Retention") -> None:
    for gone in found.found:
        size = "" if gone.bytes is None else f"{gone.bytes / _MIB:,.1f} MiB"
        oldest = f"oldest {local_minute(gone.oldest)}" if gone.oldest else ""
        OUTPUT.print(f"{gone.count:>9,}  {size:>12}  {gone.what}", markup=False)
        if oldest:
            OUTPUT.print(f"{'':25}{oldest}", markup=False)
    OUTPUT.print(
        "deleted"
        if found.applied
        else "Nothing was deleted: `chotso retention --apply` deletes what stands here.",
        markup=False,
    )
