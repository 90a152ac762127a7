"""What of a text is seen: blanks and characters that show nothing, told or taken away."""

import re
import unicodedata

# \s holds the blanks of Unicode; the others are of no width, or blank though they are letters.
_UNSEEN = (
    r"\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_BLANK = re.compile(f"[{_UNSEEN}]*")
_UNSEEN_CHARACTERS = re.compile(f"[{_UNSEEN}]+")
# Control characters too: a terminal obeys them.
_NOT_SHOWN = re.compile(rf"[^\S ]|[\x00-\x1f\x7f-\x9f]|[{_UNSEEN.removeprefix(chr(92) + 's')}]")


def is_blank(text: str) -> bool:
    """Whether nothing is to be seen of a text; a NUL is no blank."""
    return _BLANK.fullmatch(text) is not None


def seen(text: str) -> str:
    """A name as it is read: one form of each letter, without what is not to be seen."""
    return _UNSEEN_CHARACTERS.sub("", unicodedata.normalize("NFKC", text))


def shown(text: str) -> str:
    """A text in which what is not to be seen is spelled out, as Python would escape it."""
    return _NOT_SHOWN.sub(lambda m: m[0].encode("unicode_escape").decode(), text)
