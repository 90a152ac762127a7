"""Writes files into the drop folder atomically, most of them with manifests."""

import hashlib
import os
from pathlib import Path

from chotso.sandbox.province.randomness import choice_by_name

PATTERNS = ("C12_*", "KE_HOACH_*")


def clear_drop(drop: Path) -> None:
    """Removes the files of an earlier province; other files stay."""
    drop.mkdir(parents=True, exist_ok=True)
    for pattern in PATTERNS:
        for path in sorted(drop.glob(pattern)):
            path.unlink()


def deliver(
    drop: Path, name: str, content: bytes, *, rows: int, at: int, stated: bytes | None = None,
    always_manifest: bool = False,
) -> None:  # fmt: skip
    """Writes a file and its manifests; nine in ten have a `.sha256`, eight in ten a `.count`.

    Args:
        drop: The folder.
        name: The file's name.
        content: The bytes that arrive.
        rows: Data rows over all sheets, without headers.
        at: Instant of the delivery, and of the file's time.
        stated: The bytes that the manifest describes, if they differ from `content`.
        always_manifest: Write both manifests, whatever the name is.
    """
    choice = 9 if always_manifest else choice_by_name(f"manifest {name}", 10)
    # Manifests first, so that they are complete when the file appears.
    if choice > 0:
        digest = hashlib.sha256(content if stated is None else stated).hexdigest()
        _write(drop / f"{name}.sha256", f"{digest}\n".encode(), at)
    if choice > 1:
        _write(drop / f"{name}.count", f"{rows}\n".encode(), at)
    _write(drop / name, content, at)


def _write(path: Path, content: bytes, at: int) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.utime(part, (at, at))
    part.replace(path)
