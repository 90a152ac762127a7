"""dbt as developers use it: our project, today's registers, everything that is known.

It builds into a scratch schema, which no reader or release uses. Manifest, run results and catalog
are in `dbt_project/target`, where dbt's tools look for them.
"""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from chotso.build.dbt import build_variables
from chotso.build.runner import PROJECT_DIR, environment
from chotso.build.scratch import claim_scratch_schema, drop_foreign_keys
from chotso.errors import ChotsoError
from chotso.registers import load_registers
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.yaml_reader import read_yaml

SCHEMA = "scratch_dbt"
_REPLACES_TABLES = {"build", "run", "retry"}


def pass_through(settings: Settings, arguments: Sequence[str]) -> bool:
    """Run dbt with these arguments; true if dbt succeeded.

    Our variables are defaults under those of `--vars`. Without `--vars`, the build knows everything
    published until now and has no cutoff.

    Raises:
        ChotsoError: dbt did not accept the arguments, or ended without a result.
    """
    from dbt.cli.main import dbtRunner  # importing dbt takes a second, once per process

    given, rest = _variables_apart(arguments)
    with connect(settings) as conn, hold(conn, f"build {SCHEMA}"):
        claim_scratch_schema(conn, SCHEMA)
        if _REPLACES_TABLES.intersection(rest):
            drop_foreign_keys(conn, SCHEMA)
        variables = build_variables(load_registers(), _newest_known(conn), None) | given
        with environment(settings, SCHEMA, "chotso dbt"):
            outcome = dbtRunner().invoke([*rest, *_ours(rest, variables)])
    if outcome.exception is not None:
        raise ChotsoError(
            f"dbt ended without a result: {str(outcome.exception).strip()}",
            kept="readers see what they saw: `chotso dbt` writes a scratch schema alone.",
            next_step=f"run `chotso dbt --help`, or read {PROJECT_DIR / 'logs' / 'dbt.log'}.",
        )
    return bool(outcome.success)


def _variables_apart(arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    parser = ArgumentParser(prog="chotso dbt", add_help=False, allow_abbrev=False)
    parser.add_argument("--vars", type=read_yaml, default={})
    known, rest = parser.parse_known_args(list(arguments))
    if not isinstance(known.vars, dict):
        raise ChotsoError(
            "--vars is no YAML dictionary.",
            next_step="give it as e.g. --vars '{event_cutoff: \"2021-12-31T17:00:00+07:00\"}'.",
        )
    return known.vars, rest


def _ours(arguments: Sequence[str], variables: Mapping[str, Any]) -> list[str]:
    """Options that every dbt command takes, but `dbt --version` does not."""
    if all(argument.startswith("-") for argument in arguments):
        return []
    return [
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        *("--vars", json.dumps(variables, ensure_ascii=False, sort_keys=True)),
    ]


def _newest_known(conn: psycopg.Connection) -> datetime:
    """The newest instant of published batches and recorded acts; now, if there are none."""
    row = conn.execute(
        """
        select greatest(
            (select max(known_at) from ops.batch where status = 'published'),
            (select max(known_at) from ops.operator_act)
        )
        """
    ).fetchone()
    conn.commit()
    return row[0] if row and row[0] else datetime.now(UTC)
