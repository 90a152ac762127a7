"""Lines for a terminal: durations in one unit; broken between words, never within a command."""

import re
import textwrap

_COMMAND = re.compile(r"`[^`\n]*`")
_HELD = "\ue000"  # stands for a blank where no line may end


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The text's lines, each no longer than the width unless one word or command is.

    Args:
        text: What is told; its own line ends stay.
        width: Columns of the terminal.
        indent: What a line begins with that goes on.
    """
    found: list[str] = []
    for line in text.splitlines() or [""]:
        held = _COMMAND.sub(lambda command: command[0].replace(" ", _HELD), line)
        found += textwrap.wrap(
            held,
            width,
            initial_indent=indent if found else "",
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return [line.replace(_HELD, " ") for line in found]


def span(seconds: float) -> str:
    """A duration in whole units of the largest that says enough: 5 min, 26 h, 3 d."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
