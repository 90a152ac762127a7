"""What documents name in backticks as a place of this repository is there."""

import re
from pathlib import Path

import pytest

from tests.repository.test_repository import DOCUMENTS, KEPT_FILES, ROOT

NAMES = {str(path.relative_to(ROOT)) for path in KEPT_FILES}
PLACES = NAMES | {str(folder) for name in NAMES for folder in Path(name).parents}
TOPS = {name.split("/")[0] for name in NAMES if "/" in name}
# What a document names though it is not committed, with why.
NOT_HERE = {
    "dbt_project/target": "dbt writes it",
    "dbt_project/target/semantic_manifest.json": "dbt writes it",
    "docker/secrets/airflow_admin_password": "an installation's own",
    "docker/secrets/alert_routes": "an installation's own",
    "docker/secrets/anchors": "an installation's own",
}
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+)/?`")
_MODULE = re.compile(r"`(chotso(?:\.[a-z_]+){2,})")  # of two parts are metrics, too


def missing(text: str) -> set[str]:
    """Paths under a folder of ours, and modules of the product, that are not there."""
    paths = {found for found in _PATH.findall(text) if found.split("/")[0] in TOPS}
    modules = {found for found in _MODULE.findall(text) if not _is_module(found)}
    return {path for path in paths if path not in PLACES} | modules


def _is_module(dotted: str) -> bool:
    """Whether it is a module, or a name in one."""
    path = dotted.replace(".", "/")
    inside = path.rpartition("/")[0]
    if {path, f"{path}.py", f"{inside}.py"} & PLACES:
        return True
    package = ROOT / inside / "__init__.py"
    return package.exists() and dotted.rpartition(".")[2] in package.read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_places_that_a_document_names_are_there(document: Path) -> None:
    assert missing(document.read_text(encoding="utf-8")) - set(NOT_HERE) == set()


def test_every_place_that_is_not_here_is_named() -> None:
    named = {each for path in DOCUMENTS for each in missing(path.read_text(encoding="utf-8"))}
    assert set(NOT_HERE) <= named


def test_a_place_that_was_moved_would_be_found() -> None:
    gone = "`chotso/freeze/SPEC.md`, `tests/warehouse/test_late.py`, `chotso.freeze.official`"
    assert len(missing(gone)) == 3
    there = "`chotso/verifier/SPEC.md`, `tests/release/`, `chotso.contracts.Contract`, `and/or`"
    assert missing(there) == set()
