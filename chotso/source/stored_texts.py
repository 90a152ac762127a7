"""Texts as a workbook stores them: plain, in runs of several fonts, with phonetic readings.

Unknown elements in a text, and text outside elements, are not ignored.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element

from chotso.source.cells import CellFault
from chotso.source.package import Package, PackageError, local
from chotso.source.texts import is_blank

_STRINGS_LIMIT = 1_000_000
_TEXT_LIMIT = 32_000_000
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SAYS_NOTHING = {"rPh", "phoneticPr", "rPr", "extLst"}


def shared_texts(package: Package, part: str) -> list[Any]:
    """The texts that cells share, in order; None for a text with nothing visible.

    Raises:
        PackageError: They hold what is no text, or more than may be kept.
    """
    texts: list[Any] = []
    length = 0
    for found in package.elements(part):
        if not found.inside:
            continue
        if found.name == "si":
            content, fault = text_in(found.element)
            texts.append(CellFault(fault, content) if fault else shown_text(content))
            length += len(content)
        elif found.name != "extLst":
            raise PackageError(f"its shared texts hold an unknown <{found.name[:60]}>")
        if len(texts) > _STRINGS_LIMIT or length > _TEXT_LIMIT:
            raise PackageError(
                f"it has more than {_STRINGS_LIMIT:,} shared texts or {_TEXT_LIMIT:,} characters"
            )
    return texts


def text_in(element: Element) -> tuple[str, str]:
    """A stored text, and what is wrong with it ('' for nothing)."""
    parts: list[str] = []
    fault = is_stray(element.text)
    for child in element:
        name = local(child.tag)
        fault = fault or is_stray(child.tail)
        if name == "t":
            fault = fault or ("an element inside a text" if len(child) else "")
            parts.append(child.text or "")
        elif name == "r":
            text, wrong = text_in(child)
            fault = fault or wrong
            parts.append(text)
        elif name not in _SAYS_NOTHING:
            fault = fault or f"an unknown element <{name[:60]}> in a text"
    return "".join(parts), fault


def is_stray(text: str | None) -> str:
    """What is wrong if there is text where none is allowed; '' if there is none."""
    return "text beside the cell's value" if text and text.strip() else ""


def shown_text(stored: str) -> Any:
    """A text as it is displayed, escapes resolved; None if nothing is visible."""
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), stored) if "_x" in stored else stored
    if not text.isascii() and _SURROGATES.search(text):
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return CellFault("bytes that are no text", whole) if "\ufffd" in whole else whole
    return None if is_blank(text) else text
