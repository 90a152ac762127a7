"""Hashes of the code and packages that made a figure; they depend on content alone."""

import hashlib
from functools import cache
from pathlib import Path

from chotso import PROJECT_ROOT, __version__

_CODE = {
    "chotso": ("*.py", "*.sql", "*.md"),
    "dbt_project": ("*.sql", "*.yml"),
    "expectations": ("*.sql", "*.yml"),
}
_NOT_CODE = {"target", "logs", "dbt_packages", "__pycache__"}


@cache
def code_sha256() -> str:
    """The hash of the product's own code: path and content of each file, in path order."""
    digest = hashlib.sha256()
    for path in sorted(_code_files(), key=lambda p: p.relative_to(PROJECT_ROOT).as_posix()):
        name = path.relative_to(PROJECT_ROOT).as_posix()
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


@cache
def code_version() -> str:
    """Version and code hash, as in the ledger and in releases."""
    return f"{__version__}+{code_sha256()[:12]}"


@cache
def lock_sha256() -> str:
    """The hash of the lock file."""
    return hashlib.sha256((PROJECT_ROOT / "requirements.lock").read_bytes()).hexdigest()


def _code_files() -> list[Path]:
    found = []
    for folder, patterns in _CODE.items():
        for pattern in patterns:
            found += [
                path
                for path in (PROJECT_ROOT / folder).rglob(pattern)
                if not _NOT_CODE.intersection(path.parts)
            ]
    return found
