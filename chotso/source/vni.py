"""VNI for Windows, an older 8-bit encoding of Vietnamese: letters followed by their marks.

A mark is a character of its own after its letter. Some letters with marks are one character.
"""

import re

_TONES = "ùøûõï"
_BREVE = "êéèúüë"
_HAT = "âáàåãä"
_PLAIN = {"a": "áàảãạ", "e": "éèẻẽẹ", "o": "óòỏõọ", "u": "úùủũụ", "y": "ýỳỷỹ"}
_HATTED = {"a": "âấầẩẫậ", "e": "êếềểễệ", "o": "ôốồổỗộ"}
_HORNED = {"ô": "ơớờởỡợ", "ö": "ưứừửữự"}
_SINGLE = {"ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


def _table() -> dict[str, str]:
    marked = [
        *((letter, _TONES, news) for letter, news in _PLAIN.items()),
        *((letter, _HAT, news) for letter, news in _HATTED.items()),
        ("a", _BREVE, "ăắằẳẵặ"),
        *((letter, ["", *_TONES], news) for letter, news in _HORNED.items()),
    ]
    pairs = _SINGLE | {
        letter + mark: new
        for letter, marks, news in marked
        for mark, new in zip(marks, news, strict=False)  # y has one tone fewer
    }
    capital = {old.upper(): new.upper() for old, new in pairs.items()}
    mixed = {old[0].upper() + old[1:]: new.upper() for old, new in pairs.items()}
    return pairs | mixed | capital


_LETTERS = _table()
_FOUND = re.compile("|".join(sorted(_LETTERS, key=len, reverse=True)))


def decode_text(text: str) -> str:
    """Decode a text whose characters stand for VNI bytes, as typed with such a font."""
    return _FOUND.sub(lambda match: _LETTERS[match[0]], text)


def decode(content: bytes) -> str:
    """Decode VNI bytes; every byte is a character."""
    return decode_text(content.decode("latin-1"))
