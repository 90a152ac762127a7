"""The cutoff of a freeze: it must have passed in the source's data, and must not have moved."""

from datetime import timedelta

from chotso.calendar import local_instant
from chotso.errors import ChotsoError
from chotso.progress import Progress
from chotso.release import state
from chotso.release.seal.parts import Parts, PeriodToFreeze
from chotso.settings import Settings


def refuse_before(
    settings: Settings, parts: Parts, period: PeriodToFreeze, progress: Progress
) -> None:
    """Wait for a standby that is behind; refuse a freeze before its cutoff.

    Raises:
        ChotsoError: With the time that is left.
    """
    now = parts.source_clock(settings)
    if now < period.cutoff_at:  # a standby's data may be older than its server's clock
        now = parts.caught_up(settings, period.cutoff_at, progress)
    if now < period.cutoff_at:
        left = timedelta(seconds=round((period.cutoff_at - now).total_seconds()))
        raise ChotsoError(
            f"The cutoff of {period.period_id}, {local_instant(period.cutoff_at)}, has not come: "
            f"by the source's clock {left} are left.",
            kept="nothing was extracted, built or sealed.",
            next_step="run it again at the cutoff, or now with --rehearse. Where the source is a "
            "standby, its clock is the last transaction that it has replayed: see that it catches "
            "up, and that its primary commits something now and then (or keeps tst.dong_ho).",
        )


def refuse_moved(begun: state.Freeze, started: state.Freeze) -> None:
    """Refuse to go on if the cutoff is not that of the final extract.

    Raises:
        ChotsoError: With both cutoffs.
    """
    if begun.cutoff_at != started.cutoff_at:
        raise ChotsoError(
            f"The cutoff of {started.period_id} is {local_instant(started.cutoff_at)} now, and was "
            f"{local_instant(begun.cutoff_at)} at the final extract.",
            kept="the final extract; nothing was sealed.",
            next_step="restore the cutoff in config/periods.yml, then run the freeze again.",
        )
