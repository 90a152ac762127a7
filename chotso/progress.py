"""How long work tells people on a terminal what it does at the moment."""

from collections.abc import Callable

Progress = Callable[[str], None]
"""Called with a line of text at each step."""


def silent(_: str) -> None:
    """Tell nobody."""
