"""A bundle's papers: the reports under its root, and the page to sign beside it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chotso.paper_register import PaperRegister
from chotso.reports import (
    DOCUMENT,
    SIGNATURE,
    WORKBOOK,
    ReleaseFacts,
    facts_of,
    write_reports,
    write_signature_page,
)
from chotso.yaml_reader import read_yaml

_PERIODS = "config/periods.yml"
_PAPERS = "config/papers.yml"


def add_reports(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `report.xlsx` and `report.pdf`, flushed to disk.

    Args:
        folder: A bundle with its data files and configuration.
        manifest: Its manifest as it is without the two.
    """
    write_reports(folder, _facts(folder, manifest))
    for name in (WORKBOOK, DOCUMENT):
        _flush(folder / name)


def add_signature_page(folder: Path, root: str) -> None:
    """Write `signature.pdf` beside a complete bundle, unless there is a signed one."""
    if (folder / SIGNATURE).exists():
        return
    manifest = json.loads((folder / "manifest.json").read_bytes())
    write_signature_page(folder, root, _facts(folder, manifest))
    _flush(folder / SIGNATURE)


def _facts(folder: Path, manifest: Mapping[str, Any]) -> ReleaseFacts:
    name = _period_name(folder, manifest["period_id"])
    return facts_of(manifest, name, PaperRegister.of_content(_register(folder, _PAPERS)))


def _register(folder: Path, name: str) -> dict[str, Any]:
    """A register of the bundle; empty if the bundle is older than the register."""
    path = folder / name
    content = read_yaml(path.read_bytes()) if path.is_file() else None
    return content if isinstance(content, dict) else {}


def _period_name(folder: Path, period_id: str) -> str:
    """The period's Vietnamese name in the bundle's register, or else its id."""
    periods = _register(folder, _PERIODS).get("periods") or []
    return next((each["name_vi"] for each in periods if each.get("id") == period_id), period_id)


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
