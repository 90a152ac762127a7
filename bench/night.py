"""The instants of the measured night."""

from datetime import datetime

NOW = datetime.fromisoformat("2021-12-29T01:00:00+07:00")
"""What the source's clock shows."""
LAST_NIGHT = datetime.fromisoformat("2021-12-28T01:00:00+07:00")
"""Lines of the night changed after this instant, all others long before."""
