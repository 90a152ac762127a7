"""Puts files into the drop folder: whole or not at all, with manifests beside most of them."""

import hashlib
import os
from pathlib import Path

from chotso.sandbox.province.randomness import choice_by_name

PATTERNS = ("C12_*", "KE_HOACH_*")


def clear_drop(drop: Path) -> None:
    """Removes what an earlier province delivered; other files stay."""
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
        content: What arrives.
        rows: Data rows over all sheets, without headers.
        at: Instant of the delivery, which becomes the file's time.
        stated: What the manifest speaks of, where that is not what arrives.
        always_manifest: Writes both manifests whatever the name.
    """
    choice = 9 if always_manifest else choice_by_name(f"manifest {name}", 10)
    # Manifests first: whoever sees the file sees them too.
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
