"""Runs dbt in this process, with a profile from environment variables; returns a summary."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chotso import PROJECT_ROOT
from chotso.ambient import scrub
from chotso.build import artifacts, events, log, nodes, sessions
from chotso.build.macros import drop_unused
from chotso.errors import ChotsoError
from chotso.session import PINNED
from chotso.settings import Settings
from chotso.urls import libpq_variables, one_host
from chotso.waits import LIMITS
from chotso.warehouse.connect import LOADER_ROLE

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner

PROJECT_DIR = PROJECT_ROOT / "dbt_project"
Callback = Callable[[Any], None]  # called with each event of dbt
_PARSED: dict[bool, Any] = {}  # the parsed project; key: whether it was parsed without a cache
_PARSED_FOR = "marts_build"  # the schema for which a project is parsed, before it is relocated
_THREADS = 4  # even on fewer cores: while dbt renders a model, the server builds others
_NO_INSTANT = "2000-01-01T00:00:00.000000+00:00"
WHOLE = ("build", "--exclude-resource-type", "unit_test")
_BAD = ("error", "fail", "runtime error")
_GOOD = ("success", "pass", "warn")
# A build reads much and writes only what can be rebuilt. It must not depend on a server's defaults.
_SESSION = (
    f"{PINNED} -c role={LOADER_ROLE} "
    "-c client_encoding=UTF8 -c timezone=UTC -c datestyle=ISO,YMD -c synchronous_commit=off "
    # statistics are for joins of the same build: a smaller sample is enough
    "-c work_mem=128MB -c maintenance_work_mem=256MB -c default_statistics_target=40 "
    f"{LIMITS} "
    "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
)


@dataclass(frozen=True)
class DbtSummary:
    """How many models were built and tests passed in one call."""

    models: int
    tests: int


def run_dbt(
    settings: Settings,
    schema: str,
    variables: Mapping[str, Any],
    command: tuple[str, ...] = WHOLE,
    session_name: str = "chotso build",
    is_parsed_anew: bool = False,
    watchers: Sequence[nodes.NodeWatcher] = (),
) -> DbtSummary:
    """Run one dbt command in `schema`, with the warehouse's login and the role `chotso_loader`.

    State and logs are in `<home>/dbt/<schema>`. dbt gets the password in an environment variable,
    which is set only during the call, and which dbt scrubs from all its output. Its sessions have
    the name `session_name`. With `is_parsed_anew`, no cache of an earlier process is used. The
    watchers are told of each model and test.

    Raises:
        ChotsoError: A model or a test failed; it and the log file are named.
    """
    place = settings.home / "dbt" / schema
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_file = place / "logs" / "dbt.log"
    before = [
        *("--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
        "--no-write-json",  # chotso.build.artifacts writes what is read
        *("--log-path", str(log_file.parent)),
    ]
    with log.kept_in(log_file) as keep, events.only_told():
        manifest = _manifest(settings, schema, variables, before, is_parsed_anew, [keep])
        with (
            environment(settings, schema, session_name),
            sessions.kept_between_nodes(),
            nodes.reported(manifest, watchers) as report,
        ):
            outcome = _runner([keep, report], manifest).invoke(
                [*before, *command, *_after(place / "target", variables)]
            )
    artifacts.keep_results(outcome.result, place / "target")
    if outcome.exception is not None:
        raise _failed(_told(str(outcome.exception).strip()), log_file)
    results: list[Any] = list(getattr(outcome.result, "results", []))
    if bad := [result for result in results if str(result.status) in _BAD]:
        raise _failed("; ".join(_said(result) for result in bad[:3]), log_file)
    if not outcome.success:
        raise _failed("dbt did not succeed and names no model", log_file)
    if command == WHOLE:
        _refuse_fewer(manifest, results, log_file)
    kinds = [str(result.node.resource_type) for result in results]
    return DbtSummary(models=kinds.count("model"), tests=len(kinds) - kinds.count("model"))


def _refuse_fewer(manifest: Any, results: list[Any], log_file: Path) -> None:
    """Raise an error if the build left out a model or a test of the project, for any reason."""
    wanted = {
        node.unique_id
        for node in manifest.nodes.values()
        if str(node.resource_type) in ("model", "test")
    }
    done = {result.node.unique_id for result in results if str(result.status) in _GOOD}
    if left_out := sorted(node.split(".")[2] for node in wanted - done):
        raise _failed(f"left out {len(left_out)}: {', '.join(left_out[:5])}", log_file)


def _runner(callbacks: list[Callback], manifest: Any = None) -> "dbtRunner":
    from dbt.cli.main import dbtRunner  # the import takes a second, once per process

    return dbtRunner(manifest=manifest, callbacks=callbacks)


def _after(target: Path, variables: Mapping[str, Any]) -> list[str]:
    return [
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        *("--target-path", str(target)),
        *("--vars", json.dumps(variables, ensure_ascii=False, sort_keys=True)),
    ]


def _manifest(
    settings: Settings,
    schema: str,
    variables: Mapping[str, Any],
    before: list[str],
    is_parsed_anew: bool,
    callbacks: list[Callback],
) -> Any:
    """The parsed project, for a database and schema; it is parsed once per process.

    dbt parses again whenever a variable, the target or a session's name changes. We need not: our
    instants are used only in SQL, which dbt renders at each run, and the target only sets the
    schema of the models. So the project is parsed for one fixed schema and instant, and then moved
    to the wanted schema. dbt caches the parsed project in `<home>/dbt/parsed` until a file of the
    project changes. Each run gets a copy, because a run changes its manifest. If the project cannot
    be parsed, the result is None, and the build itself reports why.
    """
    if is_parsed_anew not in _PARSED:
        cache = ("--no-partial-parse",) if is_parsed_anew else ()
        kept = settings.home / "dbt" / "parsed"
        fixed = {**variables, "as_known_at": _NO_INSTANT}
        fixed |= {"event_cutoff": None, "kept_as_known_at": None}
        with environment(settings, _PARSED_FOR, "chotso parse"):
            parsed = _runner(callbacks).invoke([*before, *cache, "parse", *_after(kept, fixed)])
        if not parsed.success:
            return None
        artifacts.keep_manifest(parsed.result, kept, settings.home / "dbt" / _PARSED_FOR / "target")
        drop_unused(parsed.result)
        _PARSED[is_parsed_anew] = parsed.result, _database(settings)
    parsed_manifest, database = _PARSED[is_parsed_anew]
    manifest = parsed_manifest.deepcopy()
    place = (_database(settings), schema)
    if place != (database, _PARSED_FOR):
        _move(manifest, (database, _PARSED_FOR), place)
    return manifest


def _move(manifest: Any, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Move models and tests to another database and schema; of sources, only the database.

    The marts of a scratch schema are read by people, so they must outlive a crash of the server.
    """
    for node in (*manifest.nodes.values(), *manifest.sources.values()):
        schema = new[1] if node.schema == old[1] else node.schema
        if node.relation_name:
            before = f'"{node.database}"."{node.schema}".'
            node.relation_name = node.relation_name.replace(before, f'"{new[0]}"."{schema}".')
        node.database, node.schema = new[0], schema
        if node.resource_type == "model" and node.fqn[1] == "marts":
            node.config["unlogged"] = schema == _PARSED_FOR


def _database(settings: Settings) -> str:
    return one_host(settings.warehouse_url).get("dbname", "")


def _profile(settings: Settings, schema: str) -> dict[str, str]:
    """Variables for dbt's profile, and libpq's variables for settings that dbt has no key for."""
    found = one_host(settings.warehouse_url)
    others = {key: value for key, value in found.items() if key != "password"}
    return libpq_variables(others) | {
        "CHOTSO_DBT_HOST": found.get("host", "/var/run/postgresql"),
        "CHOTSO_DBT_PORT": found.get("port", "5432"),
        "CHOTSO_DBT_USER": found.get("user", ""),
        "CHOTSO_DBT_DBNAME": found.get("dbname", ""),
        "CHOTSO_DBT_SCHEMA": schema,
        "CHOTSO_DBT_SSLMODE": found.get("sslmode", "prefer"),
        "CHOTSO_DBT_THREADS": str(_THREADS),
        "DBT_ENV_SECRET_CHOTSO_PASSWORD": found.get("password", ""),
        "PGOPTIONS": _SESSION,
        "DO_NOT_TRACK": "1",
    }


@contextmanager
def environment(settings: Settings, schema: str, session_name: str) -> Iterator[None]:
    """Set the variables that `profiles.yml` reads, during one call."""
    scrub()  # dbt's own variables could leave out tests, models or rows
    variables = _profile(settings, schema) | {"CHOTSO_DBT_SESSION": session_name}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _said(result: Any) -> str:
    kind = "test" if str(result.node.resource_type) != "model" else "model"
    return f"{kind} {result.node.name}: {nodes.reason_of(str(result.message or '')) or ''}"


def _told(text: str) -> str:
    """Why dbt ended: a server's error may quote rows, one of the project's own text does not."""
    if "Database Error" not in text:
        return text
    return nodes.reason_of(text) or "a database error"


def _failed(what: str, log_file: Path) -> ChotsoError:
    return ChotsoError(
        f"The build failed: {what}.",
        kept="the marts that readers see are those of the last exposed build.",
        next_step=f"read {log_file}, mend the cause, and run `chotso build` again.",
    )
