"""Bundles as folders: staged beside their place, moved in whole, restored when lost or damaged."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.release.bundle import papers
from chotso.release.bundle import writer as bundle
from chotso.verifier import verify


def staging(folder: Path) -> Path:
    """Where the bundle is made before it is moved to `folder`; whatever a killed run left, gone.

    Raises:
        OSError: The place cannot be written.
    """
    remove_staging(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return _staging(folder)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into what the operator is told.

    Raises:
        ChotsoError: A file or folder could not be written.
    """
    try:
        yield
    except OSError as error:
        raise ChotsoError(
            f"The bundle {folder} cannot be written: {error.strerror} ({error.filename}).",
            kept="what is sealed, and what was extracted and built.",
            next_step="make room, or mend CHOTSO_RELEASES_DIR and its rights; then run the freeze "
            "again.",
        ) from error


def remove_staging(folder: Path) -> None:
    """Remove what a run left half made."""
    if _staging(folder).exists():
        shutil.rmtree(_staging(folder))


def is_sound(folder: Path, root: str) -> bool:
    """Whether the bundle at this folder is, to the byte, the one with this root.

    What stands beside it, not under the root, is a person's and is left to `verify` to judge.
    """
    findings = verify.verify_bundle(folder, root).findings
    return all(finding.code == "certification" for finding in findings)


def place(staged: Path, folder: Path, root: str) -> None:
    """Move a bundle into its place, for good; a damaged one that stands there is set aside.

    Files that stand beside a bundle, not under its root, are carried over.

    Raises:
        ChotsoError: What was staged is not the bundle with this root.
    """
    bundle.check(staged, root=root)
    if os.path.lexists(folder):
        os.rename(folder, _aside(folder))
        failpoint("freeze.set-aside")
    _carry_beside(folder, staged)
    papers.add_signature_page(staged, root)
    os.rename(staged, folder)
    bundle.flush(folder)
    _flush_names(folder.parent)


def restore(folder: Path, files: list[tuple[str, bytes]], root: str) -> None:
    """Put a lost or damaged bundle back from the warehouse's copy of its files.

    Raises:
        ChotsoError: The copy is damaged too; the folder is left as it is.
    """
    place_of_work = staging(folder)
    if any(not verify.is_plain_path(path) for path, _ in files):
        raise _lost(folder, "it names files outside its folder")
    place_of_work.mkdir()
    bundle.write_files(place_of_work, files)
    failpoint("freeze.restoring")
    if not is_sound(place_of_work, root):
        raise _lost(folder, "it does not have the root that was sealed")
    place(place_of_work, folder, root)


def _lost(folder: Path, why: str) -> ChotsoError:
    return ChotsoError(
        f"The bundle {folder} is missing or damaged, and so is the warehouse's copy: {why}.",
        kept="both, as they are, as evidence.",
        next_step="put the bundle back from a second custodian's copy or from a backup, check it "
        "with verify.py and the anchor, and find out who changed the warehouse.",
    )


def _staging(folder: Path) -> Path:
    return folder.with_name(f".staging-{folder.name}")


def _aside(folder: Path) -> Path:
    last = max((number for number, _ in _set_aside(folder)), default=0)
    return folder.with_name(f".damaged-{folder.name}-{last + 1}")


def _set_aside(folder: Path) -> list[tuple[int, Path]]:
    """The damaged bundles of this very release, numbered in the order in which they came.

    Read whole: a release's id may be how another's begins.
    """
    name = re.compile(rf"\.damaged-{re.escape(folder.name)}-([1-9][0-9]*)", re.ASCII)
    found = ((name.fullmatch(path.name), path) for path in folder.parent.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def _carry_beside(folder: Path, staged: Path) -> None:
    """Copy signatures and certifications from the damaged bundles that were set aside."""
    for _, old in _set_aside(folder):
        for path in (old / "signature.pdf", *sorted((old / "certifications").glob("*.json"))):
            name = path.relative_to(old)
            if path.is_file() and not path.is_symlink() and verify.stands_beside(name.as_posix()):
                (staged / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(path, staged / name)


def _flush_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
