"""Corrects a sealed release: a new release at the same cutoff, by what is known now.

The corrected release does not change and still verifies. The corrigendum follows it in the chain
and says why, by whom, and what changed (`data/changes.csv`). The steps are those of a freeze
without the final extract: the source is not read.
"""

import unicodedata
from contextlib import ExitStack
from datetime import date, datetime

from chotso.calendar import local_instant
from chotso.characters import spelled_out
from chotso.contracts import groups
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.progress import Progress
from chotso.release import state
from chotso.release.bundle import inputs
from chotso.release.seal.checks import Override
from chotso.release.seal.freeze import LOCK, FreezeReport, carry_through, reason_kept, restored
from chotso.release.seal.parts import Parts, PeriodToFreeze
from chotso.release.seal.staging import FreezeRun
from chotso.settings import Settings


def corrigendum(
    settings: Settings,
    period_id: str,
    *,
    reason: str,
    author: str,
    override: Override | None = None,
    progress: Progress = lambda message: None,
    parts: Parts | None = None,
) -> FreezeReport:
    """Seal a release that corrects the period's current one, or finish one that was begun.

    Until it is sealed, each run uses everything that is published by then. So what stopped one run
    can be mended before the next. After it is sealed, a call with the same reason and author, and
    without newer data, changes nothing and returns the sealed corrigendum.

    Args:
        settings: Where source, warehouse and releases are.
        period_id: A period of `config/periods.yml` whose original is sealed.
        reason: Why it is corrected; stands in the release.
        author: Who corrects it; stands in the release.
        override: A precondition that two persons let pass; it is printed on the report.
        progress: Told each step as a sentence.
        parts: Replaces what the freeze calls, in tests.

    Raises:
        ChotsoError: Nothing is sealed yet, no figure changed, a check is not met, or the cutoff
            or the warehouse's copy of the corrected release is not what was sealed.
    """
    parts = parts or Parts()
    period = parts.period(period_id)
    why, who = _said(reason, "--reason"), _said(author, "--by")
    with parts.connect(settings) as conn, parts.hold(conn, LOCK):
        run = FreezeRun(conn, settings, parts, progress)
        current = state.current(conn, period_id)
        if current is None:
            raise ChotsoError(
                f"{period_id} has no sealed release: there is nothing to correct.",
                kept="nothing was built or sealed.",
                next_step=f"run `chotso freeze {period_id}` at the cutoff.",
            )
        _check_cutoff(period, current)
        known_at, business_date = _knowledge(run)
        finished = _finish(run, current)
        if (current.correction_reason, current.correction_author) == (why, who) and (
            finished or current.as_known_at == known_at
        ):
            return _again(run, current)
        wanted = _wanted(run, period, current, why, who, business_date)
        failpoint("corrigendum.begin")
        with reason_kept(run, wanted):
            begun = _begin(run, wanted, known_at)
            failpoint("corrigendum.known")
            return carry_through(run, begun, override)


def _said(text: str, option: str) -> str:
    said = unicodedata.normalize("NFC", spelled_out(" ".join(text.split())))
    if not said:
        raise ChotsoError(
            f"A corrigendum needs {option}: it stands in the release.",
            kept="nothing was built or sealed.",
            next_step="say why the release is corrected, and who corrects it.",
        )
    return said


def _check_cutoff(period: PeriodToFreeze, current: state.Current) -> None:
    if period.cutoff_at != current.cutoff_at:
        raise ChotsoError(
            f"The cutoff of {period.period_id} is {local_instant(period.cutoff_at)} now, and was "
            f"{local_instant(current.cutoff_at)} when {current.release_id} was sealed.",
            kept="what is sealed; nothing was built.",
            next_step="restore the cutoff in config/periods.yml: a corrigendum never moves it.",
        )


def _knowledge(run: FreezeRun) -> tuple[datetime, date]:
    """What is published, after waiting for deliveries that are being processed."""
    with run.parts.connect(run.settings) as conn, ExitStack() as locks:
        for group in groups():
            locks.enter_context(run.parts.hold(conn, f"extract of {group}"))
        with conn.transaction():
            return inputs.newest_knowledge(conn)


def _finish(run: FreezeRun, current: state.Current) -> bool:
    """Place the bundle that a killed run had sealed; returns whether there was one."""
    made = state.find(run.conn, current.release_id)
    if made is None or made.state == "placed":
        return False
    restored(run, made, current)
    return True


def _again(run: FreezeRun, current: state.Current) -> FreezeReport:
    made = state.find(run.conn, current.release_id)
    assert made is not None
    return restored(run, made, current)


def _wanted(
    run: FreezeRun,
    period: PeriodToFreeze,
    current: state.Current,
    reason: str,
    author: str,
    business_date: date,
) -> state.Freeze:
    number = state.corrigendum_count(run.conn, period.period_id) + 1
    release_id = f"{period.period_id}-c{number}"
    return state.Freeze(
        release_id=release_id,
        period_id=period.period_id,
        is_rehearsal=False,
        state="started",
        cutoff_at=period.cutoff_at,
        business_date=business_date,
        as_known_at=None,
        target_schema="freeze_" + release_id.replace("-", "_"),
        inputs_sha256=None,
        corrects=current.release_id,
        correction_reason=reason,
        correction_author=author,
    )


def _begin(run: FreezeRun, wanted: state.Freeze, known_at: datetime) -> state.Freeze:
    """Begin, or continue; a build with older data is not continued."""
    begun = state.begin(run.conn, wanted)
    is_same = begun.as_known_at == known_at
    return state.advance(
        run.conn,
        begun,
        state=begun.state if is_same else "extracted",
        as_known_at=known_at,
        business_date=wanted.business_date,
        correction_reason=wanted.correction_reason,
        correction_author=wanted.correction_author,
    )
