"""Escapes texts of the data for reportlab's paragraphs, which read some markup."""

from xml.sax.saxutils import escape

from chotso.reports.page import drawable

_MOST_LINES = 12


def escaped(text: str) -> str:
    """A text with `<`, `>` and `&` escaped; line ends, if there are few, become line breaks."""
    if text.count("\n") > _MOST_LINES:
        text = text.replace("\n", " ")
    return escape(drawable(text)).replace("\n", "<br/>").replace("\t", " ")
