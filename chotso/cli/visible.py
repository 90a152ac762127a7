"""The one way from foreign text to a terminal: names of files and rows are no commands to it."""

import re
from collections.abc import Iterable
from typing import Any

from rich import console
from rich.segment import Segment

from chotso.characters import UNSEEN, shown


class Console(console.Console):
    """A console that spells out what cannot be seen, whatever is printed: text, table, error."""

    def render(
        self, renderable: Any, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As in rich; its own commands (colours, the line of progress) pass."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))


def escaped(json_text: str) -> str:
    """JSON in which what cannot be seen is escaped, and all else is as it was."""
    return re.sub(UNSEEN, lambda found: _escape(found[0]), json_text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
