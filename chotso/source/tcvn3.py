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
    """Text of TCVN3 bytes; every byte has a reading."""
    return decode_text(content.decode("latin-1"))


def decode_text(text: str) -> str:
    """A text whose characters stand for TCVN3's bytes, as a font of that encoding shows them."""
    return text.translate(_TABLE)
