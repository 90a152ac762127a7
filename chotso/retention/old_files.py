"""Files and folders that nothing needs any more. Links are never followed."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from chotso.contracts import contracts
from chotso.landing import MANIFEST
from chotso.retention.airflow_here import airflow_here
from chotso.settings import Settings
from chotso.warehouse.connect import connect

_DRAFTS = ("chotso-landing-", "chotso-drop-", "chotso-replay-", "chotso-again-")


@dataclass(frozen=True)
class Old:
    """A file, or a folder as a whole: its bytes, and when anything in it was last changed."""

    path: Path
    bytes: int
    touched_at: datetime


def airflow_logs(settings: Settings, before: datetime) -> list[Old]:
    """Log files of Airflow's tasks and programs."""
    airflow = airflow_here(settings)
    paths = _files(airflow.logs) if airflow else ()
    return [each for path in paths if (each := _old(path, before))]


def dbt_folders(settings: Settings, before: datetime) -> list[Old]:
    """Folders of `<home>/dbt`; dbt makes them anew."""
    folders = (path for path in _children(settings.home / "dbt") if path.name != "parsed")
    return [each for path in folders if (each := _old(path, before))]


def drafts(settings: Settings, before: datetime) -> list[Old]:
    """Our own folders in TMPDIR, and files of the archive that never got their name."""
    found = [
        path
        for path in _children(Path(tempfile.gettempdir()))
        if path.name.startswith(_DRAFTS) and path.lstat().st_uid == os.geteuid()
    ]
    if (archive := _local(settings.landing_url)) is not None:
        found += [path for path in _files(archive) if path.name.endswith(".part")]
    return [each for path in found if (each := _old(path, before))]


def unlanded(settings: Settings, before: datetime) -> list[Old]:
    """Folders of batches without a manifest, that no batch in work or published names."""
    archive = _local(settings.landing_url)
    if archive is None:
        return []
    with connect(settings) as conn:
        rows = conn.execute(
            "select landing_path from ops.batch "
            "where status in ('running', 'published') and landing_path is not null"
        )
        needed = {str(path) for (path,) in rows.fetchall()}
    found = [
        folder
        for feed in sorted(contracts())
        for day in _children(archive / feed)
        for folder in _children(day)
        if folder.is_dir()
        and not (folder / MANIFEST).exists()
        and folder.relative_to(archive).as_posix() not in needed
    ]
    return [each for path in found if (each := _old(path, before))]


def _old(path: Path, before: datetime) -> Old | None:
    stats = [each.lstat() for each in (path, *_files(path))]
    touched = datetime.fromtimestamp(max(each.st_mtime for each in stats), UTC)
    size = sum(each.st_size for each in stats) - (stats[0].st_size if path.is_dir() else 0)
    return Old(path, size, touched) if touched < before else None


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _local(url: str) -> Path | None:
    fs, root = fsspec.core.url_to_fs(url)
    return Path(root) if isinstance(fs, LocalFileSystem) else None
