"""TCVN 5712 (ABC), the 8-bit encoding that older Vietnamese systems still write."""

_LETTERS = {
    "µ¸¶·¹": "àáảãạ",
    "¨»¾¼½Æ": "ăằắẳẵặ",
    "©ÇÊÈÉË": "âầấẩẫậ",
    "®": "đ",
    "ÌÐÎÏÑ": "èéẻẽẹ",
    "ªÒÕÓÔÖ": "êềếểễệ",
    "×ÝØÜÞ": "ìíỉĩị",
    "ßãáâä": "òóỏõọ",
    "«åèæçé": "ôồốổỗộ",
    "¬êíëìî": "ơờớởỡợ",
    "ïóñòô": "ùúủũụ",
    "\u00adõøö÷ù": "ưừứửữự",
    "úýûüþ": "ỳýỷỹỵ",
    "¡¢§£¤¥¦": "ĂÂĐÊÔƠƯ",
}
_TABLE = str.maketrans(
    {old: new for o, n in _LETTERS.items() for old, new in zip(o, n, strict=True)}
)


def decode(content: bytes) -> str:
    """Decode TCVN3 bytes; every byte is a character."""
    return decode_text(content.decode("latin-1"))


def decode_text(text: str) -> str:
    """Decode a text whose characters stand for TCVN3 bytes, as typed with such a font."""
    return text.translate(_TABLE)
