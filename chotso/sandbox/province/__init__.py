"""The synthetic province: an invented, labelled source of the size and shape of a real one.

`seed` makes it up to 1 October, `advance` lets it live until an instant. What happened is also in
an event log from which any figure can be recomputed independently: see `event_log`.
"""

from chotso.sandbox.province.defects import Defect
from chotso.sandbox.province.event_log import read_events
from chotso.sandbox.province.province import AdvanceReport, SeedReport, advance, seed

__all__ = ["AdvanceReport", "Defect", "SeedReport", "advance", "read_events", "seed"]
