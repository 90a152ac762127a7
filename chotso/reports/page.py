"""Pages of the PDFs: fonts, header and footer, and bytes that depend only on the release."""

import hashlib
from collections.abc import Callable
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

from reportlab import rl_config
from reportlab.lib.colors import Color, black
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from chotso.reports.data import ReleaseFacts
from chotso.reports.words import REHEARSAL, in_fours, shown

REGULAR = "ChotsoSans"
BOLD = "ChotsoSans-Bold"
WIDTH, HEIGHT = float(A4[0]), float(A4[1])
MM = 72 / 25.4
MARGIN = 16 * MM
TOP = 22 * MM
BOTTOM = 20 * MM
_FONTS = Path(__file__).parent / "fonts"
_FILES = {REGULAR: "NotoSans-Regular.ttf", BOLD: "NotoSans-Bold.ttf"}
_GREY = Color(0.35, 0.35, 0.35)
_PALE = Color(0.9, 0.9, 0.9)


@cache
def load_fonts() -> None:
    """Register the two fonts, and ignore reportlab's settings of the user or environment."""
    for name, setting in {
        "useA85": 0, "invariant": 1, "pageCompression": 1, "ttfAsciiReadable": 1,
        "shapedFontGlob": None, "documentLang": None,
    }.items():  # fmt: skip
        setattr(rl_config, name, setting)
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / file)))
    pdfmetrics.registerFontFamily(REGULAR, REGULAR, BOLD, REGULAR, BOLD)


def style(size: float = 9, bold: bool = False, **more: Any) -> ParagraphStyle:
    """A paragraph style; long words are broken so that they stay in their box."""
    return ParagraphStyle(
        "chotso",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.36,  # stacked Vietnamese marks need more height than Latin letters
        splitLongWords=1,
        **more,
    )


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Width of a text in points."""
    return float(pdfmetrics.stringWidth(text, BOLD if bold else REGULAR, size))


def drawable(text: str) -> str:
    """A text with U+FFFD for characters that the font does not have."""
    letters = pdfmetrics.getFont(REGULAR).face.charToGlyph
    return "".join(each if ord(each) in letters or each in "\n\t" else "\ufffd" for each in text)


def fitted(text: str, width: float, size: float, bold: bool = False) -> str:
    """A text cut to a width in points; if it was cut, it ends in an ellipsis."""
    text = drawable(" ".join(shown(text, 400).split()))
    if width_of(text, size, bold) <= width:
        return text
    while text and width_of(text + "…", size, bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


class NumberedCanvas(Canvas):  # type: ignore[misc]
    """A canvas that writes each page's number and the number of pages."""

    def __init__(self, target: Any, facts: ReleaseFacts, title: str, **options: Any) -> None:
        super().__init__(target, pagesize=A4, pageCompression=1, invariant=1, lang="vi")
        self._facts = facts
        self._pages: list[dict[str, Any]] = []
        _fix_identity(self, facts, title)

    def showPage(self) -> None:
        """Store the page until the number of pages is known."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write every page with its number, then write the file."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            _on_every_page(self, self._facts, number, len(self._pages))
            super().showPage()
        super().save()


def canvas_maker(facts: ReleaseFacts, title: str) -> Callable[..., NumberedCanvas]:
    """A function with which reportlab makes a document's canvas."""
    return lambda target, **options: NumberedCanvas(target, facts, title, **options)


def _fix_identity(canvas: Any, facts: ReleaseFacts, title: str) -> None:
    """Set the file's dates and id from the release, not from a clock or the environment."""
    document = canvas._doc
    moment = facts.cutoff_at.astimezone(UTC)
    stamp = document._timeStamp
    stamp.t, stamp.lt = int(moment.timestamp()), moment.timetuple()
    stamp.YMDhms, stamp.dhh, stamp.dmm, stamp.tzname = tuple(stamp.lt)[:6], 0, 0, "UTC"
    identity = f"{facts.release_id} {facts.data_root}".encode()
    document.signature = hashlib.md5(identity, usedforsecurity=False)
    told = metadata(facts, title)
    canvas.setTitle(told["title"])
    canvas.setAuthor(told["author"])
    canvas.setSubject(told["subject"])
    canvas.setCreator(told["creator"])
    canvas.setProducer(told["producer"])
    canvas.setViewerPreference("DisplayDocTitle", "true")


def metadata(facts: ReleaseFacts, title: str) -> dict[str, str]:
    """Title, author, subject, creator and producer of a PDF."""
    return {
        "title": shown(title, 300),
        "author": shown(facts.heading.agency or "chotso", 120),
        "subject": shown(facts.release_id, 100),
        "creator": "chotso",
        "producer": "chotso",
    }


def _on_every_page(canvas: Any, facts: ReleaseFacts, number: int, count: int) -> None:
    canvas.saveState()
    canvas.setFillColor(_GREY)
    canvas.setFont(REGULAR, 7.5)
    name = fitted(facts.release_id, 170, 7.5)
    canvas.drawRightString(WIDTH - MARGIN, HEIGHT - 13 * MM, name)
    room = WIDTH - 2 * MARGIN - width_of(name, 7.5) - 12
    canvas.drawString(MARGIN, HEIGHT - 13 * MM, fitted(facts.period_name, room, 7.5))
    canvas.setStrokeColor(_GREY)
    canvas.setLineWidth(0.4)
    canvas.line(MARGIN, HEIGHT - 15 * MM, WIDTH - MARGIN, HEIGHT - 15 * MM)
    canvas.line(MARGIN, 15 * MM, WIDTH - MARGIN, 15 * MM)
    canvas.setFont(REGULAR, 6.3)
    canvas.drawString(MARGIN, 11.5 * MM, f"Mã dữ liệu {in_fours(facts.data_root)}")
    canvas.setFont(REGULAR, 7.5)
    canvas.drawRightString(WIDTH - MARGIN, 11.5 * MM, f"Trang {number}/{count}")
    if facts.is_rehearsal:
        canvas.setFillColor(black)
        canvas.setFont(BOLD, 10)
        canvas.drawCentredString(WIDTH / 2, HEIGHT - 9 * MM, REHEARSAL)
        canvas.drawCentredString(WIDTH / 2, 6 * MM, REHEARSAL)
    canvas.restoreState()


def watermark(canvas: Any, facts: ReleaseFacts) -> None:
    """Draw the watermark of a rehearsal behind the page."""
    if not facts.is_rehearsal:
        return
    canvas.saveState()
    canvas.translate(WIDTH / 2, HEIGHT / 2)
    canvas.rotate(55)
    canvas.setFillColor(_PALE)
    canvas.setFont(BOLD, 38)
    canvas.drawCentredString(0, 24, "DIỄN TẬP")
    canvas.drawCentredString(0, -24, "KHÔNG CÓ GIÁ TRỊ")
    canvas.restoreState()
