"""Prints foreign text safely: names of files and rows must not act as terminal commands."""

import re
from collections.abc import Iterable
from typing import Any

from rich import console
from rich.segment import Segment

from chotso.characters import UNSEEN, shown


class Console(console.Console):
    """A console that prints invisible characters as escapes in texts, tables and errors."""

    def render(
        self, renderable: Any, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As in rich, whose own terminal commands (colours, the progress line) stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))


def escaped(json_text: str) -> str:
    """JSON with invisible characters escaped; everything else is unchanged."""
    return re.sub(UNSEEN, lambda found: _escape(found[0]), json_text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
