"""The heading of official papers: who issues, the national heading, number, place and date.

Laid out as Nghị định 30/2020/NĐ-CP, Phụ lục I, says; what differs from office to office is
`config/papers.yml`.
"""

from typing import Any

from reportlab.lib.colors import black
from reportlab.platypus import Flowable, Paragraph

from chotso.calendar import LOCAL_ZONE
from chotso.paper_register import MOTTO, NATION
from chotso.reports.data import ReleaseFacts
from chotso.reports.markup import escaped
from chotso.reports.page import MARGIN, MM, REGULAR, WIDTH, style, width_of

_FULL = WIDTH - 2 * MARGIN
_LEFT = 82 * MM
_RIGHT = _FULL - _LEFT
_SLANT = 0.21  # the fonts that travel along have no italics


def number_line(facts: ReleaseFacts) -> str:
    """Số: ……/BC-BHXH; the number is written by hand. Empty without an issuing agency."""
    heading = facts.heading
    return f"Số: ………/{heading.symbol}" if heading.agency and heading.symbol else ""


def dated_line(facts: ReleaseFacts, is_dated: bool = True) -> str:
    """Tây Ninh, ngày 31 tháng 12 năm 2021: the local day up to which the figures are known.

    Args:
        facts: What the release is.
        is_dated: Whether the day is told; otherwise it is left to be written by hand.
    """
    at = facts.as_known_at.astimezone(LOCAL_ZONE).date()
    return facts.heading.place_and_day(at if is_dated else None)


class OfficialHeading(Flowable):  # type: ignore[misc]
    """Two columns: the issuing agencies and the number; the national heading, place and date.

    Args:
        facts: What the release is, and who issues its papers.
        is_dated: Whether the day is printed or left to be written by hand.
    """

    def __init__(self, facts: ReleaseFacts, is_dated: bool = True) -> None:
        super().__init__()
        above, agency = facts.heading.issuers()
        self.left = _stack([(above, False), (agency, True)], _LEFT - 6 * MM)
        self.right = _stack([(NATION, True), (MOTTO, True)], _RIGHT)
        self.below = (number_line(facts), dated_line(facts, is_dated))
        self.has_agency = bool(agency)
        self.width = _FULL

    def wrap(self, *available: float) -> tuple[float, float]:
        """The heading's size: the page's width, and as high as the higher column."""
        self.tall = max(_height(self.left), _height(self.right))
        return self.width, self.tall + 14 * MM

    def draw(self) -> None:
        """Draw both columns, a line under each, and the number and the date below."""
        _, height = self.wrap()
        ends = []
        for stack, left, width in (
            (self.left, 0.0, _LEFT - 6 * MM), (self.right, _LEFT, _RIGHT),
        ):  # fmt: skip
            top = height
            for paragraph, tall in stack:
                top -= tall
                paragraph.drawOn(self.canv, left, top)
            ends.append((left + width / 2, top - 1.2 * MM))
        self.canv.setStrokeColor(black)
        self.canv.setLineWidth(0.7)
        (middle, low), (centre, base) = ends
        if self.has_agency:
            self.canv.line(middle - 14 * MM, low, middle + 14 * MM, low)
        half = width_of(MOTTO, 10.5, True) / 2
        self.canv.line(centre - half, base, centre + half, base)
        self._line_below(self.below[0], middle, 3 * MM, 0.0)
        self._line_below(self.below[1], centre, 3 * MM, _SLANT)

    def _line_below(self, text: str, middle: float, low: float, slant: float) -> None:
        told = self.canv.beginText()
        told.setFont(REGULAR, 10)
        told.setTextTransform(1, 0, slant, 1, middle - width_of(text, 10) / 2, low)
        told.textOut(text)
        self.canv.drawText(told)


def _stack(lines: list[tuple[str, bool]], width: float) -> list[tuple[Any, float]]:
    """Centred paragraphs with their heights."""
    made = []
    for text, bold in lines:
        if text:
            paragraph = Paragraph(escaped(text), style(10.5, bold, alignment=1))
            made.append((paragraph, float(paragraph.wrap(width, 100 * MM)[1])))
    return made


def _height(stack: list[tuple[Any, float]]) -> float:
    return sum(tall for _, tall in stack)
