"""Writes dbt's artifacts where its tools look: run results of each build, and a changed manifest.

dbt itself would write both after each call, and its manifest would lack what `chotso.build.macros`
removed. If a file cannot be written, that is logged and the build goes on.
"""

import logging
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)
_CACHE = "partial_parse.msgpack"  # dbt writes it when a file of the project has changed


def keep_manifest(parsed: Any, cache: Path, target: Path) -> None:
    """Write `manifest.json` of the parsed project, if it is missing or older than dbt's cache."""
    path, changed = target / "manifest.json", cache / _CACHE
    is_old = not path.exists() or (
        changed.exists() and path.stat().st_mtime < changed.stat().st_mtime
    )
    if is_old:
        _write(parsed, path)


def keep_results(result: Any, target: Path) -> None:
    """Write `run_results.json` of a call, also if models or tests failed."""
    if hasattr(result, "write"):
        _write(result, target / "run_results.json")


def _write(artifact: Any, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        artifact.write(str(path))
    except OSError as error:
        _LOG.warning("%s could not be written: %s", path, error.strerror)
