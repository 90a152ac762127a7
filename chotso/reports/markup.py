"""Texts of the data inside reportlab's paragraphs, which read a little markup."""

from xml.sax.saxutils import escape

from chotso.reports.page import drawable

_MOST_LINES = 12


def escaped(text: str) -> str:
    """A text whose `<`, `>` and `&` are letters, and whose line ends, if few, are line breaks."""
    if text.count("\n") > _MOST_LINES:
        text = text.replace("\n", " ")
    return escape(drawable(text)).replace("\n", "<br/>").replace("\t", " ")
