"""`chotso refresh`: a light night within the day."""

from typing import TYPE_CHECKING, Annotated

import typer

from chotso.calendar import local_minute
from chotso.cli.console import OUTPUT, Json, answer, progress
from chotso.settings import load_settings

if TYPE_CHECKING:
    from chotso.orchestration.refresh import Refresh


def refresh(
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only in a period's last days; else do nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Bring today's changes of all feeds to readers, within the day; the night still comes."""
    from chotso.orchestration.refresh import NotNowError
    from chotso.orchestration.refresh import refresh as run

    try:
        with progress() as show:
            done = run(load_settings(), only_if_due=if_due, progress=show)
    except NotNowError as error:
        if not if_due:
            raise
        what = error.what
        answer({"skipped": what}, json, lambda: OUTPUT.print(what, markup=False))
        return
    answer(done, json, lambda: _tell(done))
    done.raise_if_stopped()


def _tell(done: "Refresh") -> None:
    changed = sum(int(batch["rows_changed"]) for batch in done.batches)
    OUTPUT.print(
        f"{len(done.batches)} batches for {done.business_date}: {changed:,} rows changed",
        markup=False,
    )
    if done.build is not None:
        OUTPUT.print(
            f"build {done.build.build_id}: readers see the figures as of "
            f"{local_minute(done.build.as_known_at)} (local time)",
            markup=False,
        )
    for note in done.notes:
        OUTPUT.print(f"note: {note}", markup=False)
