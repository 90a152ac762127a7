"""`chotso retention`: what may go, why, how much it is, and how old. Without `apply` nothing goes.

Few rules. What figures are proven from stays for good: the landing archive, the releases, every
table of the warehouse with its ledgers. Rows set aside and acts are part of that.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.progress import Progress, silent
from chotso.retention import airflow_rows, old_files
from chotso.retention.airflow_here import airflow_here
from chotso.retention.old_files import Old
from chotso.settings import Settings

DAYS = 90
FEWEST_DAYS = 7
DRAFT_DAYS = 2
"""No run lasts so long that its drafts could be that old."""


@dataclass(frozen=True)
class Gone:
    """What a rule found.

    Attributes:
        rule: Its name.
        what: What it is about, as a phrase.
        count: How many files, folders or rows.
        bytes: Their size; None for rows.
        oldest: When the oldest was last touched.
    """

    rule: str
    what: str
    count: int
    bytes: int | None
    oldest: datetime | None


@dataclass(frozen=True)
class Retention:
    """The rules' findings, and whether they were carried out."""

    applied: bool
    before: datetime
    found: list[Gone]


@dataclass(frozen=True)
class Leftover:
    """One kind of file to delete when unchanged for `days` (default: the command's `--days`)."""

    name: str
    what: str
    find: Callable[[Settings, datetime], list[Old]]
    days: int | None = None


RULES = (
    Leftover("airflow_logs", "logs of Airflow's tasks and programs", old_files.airflow_logs),
    Leftover("dbt_folders", "logs and state of builds in other schemas", old_files.dbt_folders),
    Leftover(
        "drafts", "drafts of killed runs in TMPDIR and the archive", old_files.drafts, DRAFT_DAYS
    ),
    Leftover("unlanded", "batches that never landed whole", old_files.unlanded, FEWEST_DAYS),
)


def retain(
    settings: Settings,
    *,
    days: int = DAYS,
    apply: bool = False,
    progress: Progress = silent,
) -> Retention:
    """Find what may go, and let it go if asked to.

    Args:
        settings: Where everything is.
        days: What was touched since then stays.
        apply: Delete it.
        progress: Told each rule.

    Raises:
        ChotsoError: Fewer than seven days, or something cannot be deleted.
    """
    if days < FEWEST_DAYS:
        raise ChotsoError(
            f"{days} days are too few: the runs of last week are still asked about.",
            kept="everything.",
            next_step=f"name at least {FEWEST_DAYS} days.",
        )
    now = datetime.now(UTC)
    found = []
    for rule in RULES:
        progress(rule.what)
        age = timedelta(days=days if rule.days is None else rule.days)
        old = rule.find(settings, now - age)
        if apply:
            _delete([each.path for each in old])
        size, oldest = sum(e.bytes for e in old), min((e.touched_at for e in old), default=None)
        found.append(Gone(rule.name, rule.what, len(old), size, oldest))
    before = now - timedelta(days=days)
    if (airflow := airflow_here(settings)) is not None:
        rows = airflow_rows.clean(airflow, before, apply=apply)
        what = "rows of old runs in Airflow's database"
        found.append(Gone("airflow_database", what, rows, None, None))
    return Retention(apply, before, found)


def _delete(paths: list[Path]) -> None:
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ChotsoError(
                f"{path} cannot be deleted: {error.strerror}.",
                kept="what follows it.",
                next_step="mend its rights, or delete it as its owner; then run this again.",
            ) from error
