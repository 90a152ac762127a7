"""The instants of the measured night."""

from datetime import datetime

NOW = datetime.fromisoformat("2021-12-29T01:00:00+07:00")
"""The time of the source's clock."""
LAST_NIGHT = datetime.fromisoformat("2021-12-28T01:00:00+07:00")
"""Lines of the night changed after this instant, all others long before it."""
