"""The register `config/operations/watch.yml`: what is too long, too full or too old."""

from decimal import Decimal
from functools import cache

from pydantic import Field

from chotso import PROJECT_ROOT
from chotso.strict_models import StrictModel

FILE = PROJECT_ROOT / "config" / "operations" / "watch.yml"


class NightLimits(StrictModel):
    """When a night is late; minutes."""

    grace_minutes: int = Field(ge=0)
    longest_minutes: int = Field(gt=0)
    usual_nights: int = Field(gt=0)
    usual_factor: int = Field(gt=0)
    usual_floor_minutes: int = Field(ge=0)
    floor_minutes: int = Field(ge=0)


class FreezeLimits(StrictModel):
    """When a freeze is overdue or hangs, and how early what would stop it matters."""

    grace_minutes: int = Field(ge=0)
    longest_minutes: int = Field(gt=0)
    look_ahead_days: int = Field(ge=0)


class DiskLimits(StrictModel):
    """A disk is too full if less is free than this share and than these gigabytes (10⁹ bytes)."""

    free_share: Decimal = Field(ge=0, le=1)
    free_gigabytes: int = Field(ge=0)


class QuarantineLimits(StrictModel):
    """How long a row may be set aside before somebody is told; days."""

    oldest_days: int = Field(ge=0)


class Limits(StrictModel):
    """Every limit of the watch."""

    night: NightLimits
    retry_grace_minutes: int = Field(ge=0)
    extract_longest_minutes: int = Field(gt=0)
    build_longest_minutes: int = Field(gt=0)
    lock_wait_seconds: int = Field(gt=0)
    freeze: FreezeLimits
    disk: DiskLimits
    quarantine: QuarantineLimits
    releases_checked_within_hours: int = Field(gt=0)
    clock_difference_seconds: int = Field(gt=0)
    quiet_minutes: int = Field(ge=0)
    watch_silent_minutes: int = Field(gt=0)


@cache
def load_limits() -> Limits:
    """The limits as configured.

    Raises:
        ChotsoError: The file is missing or does not fit; each fault is named.
    """
    return Limits.of_file(FILE, kept="everything; only the watch is blind.")
