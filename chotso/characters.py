"""Characters that are the same on every machine, and texts that are safe to print."""

import re

from chotso.verifier.verify import UNSEEN, unassigned, visible

__all__ = ["UNSEEN", "is_known", "shown", "spelled_out", "unknown_pattern", "visible"]


def is_known(text: str) -> bool:
    """Whether Unicode 14.0 has every character, so that the normal form cannot change."""
    return text.isascii() or unassigned().search(text) is None


def spelled_out(text: str) -> str:
    """The text with `<U+0105D2>` for each character that Unicode 14.0 does not know.

    A later Unicode version could change such a character's normal form, and a release would have
    other bytes on another machine. An unknown character in a name must not stop a freeze. SPEC.md
    §5.
    """
    if text.isascii():
        return text
    return unassigned().sub(lambda found: f"<U+{ord(found[0]):06X}>", text)


def shown(text: str) -> str:
    """The text with invisible characters spelled out, except line breaks."""
    if not UNSEEN.search(text):
        return text
    return "\n".join(visible(line) for line in text.split("\n"))


def unknown_pattern() -> str:
    """A regular expression for characters that Unicode 14.0 does not know, for RE2."""
    return re.sub(r"\\U([0-9a-f]{8})", r"\\x{\1}", unassigned().pattern)
