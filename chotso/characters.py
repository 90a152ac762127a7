"""Characters that are the same on every machine, and texts that cannot command a terminal."""

import re

from chotso.verifier.verify import UNSEEN, unassigned, visible

__all__ = ["UNSEEN", "is_known", "shown", "spelled_out", "unknown_pattern", "visible"]


def is_known(text: str) -> bool:
    """Whether every character is assigned in Unicode 14.0: its normal form is settled for good."""
    return text.isascii() or unassigned().search(text) is None


def spelled_out(text: str) -> str:
    """The text with `<U+0105D2>` for each character that Unicode 14.0 does not know.

    What a later Unicode makes of it would give the same release other bytes on another machine, and
    an unknown character in a name must not keep a province from its freeze. SPEC.md §5.
    """
    if text.isascii():
        return text
    return unassigned().sub(lambda found: f"<U+{ord(found[0]):06X}>", text)


def shown(text: str) -> str:
    """The text with all that cannot be seen spelled out, but for line breaks: `visible` by line."""
    if not UNSEEN.search(text):
        return text
    return "\n".join(visible(line) for line in text.split("\n"))


def unknown_pattern() -> str:
    r"""The characters that Unicode 14.0 does not know, as RE2 matches them (`\x{105d2}`)."""
    return re.sub(r"\\U([0-9a-f]{8})", r"\\x{\1}", unassigned().pattern)
