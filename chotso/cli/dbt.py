"""`chotso dbt …`: dbt with its own arguments, on our project and warehouse."""

import contextlib
from pathlib import Path

import typer

from chotso import PROJECT_ROOT
from chotso.settings import load_settings

AS_TYPED = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def dbt(context: typer.Context) -> None:
    """Run dbt on a scratch schema, with dbt's own words: `chotso dbt build`, `chotso dbt ls`."""
    from chotso.build.developer import pass_through

    in_project = Path.cwd().resolve().is_relative_to(PROJECT_ROOT / "dbt_project")
    with contextlib.chdir(PROJECT_ROOT) if in_project else contextlib.nullcontext():
        settings = load_settings()
    if not pass_through(settings, context.args or ["--help"]):
        raise typer.Exit(1)
