"""The manifest of the dbt project from `dbt parse`, once per process; it needs no database.

`python -m tests.worlds.dbt_manifest` writes it to `.cache/dbt-parse` (for `make bouncer`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from chotso import PROJECT_ROOT

PROJECT = PROJECT_ROOT / "dbt_project"
TARGET = PROJECT_ROOT / ".cache" / "dbt-parse"
_NOWHERE = {
    "CHOTSO_DBT_HOST": "127.0.0.1", "CHOTSO_DBT_PORT": "1", "CHOTSO_DBT_USER": "nobody",
    "CHOTSO_DBT_DBNAME": "none", "CHOTSO_DBT_SCHEMA": "marts_build",
    "DBT_ENV_SECRET_CHOTSO_PASSWORD": "none",
}  # fmt: skip


def parse(project: Path, target: Path) -> None:
    """Run `dbt parse` on a project; it writes the manifest into `target`.

    Raises:
        subprocess.CalledProcessError: dbt could not parse it; its output says why.
    """
    program = "import sys; from dbt.cli.main import cli; cli(sys.argv[1:])"
    subprocess.run(
        [
            sys.executable, "-c", program, "--log-path", target / "logs", "parse",
            "--project-dir", project, "--profiles-dir", project, "--target-path", target,
        ],
        env={**os.environ, **_NOWHERE}, check=True, capture_output=True,
    )  # fmt: skip


@cache
def parsed() -> Path:
    """The folder with the manifest of our project, parsed by this process."""
    parse(PROJECT, TARGET)
    return TARGET


@cache
def manifest() -> dict[str, Any]:
    """The manifest of our project; make a copy before you change it."""
    read: dict[str, Any] = json.loads((parsed() / "manifest.json").read_text("utf-8"))
    return read


def models() -> Iterator[dict[str, Any]]:
    """All models of our project."""
    for node in manifest()["nodes"].values():
        if node["resource_type"] == "model":
            yield node


if __name__ == "__main__":
    print(parsed())
