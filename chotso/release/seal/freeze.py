"""Freezes a period: final extract, build at the cutoff, sealed release, bundle in its place.

`ops.freeze` records the steps that are done, so a killed freeze is finished by running it again:

    started ─▶ extracted ─▶ built ─▶ checked ─▶ (bundle staged) ─▶ sealed ─▶ placed

Sealing is one transaction. Before it there is no release. After it the release exists, and files
that are missing on disk are restored from the warehouse's copy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import psycopg

from chotso import telemetry
from chotso.build.official import show_official
from chotso.calendar import local_date, local_instant
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import drop_register
from chotso.progress import Progress
from chotso.release import state
from chotso.release.bundle import folders, inputs
from chotso.release.bundle.writer import Written, contents
from chotso.release.seal import checks, cutoff, registered
from chotso.release.seal.checks import Check, Override, evaluate
from chotso.release.seal.parts import Extracted, Parts, PeriodToFreeze
from chotso.release.seal.staging import FreezeRun, clean, stage
from chotso.settings import Settings

LOCK = "freeze"


@dataclass(frozen=True)
class FreezeReport:
    """A sealed release: its id, its root (64 hex digits), its folder, and whether it existed."""

    release_id: str
    root_sha256: str
    bundle: Path
    already_sealed: bool


def freeze(
    settings: Settings,
    period_id: str,
    *,
    rehearse: bool = False,
    override: Override | None = None,
    progress: Progress = lambda message: None,
    parts: Parts | None = None,
) -> FreezeReport:
    """Seal the period's release, or finish what an earlier run began, or show what is sealed.

    Args:
        settings: Where source, warehouse and releases are.
        period_id: A period of `config/periods.yml`.
        rehearse: Do everything on any day, under a rehearsal's id and outside the chain.
        override: A precondition that two persons let pass; it is printed on the report.
        progress: Told each step as a sentence.
        parts: Replaces what the freeze calls, in tests.

    Raises:
        ChotsoError: The cutoff has not come, a feed is missing, the build failed, or a sealed
            release cannot be restored. What is sealed stands; the next run goes on.
    """
    parts = parts or Parts()
    period = parts.period(period_id)
    with (
        telemetry.step("freeze", period_id),
        parts.connect(settings) as conn,
        parts.hold(conn, LOCK),
    ):
        run = FreezeRun(conn, settings, parts, progress)
        started = _rehearsal(run, period) if rehearse else _original(period)
        if found := state.sealed(conn, started.schema, started.release_id):
            return restored(run, started, found)
        if not rehearse:
            cutoff.refuse_before(run.settings, run.parts, period, run.progress)
        failpoint("freeze.begin")
        with reason_kept(run, started):
            begun = state.begin(conn, started)
            cutoff.refuse_moved(begun, started)
            return carry_through(run, begun, override)


def _original(period: PeriodToFreeze) -> state.Freeze:
    return state.Freeze(
        release_id=period.period_id,
        period_id=period.period_id,
        is_rehearsal=False,
        state="started",
        cutoff_at=period.cutoff_at,
        business_date=local_date(period.cutoff_at),
        as_known_at=None,
        target_schema="freeze_" + period.period_id.replace("-", "_"),
        inputs_sha256=None,
    )


def _rehearsal(run: FreezeRun, period: PeriodToFreeze) -> state.Freeze:
    today = local_date(run.parts.source_clock(run.settings))
    if unfinished := state.open_rehearsal(run.conn, period.period_id, today):
        return unfinished
    number = state.next_rehearsal_number(run.conn, period.period_id)
    return state.Freeze(
        release_id=f"rehearsal-{period.period_id}-{number}",
        period_id=period.period_id,
        is_rehearsal=True,
        state="started",
        cutoff_at=period.cutoff_at,
        business_date=today,
        as_known_at=None,
        target_schema=f"rehearsal_{number}_" + period.period_id.replace("-", "_"),
        inputs_sha256=None,
    )


@contextmanager
def reason_kept(run: FreezeRun, started: state.Freeze) -> Iterator[None]:
    """Record why a run stopped, for the next run."""
    try:
        yield
    except ChotsoError as error:
        if not run.conn.broken:
            run.conn.rollback()
            state.advance(run.conn, started, reason=str(error))
        raise


def carry_through(run: FreezeRun, freeze: state.Freeze, override: Override | None) -> FreezeReport:
    """Do all steps that are not done yet, up to the bundle in its place.

    Raises:
        ChotsoError: What stopped it; the next run goes on from there.
    """
    registered.refuse_unregistered(run.conn)
    if not freeze.is_rehearsal:
        folders.refuse_unknown(run.folder(freeze))
    if override is None and checks.must_read_anew(run.conn, freeze):
        freeze = state.advance(run.conn, freeze, state="started")
    if freeze.state == "started":
        freeze = _extract(run, freeze)
    failpoint("freeze.extracted")
    freeze = _build(run, freeze)
    failpoint("freeze.built")
    run.progress("check what must hold before a seal")
    _look_for_refused(run, freeze)
    found = evaluate(run.conn, freeze, override)
    freeze = state.advance(run.conn, freeze, state="checked")
    failpoint("freeze.checked")
    report = _seal(run, freeze, found)
    failpoint("freeze.placed")
    _clean_up(run, freeze)
    return report


def _look_for_refused(run: FreezeRun, freeze: state.Freeze) -> None:
    """Record which refused files have been removed since; they no longer stop the freeze."""
    assert freeze.as_known_at is not None
    with run.conn.transaction():
        stopped = run.conn.execute("select ops.freeze_stopped(%s)", [freeze.release_id]).fetchone()
    if stopped is None:
        return
    try:
        drop_register.look_for_gone(run.settings, run.conn, freeze.as_known_at)
    except ChotsoError as error:
        run.progress(str(error))


def _extract(run: FreezeRun, freeze: state.Freeze) -> state.Freeze:
    """Read the final extract; the first one with every feed sets `as_known_at` for good."""
    run.progress("final extract of all feeds")
    extracted = run.parts.final_extract(
        run.settings,
        freeze.business_date,
        final_of=freeze.release_id,
        not_before=None if freeze.is_rehearsal else freeze.cutoff_at,
        progress=run.progress,
    )
    failpoint("freeze.extract-returned")
    for reason in extracted.stopped:
        run.progress(reason)
    _check_feeds(run, freeze, extracted)
    return state.advance(
        run.conn,
        freeze,
        state="extracted",
        as_known_at=extracted.known_at,
        batch_ids=list(extracted.batch_ids),
    )


def _check_feeds(run: FreezeRun, freeze: state.Freeze, extracted: Extracted) -> None:
    with run.conn.transaction():
        newest = inputs.newest_known(run.conn, extracted.known_at)
    needed = extracted.known_at if freeze.is_rehearsal else freeze.cutoff_at
    if extracted.known_at < needed:
        raise ChotsoError(
            f"The final extract was known at {extracted.known_at}, before the cutoff {needed}.",
            kept="all batches; nothing was sealed.",
            next_step="compare the clocks of the source's servers, then run the freeze again.",
        )
    behind = [feed for feed in run.parts.feeds() if feed not in newest or newest[feed] < needed]
    if behind:
        raise ChotsoError(
            "\n".join(
                [f"Not extracted at or after {needed}: {', '.join(behind)}.", *extracted.stopped]
            ),
            kept="what the other feeds published; nothing was sealed.",
            next_step="mend what is named above, then run the freeze again.",
        )


def _build(run: FreezeRun, freeze: state.Freeze) -> state.Freeze:
    """Build at the cutoff into a scratch schema; a build by the same code is used again."""
    made_by = run.parts.made_by().sha256()
    same = freeze.state in ("built", "checked") and freeze.inputs_sha256 == made_by
    if same and state.has_scratch(run.conn, freeze):
        return freeze
    assert freeze.as_known_at is not None
    run.progress(f"build at the cutoff {local_instant(freeze.cutoff_at)}")
    state.drop_scratch(run.conn, freeze)
    run.parts.build(
        run.settings,
        as_known_at=freeze.as_known_at,
        event_cutoff=freeze.cutoff_at,
        schema=freeze.target_schema,
        config="current",
    )
    failpoint("freeze.build-returned")
    return state.advance(run.conn, freeze, state="built", inputs_sha256=made_by)


def _seal(run: FreezeRun, freeze: state.Freeze, checks: list[Check]) -> FreezeReport:
    """Write the bundle in a staging folder, seal it in one transaction, then move it."""
    run.progress("write and check the bundle")
    staged = stage(run, freeze, checks)
    failpoint("freeze.staged")
    run.progress("seal")
    _seal_staged(run, freeze, staged)
    failpoint("freeze.sealed")
    _show_places(run, freeze)
    folder = run.folder(freeze)
    with folders.writable(folder):
        folders.place(staged.folder, folder, staged.root)
    return FreezeReport(freeze.release_id, staged.root, folder, already_sealed=False)


def _seal_staged(run: FreezeRun, freeze: state.Freeze, staged: Written) -> None:
    sealed_at = run.parts.source_clock(run.settings).astimezone(UTC)
    try:
        with run.conn.transaction():
            files = contents(staged.folder)
            state.seal(run.conn, freeze, staged, sealed_at, files, run.progress)
            failpoint("freeze.sealing")
    except psycopg.errors.UniqueViolation as error:
        raise ChotsoError(
            f"Another run sealed a release while {freeze.release_id} was being made.",
            kept="that release.",
            next_step="run the freeze again: it takes up what is sealed.",
        ) from error


def _show_places(run: FreezeRun, freeze: state.Freeze) -> None:
    """Show the official figures in the marts at once, and not only after the next build."""
    if freeze.is_rehearsal:
        return
    try:
        show_official(run.conn)
    except (psycopg.Error, ChotsoError) as error:
        run.conn.rollback()
        run.progress(f"readers see the places of {freeze.release_id} after the next build: {error}")


def restored(
    run: FreezeRun, started: state.Freeze, found: state.Sealed | state.Current
) -> FreezeReport:
    """Return a sealed release; its bundle is restored if it is lost or damaged.

    Raises:
        ChotsoError: The warehouse's copy is damaged too.
    """
    folder = run.folder(started)
    if not folders.is_sound(folder, found.root_sha256):
        run.progress(f"restore the bundle of {found.release_id} from the warehouse")
        files = state.stored_files(run.conn, started.schema, found.release_id)
        with folders.writable(folder):
            folders.restore(folder, files, found.root_sha256)
    _show_places(run, started)
    row = state.find(run.conn, found.release_id)
    if row is not None and row.state != "placed":
        _clean_up(run, row)
    return FreezeReport(found.release_id, found.root_sha256, folder, already_sealed=True)


def _clean_up(run: FreezeRun, freeze: state.Freeze) -> None:
    clean(run, freeze)
    failpoint("freeze.cleaned")
    state.advance(run.conn, freeze, state="placed")
