"""The landing archive: a file that counts as landed is on disk, name and bytes."""

import os
import stat
from pathlib import Path

import pytest

from chotso.landing import Landing


def test_a_landed_file_is_on_disk_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are flushed before it gets its name, and its folder after that."""
    steps: list[str] = []
    flush, rename = os.fsync, os.replace

    def flushed(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append("folder" if is_folder else "bytes")
        flush(descriptor)

    def renamed(source: Path, target: Path) -> None:
        steps.append("name")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    Landing(str(tmp_path)).write_manifest("payments/one", {"rows": 1})
    assert steps == ["bytes", "name", "folder"]
