"""The synthetic province: an invented source, marked as such, as large and varied as a real one.

`seed` makes it up to 1 October, `advance` continues it to an instant. All events are also in an
event log, from which any figure can be computed independently: see `event_log`.
"""

from chotso.sandbox.province.defects import Defect
from chotso.sandbox.province.event_log import read_events
from chotso.sandbox.province.province import AdvanceReport, SeedReport, advance, seed

__all__ = ["AdvanceReport", "Defect", "SeedReport", "advance", "read_events", "seed"]
