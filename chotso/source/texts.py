"""Invisible characters in texts: finds, removes or shows them."""

import re
import unicodedata

# \s matches Unicode's blanks; the others have no width, or are letters that look blank.
_UNSEEN = (
    r"\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_BLANK = re.compile(f"[{_UNSEEN}]*")
_UNSEEN_CHARACTERS = re.compile(f"[{_UNSEEN}]+")
# Control characters, too: a terminal would execute them.
_NOT_SHOWN = re.compile(rf"[^\S ]|[\x00-\x1f\x7f-\x9f]|[{_UNSEEN.removeprefix(chr(92) + 's')}]")


def is_blank(text: str) -> bool:
    """Whether nothing of a text is visible; a NUL counts as visible."""
    return _BLANK.fullmatch(text) is not None


def seen(text: str) -> str:
    """A name as people read it: letters in composed form, without invisible characters."""
    return _UNSEEN_CHARACTERS.sub("", unicodedata.normalize("NFKC", text))


def shown(text: str) -> str:
    """A text with invisible characters escaped as Python escapes them."""
    return _NOT_SHOWN.sub(lambda m: m[0].encode("unicode_escape").decode(), text)
