"""Decodes a delivered file: the encoding is the one in which its words read as Vietnamese.

Amounts, months and codes are the same in all these encodings. Only names are at stake, and rows
with bytes that are no text.
"""

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

from chotso.source import tcvn3, vni

_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_WORD = re.compile(r"[^\W\d_]+|[\udc80-\udcff]+")
_SYLLABLE = re.compile(
    "(?:ngh?|gh?|gi|kh|nh|ph|th|tr|ch|qu|[bcdđhklmnprstvx])?"
    "[aăâeêioôơuưy]{1,3}(?:ng|nh|ch|[cmnpt])?"
)
_DOUBLED = re.compile(r"([aeiouy])\1")
_SAMPLE = 200_000
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

STRAY_BYTES = re.compile("[\ud800-\udfff]")
"""Characters that stand for bytes which are no text in the file's encoding."""


def decode(content: bytes) -> str:
    """Decode text in UTF-8, UTF-16, TCVN3, cp1258 or VNI; the byte order mark is removed.

    A byte that is no text becomes a character that `STRAY_BYTES` finds. It spoils its row, not the
    file.
    """
    if (wide := _utf16(content)) is not None:
        return wide
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    broken = content.decode("utf-8-sig", "surrogateescape")
    stray = len(STRAY_BYTES.findall(broken))
    if sum(not letter.isascii() for letter in broken) > 2 * stray:
        return broken  # text of an older encoding is almost never valid UTF-8
    # If two encodings read equally well, the first one wins: TCVN3 is more frequent.
    return max((tcvn3.decode, _cp1258, vni.decode), key=lambda read: _likeness(read, content))(
        content
    )


def _utf16(content: bytes) -> str | None:
    encoding = _BOMS.get(content[:2])
    body = content[2:] if encoding else content
    if encoding is None:
        head = content[:200]
        if len(head) >= 4 and head[1::2].count(0) > len(head) // 3 and 0 not in head[0::2]:
            encoding = "utf-16-le"
        elif len(head) >= 4 and head[0::2].count(0) > len(head) // 3 and 0 not in head[1::2]:
            encoding = "utf-16-be"
        else:
            return None
    whole = len(body) - len(body) % 2
    return body[:whole].decode(encoding, "surrogatepass") + "\udc80" * (len(body) - whole)


def _cp1258(content: bytes) -> str:
    """Decode Windows' Vietnamese encoding and compose its combining marks."""
    text = content.decode("cp1258", "surrogateescape")
    return unicodedata.normalize("NFC", text)


def shown_as(texts: Iterable[str]) -> dict[str, str]:
    """Decode texts that were typed with fonts of TCVN3 or VNI.

    A workbook's texts are Unicode, but with such a font they show other letters than are stored. A
    text is decoded if all its words then read as Vietnamese, and more of them than before. Texts
    without a word to judge by are treated like the other texts.
    """
    found: dict[str, str] = {}
    open_texts = []
    fonts: Counter[Callable[[str], str]] = Counter()
    for text in texts:
        if text.isascii() or max(text) > "\u00ff":
            continue
        good, bad = _judged(text)
        for font in (tcvn3.decode_text, vni.decode_text):
            read = _judged(font(text))
            if not read[1] and read[0] > good:
                good, found[text] = read[0], font(text)
                fonts[font] += 1
        if text not in found and not good and not bad:
            open_texts.append(text)
    usual = fonts.most_common(1)
    return found | {text: usual[0][0](text) for text in open_texts if usual}


def _judged(text: str) -> tuple[int, int]:
    """The number of words with non-ASCII letters that read as Vietnamese, and that do not."""
    words = [w for w in _WORD.findall(text) if len(w) > 1 and not w.isascii()]
    good = sum(_is_syllable(word) and not _DOUBLED.search(_bare(word)) for word in words)
    return good, len(words) - good


def _bare(word: str) -> str:
    """The letters of a word without marks."""
    return "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if c.isalpha())


def _likeness(read: Callable[[bytes], str], content: bytes) -> int:
    return _words(read(content[:_SAMPLE]))


def _words(text: str) -> int:
    """Number of Vietnamese words minus others, among the words with non-ASCII letters."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return sum(1 if _is_syllable(word) else -1 for word in words)


def _is_syllable(word: str) -> bool:
    toned = unicodedata.normalize("NFD", word.casefold())
    plain = unicodedata.normalize("NFC", toned.translate(_TONES))
    marks = sum(ord(mark) in _TONES for mark in toned)
    return marks <= 1 and _SYLLABLE.fullmatch(plain) is not None
