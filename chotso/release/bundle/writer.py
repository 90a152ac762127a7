"""Writes a bundle: the folder of files under a release's root. SPEC.md describes it."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.release.bundle import papers
from chotso.release.bundle.inputs import MadeBy
from chotso.release.bundle.signers import signers_of
from chotso.release.data.canonical import DataFile, canonical_json, csv_lines, render
from chotso.release.data.reading import FileRow
from chotso.release.data.tables import CORRECTION, TABLES
from chotso.verifier import verify

_SHIPPED = Path(verify.__file__).parent
DOCUMENTS = ("SPEC.md", "verify.html", "verify.py")
"""What every bundle carries besides its own content, from the verifiers' room."""


@dataclass(frozen=True)
class Correction:
    """Why a release is corrected, by whom, and the root of the corrected one."""

    reason: str
    author: str
    corrected_root: str


@dataclass(frozen=True)
class Identity:
    """A release's id, period, place in the chain, and its two instants."""

    release_id: str
    period_id: str
    kind: str
    cutoff_at: datetime
    as_known_at: datetime
    business_date: date
    corrects: str | None = None
    previous_root: str | None = None
    correction: Correction | None = None


@dataclass(frozen=True)
class Written:
    """A bundle on disk that its verifier has checked."""

    folder: Path
    root: str
    data_root: str
    code_version: str


def write_bundle(
    folder: Path,
    identity: Identity,
    tables: Mapping[str, Iterable[FileRow]],
    made: MadeBy,
    inputs: list[dict[str, Any]],
    final_extract: list[dict[str, Any]],
) -> Written:
    """Write a bundle into a folder that does not exist yet, flushed to disk, and verify it.

    Args:
        folder: Made here.
        identity: What the release is.
        tables: Rows by table name, for every table of `tables.TABLES` and, of a corrigendum, of
            `tables.CORRECTION`, in order of their keys. They are read one after the other, so the
            rows of a correction can be computed from the files that were written before.
        made: Code, packages, configuration and rules that the figures were built by.
        inputs: As `inputs.landed_inputs` gives them.
        final_extract: As `inputs.newest_batches` gives them.

    Raises:
        ChotsoError: A figure has no canonical form, or what was written does not verify.
    """
    data_files = (*TABLES, *(CORRECTION if identity.correction else ()))
    contents = {data_file.path: _csv(data_file, tables[data_file.name]) for data_file in data_files}
    folder.mkdir(parents=True)
    for path, lines in contents.items():
        _write(folder / path, lines)
        failpoint("freeze.writing")
    for data_file in data_files:
        with (folder / data_file.path).open("rb") as data:
            _write(folder / verify.row_index_path(data_file.path), verify.row_index(data))
    for path, content in {**documents(), **made.configuration}.items():
        _write(folder / path, [content])
    manifest = _manifest(identity, list(_entries(folder)), made, inputs, final_extract)
    papers.add_reports(folder, manifest)
    failpoint("freeze.reports-written")
    manifest = _manifest(identity, list(_entries(folder)), made, inputs, final_extract)
    _write(folder / "manifest.json", [canonical_json(manifest)])
    failpoint("freeze.manifest-written")
    flush(folder)
    return check(folder, made.code_version)


def documents() -> dict[str, bytes]:
    """The documents of every bundle, by path."""
    return {name: (_SHIPPED / name).read_bytes() for name in DOCUMENTS}


def check(folder: Path, code_version: str = "", root: str | None = None) -> Written:
    """The bundle in a folder, after its verifier found no fault.

    Raises:
        ChotsoError: It does not verify; the findings are named.
    """
    result = verify.verify_bundle(folder, root)
    if result.findings or result.root is None or result.data_root is None:
        found = "; ".join(f"{each.code}: {each.path}" for each in result.findings[:5])
        raise ChotsoError(
            f"The bundle written to {folder} does not verify: {found}.",
            kept="nothing was sealed by this run.",
            next_step="check the disk, then run the freeze again.",
        )
    return Written(folder, result.root, result.data_root, code_version)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every file of a bundle, in path order."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def write_files(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files under a folder, flushed to disk."""
    for path, content in files:
        _write(folder / path, [content])
    flush(folder)


def flush(folder: Path) -> None:
    """Flush the names in a folder and below to disk; the files were flushed when written."""
    for place, _, _ in os.walk(folder):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _csv(data_file: DataFile, rows: Iterable[FileRow]) -> Iterator[bytes]:
    try:
        yield from csv_lines(data_file, rows)
    except ValueError as error:
        raise ChotsoError(
            f"A figure cannot be written exactly: {error}.",
            kept="nothing was sealed.",
            next_step="find the model that makes it, mend it, and run the freeze again.",
        ) from error


def _write(path: Path, lines: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.writelines(lines)
        stream.flush()
        os.fsync(stream.fileno())


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name in sorted(found):
        if found[name].is_file():
            with found[name].open("rb") as stream:
                yield verify.describe(name, stream)


def _manifest(
    identity: Identity,
    entries: list[dict[str, Any]],
    made: MadeBy,
    inputs: list[dict[str, Any]],
    final_extract: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "format": verify.FORMAT,
        "release_id": identity.release_id,
        "period_id": identity.period_id,
        "kind": identity.kind,
        "corrects": identity.corrects,
        "previous_root": identity.previous_root,
        "correction": asdict(identity.correction) if identity.correction else None,
        "cutoff_at": render(identity.cutoff_at, "instant"),
        "as_known_at": render(identity.as_known_at, "instant"),
        "business_date": render(identity.business_date, "date"),
        "files": entries,
        "data_root": verify.data_root(entries),
        "inputs": inputs,
        "final_extract": final_extract,
        "signers": signers_of(made.configuration),
        **made.manifest_part(),
    }
