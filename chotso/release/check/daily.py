"""Checks all sealed releases daily: the chain, the anchors, and what the warehouse shows.

Anchors come from `CHOTSO_ANCHOR_FILE`, a text file that an operator keeps where neither the
warehouse nor the releases folder can write. Each line has a release's id and its root, as on the
signed page. Blank lines and lines that begin with `#` are ignored. A release without a line is
covered by the line of any later one, because each root includes the root before it.
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.release.check.database import verify_with_database
from chotso.settings import Settings
from chotso.verifier.verify import read_anchor
from chotso.warehouse.connect import connect

_TOLD = 10


class DiffersError(ChotsoError):
    """What is sealed is not what is shown, or not what an anchor vouches for."""


class UnanchoredError(ChotsoError):
    """Everything agrees, but no anchor confirms a release, or the anchors cannot be read."""


@dataclass(frozen=True)
class Checked:
    """The result: `verified`, with all releases in order of the chain, or `nothing`."""

    status: str
    releases: list[str] = field(default_factory=list)


def check_releases(settings: Settings) -> Checked:
    """Check everything that is sealed, and record the result in `ops.release_check`.

    Raises:
        DiffersError: As `_checked`; it is recorded, too.
        UnanchoredError: Likewise.
        ChotsoError: The warehouse does not answer or is busy: that says nothing of a release, and
            is not recorded.
    """
    try:
        found = _checked(settings)
    except UnanchoredError as error:
        _record(settings, "unanchored", 0, error.what)
        raise
    except DiffersError as error:
        _record(settings, "differs", 0, error.what)
        raise
    _record(settings, found.status, len(found.releases), None)
    return found


def _record(settings: Settings, result: str, releases: int, what: str | None) -> None:
    with connect(settings) as conn:
        conn.execute(
            "insert into ops.release_check (result, releases, what) values (%s, %s, %s)",
            [result, releases, what],
        )


def _checked(settings: Settings) -> Checked:
    """Check every release on disk, the chain, the anchors, and what readers see.

    Raises:
        DiffersError: Something differs.
        UnanchoredError: No anchor confirms a release, or the anchor file is missing, unreadable, or
            in a place that a forger of releases could write to.
        ChotsoError: The warehouse does not answer or is busy.
    """
    anchors: dict[str, str] = {}
    mistake: UnanchoredError | None = None
    try:
        anchors = _anchors(settings)
    except UnanchoredError as error:
        mistake = error  # it must not hide what differs
    roots = _compared(settings, anchors)
    if mistake is not None:
        raise mistake
    if not roots:
        return Checked("nothing")
    names = list(roots)
    vouched = max((names.index(each) + 1 for each in anchors), default=0)
    if unknown := names[vouched:]:
        raise _unanchored(unknown, roots)
    return Checked("verified", names)


def _compared(settings: Settings, anchors: dict[str, str]) -> dict[str, str]:
    """Id and root of each release, in order of the chain; nothing differs. None: nothing sealed."""
    folder = settings.releases_dir
    if not folder.is_dir() or not any(map(_is_release, folder.iterdir())):
        _refuse_lost(settings, folder)
        return {}
    result = verify_with_database(settings, folder)
    problems = [f"{each.code}: {each.path}: {each.message}" for each in result.findings]
    roots = {} if problems else _chain(folder)
    for release_id, anchor in anchors.items():
        if not problems and roots.get(release_id) != anchor:
            problems.append(
                f"anchor: {release_id}: its root is {roots.get(release_id)}, the anchor {anchor}"
            )
    if problems:
        raise _differing(problems)
    return roots


def _is_release(path: Path) -> bool:
    return not path.name.startswith(".") and path.name != "rehearsal"


def _chain(folder: Path) -> dict[str, str]:
    """Id and root of each release of a sound chain, in order."""
    after: dict[str | None, tuple[str, str]] = {}
    for path in folder.glob("*/manifest.json"):
        if not _is_release(path.parent):
            continue
        raw = path.read_bytes()
        manifest = json.loads(raw)
        after[manifest["previous_root"]] = (manifest["release_id"], sha256(raw).hexdigest())
    found: dict[str, str] = {}
    root: str | None = None
    while root in after:
        release_id, root = after[root]
        found[release_id] = root
    return found


def _anchors(settings: Settings) -> dict[str, str]:
    path = settings.anchor_file
    if path is None:
        return {}
    if path.is_relative_to(settings.releases_dir):
        raise _no_anchors(path, "lies in the releases folder: who forges a release forges it too")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_anchors(path, f"cannot be read: {error}") from error
    found: dict[str, str] = {}
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        release_id, _, digits = line.strip().partition(" ")
        try:
            root = read_anchor(digits)
        except ValueError as error:
            raise _no_anchors(path, f"has a line that is no `RELEASE ROOT`: {line!r}") from error
        if found.setdefault(release_id, root) != root:
            raise _no_anchors(path, f"has two roots of {release_id}")
    return found


def _no_anchors(path: Path, why: str) -> UnanchoredError:
    return UnanchoredError(
        f"The anchor file {path} {why}.",
        kept="everything as it is; releases and warehouse agree, and no anchor vouches for them.",
        next_step="mend CHOTSO_ANCHOR_FILE: one line `RELEASE ROOT` per signed page.",
    )


def _refuse_lost(settings: Settings, folder: Path) -> None:
    with connect(settings) as conn:
        rows = conn.execute("select release_id from frozen.release order by 1").fetchall()
    if rows:
        names = ", ".join(row[0] for row in rows)
        raise _differing([f"missing: {folder}: the warehouse has {names}, the folder nothing"])


def _unanchored(unknown: list[str], roots: dict[str, str]) -> UnanchoredError:
    """Releases without an anchor. The loader's login could have sealed an invented release."""
    named = [f"unanchored: {each}, root {roots[each]}" for each in unknown]
    return UnanchoredError(
        "\n".join(["Sealed, and no anchor vouches for it:", *named]),
        kept="everything as it is; it agrees with itself and with the warehouse, which proves "
        "nothing.",
        next_step="compare the root with the signed page: if it is there, add the line `RELEASE "
        "ROOT` to CHOTSO_ANCHOR_FILE; if nobody ordered that release, it is forged: touch nothing, "
        "run `chotso verify FOLDER --deep`, and see docs/verification.md.",
    )


def _differing(problems: list[str]) -> DiffersError:
    more = [f"and {len(problems) - _TOLD} more"] if len(problems) > _TOLD else []
    return DiffersError(
        "\n".join(["What is sealed is not what is shown:", *problems[:_TOLD], *more]),
        kept="everything as it is, as evidence.",
        next_step="touch nothing; compare each release with its signed page "
        "(`chotso verify FOLDER --anchor ROOT --database`), find out who changed it, and see "
        "docs/verification.md.",
    )
