"""One run of a freeze, and the bundle that it writes before anything is sealed."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from chotso.errors import ChotsoError
from chotso.progress import Progress
from chotso.release import state
from chotso.release.bundle import folders, inputs
from chotso.release.bundle.writer import Correction, Identity, Written, write_bundle
from chotso.release.data.changes import Changes, Corrected
from chotso.release.data.reading import FileRow, Frozen, reading
from chotso.release.seal.checks import Check
from chotso.release.seal.parts import Parts
from chotso.settings import Settings


@dataclass(frozen=True)
class FreezeRun:
    """One run of a freeze, under the lock that its session holds."""

    conn: psycopg.Connection
    settings: Settings
    parts: Parts
    progress: Progress

    def folder(self, freeze: state.Freeze) -> Path:
        """The final folder of the bundle."""
        releases = self.settings.releases_dir
        return (releases / "rehearsal" if freeze.is_rehearsal else releases) / freeze.release_id


def stage(run: FreezeRun, freeze: state.Freeze, checks: list[Check]) -> Written:
    """Write the bundle in a staging folder.

    Raises:
        ChotsoError: The code is not that of the build, or a corrigendum would change no figure.
    """
    conn, folder = run.conn, run.folder(freeze)
    assert freeze.as_known_at is not None
    made = run.parts.made_by()
    if made.sha256() != freeze.inputs_sha256:
        raise ChotsoError(
            f"Code or configuration changed while {freeze.release_id} was being built.",
            kept="the final extract; nothing was sealed.",
            next_step="leave them alone, and run the freeze again.",
        )
    with conn.transaction():
        previous_root = None if freeze.is_rehearsal else state.newest_root(conn)
        landed = inputs.landed_inputs(conn, freeze.as_known_at)
        newest = inputs.newest_batches(conn, freeze.as_known_at)
    corrected = _corrected(conn, freeze)
    came_late = _came_late(run, freeze) if corrected else ()
    identity = _identity(freeze, previous_root, corrected)
    frozen = Frozen(
        freeze.target_schema,
        freeze.period_id,
        freeze.cutoff_at,
        freeze.as_known_at,
        run.parts.period(freeze.period_id).withheld_employer_groups,
        state.last_month(conn, corrected.release_id) if corrected else None,
    )
    with reading(conn, frozen) as tables, folders.writable(folder):
        place = folders.staging(folder)
        whole: dict[str, Iterable[FileRow]] = {**tables, "checks": [each.row for each in checks]}
        if corrected:
            whole["changes"] = changes = Changes(corrected, place)
            whole["late_changes"] = came_late
        staged = write_bundle(place, identity, whole, made, landed, newest)
    if corrected and not changes.figures:
        clean(run, freeze)
        raise _nothing_changed(freeze)
    return staged


def clean(run: FreezeRun, freeze: state.Freeze) -> None:
    """Remove the staging folder and the scratch schema."""
    folders.remove_staging(run.folder(freeze))
    state.drop_scratch(run.conn, freeze)


def _identity(
    freeze: state.Freeze, previous_root: str | None, corrected: Corrected | None
) -> Identity:
    assert freeze.as_known_at is not None
    return Identity(
        release_id=freeze.release_id,
        period_id=freeze.period_id,
        kind=freeze.kind,
        cutoff_at=freeze.cutoff_at,
        as_known_at=freeze.as_known_at,
        business_date=freeze.business_date,
        corrects=freeze.corrects,
        previous_root=previous_root,
        correction=_correction(freeze, corrected),
    )


def _corrected(conn: psycopg.Connection, freeze: state.Freeze) -> Corrected | None:
    if freeze.corrects is None:
        return None
    found = state.sealed(conn, "frozen", freeze.corrects)
    assert found is not None
    return Corrected(
        found.release_id, found.root_sha256, partial(state.stored_file, conn, found.release_id)
    )


def _came_late(run: FreezeRun, freeze: state.Freeze) -> Iterable[FileRow]:
    assert freeze.as_known_at is not None
    run.progress(f"tell what came late for {freeze.corrects}")
    return run.parts.late_changes(run.settings, freeze.period_id, freeze.as_known_at, run.progress)


def _correction(freeze: state.Freeze, corrected: Corrected | None) -> Correction | None:
    if corrected is None:
        return None
    assert freeze.correction_reason is not None
    assert freeze.correction_author is not None
    return Correction(freeze.correction_reason, freeze.correction_author, corrected.root)


def _nothing_changed(freeze: state.Freeze) -> ChotsoError:
    return ChotsoError(
        f"Nothing to correct: every figure of {freeze.corrects} is the same by what is known now.",
        kept=f"{freeze.corrects}, which stays current; nothing was sealed.",
        next_step="have the source or the configuration corrected, run `chotso nightly`, then run "
        "the corrigendum again.",
    )
