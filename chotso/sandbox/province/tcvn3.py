"""An encoder for TCVN 5712 (VN3), the 8-bit encoding of older programs, by its table of letters.

Capital letters with a tone have no code of their own; a text that needs one is refused.
"""

import unicodedata

# Codes of small letters: first the plain ones, then with grave, hook, tilde, acute, dot below.
_SMALL = {
    "a": (None, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9),
    "ă": (0xA8, 0xBB, 0xBC, 0xBD, 0xBE, 0xC6),
    "â": (0xA9, 0xC7, 0xC8, 0xC9, 0xCA, 0xCB),
    "e": (None, 0xCC, 0xCE, 0xCF, 0xD0, 0xD1),
    "ê": (0xAA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6),
    "i": (None, 0xD7, 0xD8, 0xDC, 0xDD, 0xDE),
    "o": (None, 0xDF, 0xE1, 0xE2, 0xE3, 0xE4),
    "ô": (0xAB, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9),
    "ơ": (0xAC, 0xEA, 0xEB, 0xEC, 0xED, 0xEE),
    "u": (None, 0xEF, 0xF1, 0xF2, 0xF3, 0xF4),
    "ư": (0xAD, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9),
    "y": (None, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE),
}
_TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
_CODES = {"đ": 0xAE, "Ă": 0xA1, "Â": 0xA2, "Ê": 0xA3, "Ô": 0xA4, "Ơ": 0xA5, "Ư": 0xA6, "Đ": 0xA7}
_CODES |= {
    unicodedata.normalize("NFC", letter + tone): code
    for letter, codes in _SMALL.items()
    for tone, code in zip(_TONES, codes, strict=True)
    if code is not None
}


def encode(text: str) -> bytes:
    """Bytes of a text in NFC.

    Raises:
        ValueError: A character has no code.
    """
    return bytes(_code(character) for character in text)


def _code(character: str) -> int:
    if ord(character) < 0x80:
        return ord(character)
    if character not in _CODES:
        raise ValueError(f"{character!r} has no code in TCVN 5712")
    return _CODES[character]


def can_encode(text: str) -> bool:
    """Whether every character has a code."""
    return all(ord(character) < 0x80 or character in _CODES for character in text)
