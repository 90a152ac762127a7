"""Bundles as folders: made in a staging folder, moved into place, restored if lost or damaged."""

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
    """Make an empty folder for the new bundle; remains of a killed run are removed.

    Raises:
        OSError: The place cannot be written.
    """
    remove_staging(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return _staging(folder)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn errors of the disk into messages for the operator.

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
    """Remove the remains of a run that did not finish."""
    if _staging(folder).exists():
        shutil.rmtree(_staging(folder))


def is_sound(folder: Path, root: str) -> bool:
    """Whether the folder holds exactly the bundle with this root.

    Files beside it that are not under the root belong to a person; `verify` checks them.
    """
    findings = verify.verify_bundle(folder, root).findings
    return all(finding.code == "certification" for finding in findings)


def refuse_unknown(folder: Path) -> None:
    """Refuse to seal if there is a whole bundle that the warehouse does not know.

    The warehouse was restored from a backup that is older than that seal. A new seal would have
    another root than the signed page, and the signed bundle would be set aside as damaged.

    Raises:
        ChotsoError: There is such a bundle.
    """
    if verify.verify_bundle(folder, None).status == "unanchored":
        raise ChotsoError(
            f"{folder} is a whole sealed release that the warehouse does not know: the warehouse "
            "is older than it.",
            kept="the release; nothing was read or sealed.",
            next_step="restore the warehouse to after that seal (docs/backup.md). If the release "
            "shall not count, move its folder away and run this again.",
        )


def place(staged: Path, folder: Path, root: str) -> None:
    """Move a bundle into its final place; a damaged bundle there is set aside first.

    Files beside the damaged bundle that are not under its root are copied to the new one.

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
    """Restore a lost or damaged bundle from the files in the warehouse.

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
    """The damaged bundles of this release that were set aside, in order.

    The name is matched as a whole: one release's id may be the beginning of another's.
    """
    name = re.compile(rf"\.damaged-{re.escape(folder.name)}-([1-9][0-9]*)", re.ASCII)
    found = ((name.fullmatch(path.name), path) for path in folder.parent.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def _carry_beside(folder: Path, staged: Path) -> None:
    """Copy signatures and certifications from damaged bundles that were set aside."""
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
