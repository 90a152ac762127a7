"""Charts as vectors, readable without colour: a target that was missed is hatched and labelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from reportlab.lib.colors import Color, black, white
from reportlab.platypus import Flowable

from chotso.reports.page import BOLD, MARGIN, MM, REGULAR, WIDTH, fitted, width_of

PER_CHART = 30
_DARK = Color(0.16, 0.30, 0.45)
_LIGHT = Color(0.84, 0.84, 0.84)
_GRID = Color(0.8, 0.8, 0.8)
_FULL = WIDTH - 2 * MARGIN
_NAME = 62 * MM
_LABEL = 50 * MM
_PITCH = 6.2 * MM
_BAR = 3.8 * MM


@dataclass(frozen=True)
class Bar:
    """An agency's bar: its share of the plan or its ratio, the target, and the printed texts."""

    name: str
    length: Decimal | None
    target: Decimal | None
    is_met: bool | None
    label: str


class BarChart(Flowable):  # type: ignore[misc]
    """Horizontal bars, each with its target, and with the figures beside them.

    Args:
        bars: From top to bottom.
        top_of_scale: The end of the axis; a longer bar is cut and ends in an arrow head.
    """

    def __init__(self, bars: Sequence[Bar], top_of_scale: Decimal) -> None:
        super().__init__()
        self.bars = bars
        self.scale = top_of_scale if top_of_scale > 0 else Decimal(1)
        self.width = _FULL
        self.height = _PITCH * len(bars) + 6 * MM

    def wrap(self, *available: float) -> tuple[float, float]:
        """The chart's size: the page's width, and one line per bar."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw bars, targets, names, figures and the legend."""
        room = _FULL - _NAME - _LABEL
        for position, bar in enumerate(self.bars):
            middle = self.height - _PITCH * (position + 0.5)
            self._draw_bar(bar, middle, room)
        self._legend()

    def _x(self, share: Decimal, room: float) -> float:
        kept = min(max(share, Decimal(0)), self.scale)
        return _NAME + room * float(kept / self.scale)

    def _draw_bar(self, bar: Bar, middle: float, room: float) -> None:
        canvas = self.canv
        canvas.setFillColor(black)
        canvas.setFont(REGULAR, 8)
        canvas.drawString(0, middle - 2.6, fitted(bar.name, _NAME - 3 * MM, 8))
        low = middle - _BAR / 2
        if bar.length is not None and bar.length > 0:
            end = self._x(bar.length, room)
            _hatched(canvas, _NAME, low, end - _NAME, _BAR, bar.is_met)
            if bar.length > self.scale:
                _arrow(canvas, end, low)
        canvas.setStrokeColor(black)
        canvas.setLineWidth(0.5)
        canvas.line(_NAME, middle - _PITCH / 2, _NAME, middle + _PITCH / 2)
        if bar.target is not None and bar.target <= self.scale:
            canvas.setLineWidth(1.4)
            at = self._x(bar.target, room)
            canvas.line(at, middle - _PITCH / 2 + 0.6, at, middle + _PITCH / 2 - 0.6)
        bold = bar.is_met is False
        canvas.setFillColor(black)
        canvas.setFont(BOLD if bold else REGULAR, 8)
        label = fitted(bar.label, _LABEL - 3 * MM, 8, bold)
        canvas.drawString(_FULL - _LABEL + 3 * MM, middle - 2.6, label)

    def _legend(self) -> None:
        canvas = self.canv
        left = _NAME
        canvas.setFont(REGULAR, 7)
        for is_met, said in ((True, "đạt"), (False, "không đạt"), (None, "chưa giao kế hoạch")):
            _hatched(canvas, left, 1, 5 * MM, 2.4 * MM, is_met)
            canvas.setFillColor(black)
            canvas.drawString(left + 6 * MM, 1.6, said)
            left += 10 * MM + width_of(said, 7)
        canvas.setStrokeColor(black)
        canvas.setLineWidth(1.4)
        canvas.line(left, 0.5, left, 2.8 * MM)
        canvas.drawString(left + 2 * MM, 1.6, "mức giao")


def _hatched(canvas: Any, left: float, low: float, width: float, height: float,
             is_met: bool | None) -> None:  # fmt: skip
    """Draw a bar: dark if the target is met, hatched on white if not, light if there is none."""
    canvas.saveState()
    canvas.setLineWidth(0.5)
    canvas.setStrokeColor(_DARK)
    canvas.setFillColor({True: _DARK, False: white, None: _LIGHT}[is_met])
    canvas.rect(left, low, width, height, stroke=1, fill=1)
    if is_met is False:
        clip = canvas.beginPath()
        clip.rect(left, low, width, height)
        canvas.clipPath(clip, stroke=0, fill=0)
        start = left - height
        while start < left + width:
            canvas.line(start, low, start + height, low + height)
            start += 1.5 * MM
    canvas.restoreState()


def _arrow(canvas: Any, at: float, low: float) -> None:
    """Draw the arrow head of a bar that is longer than the axis."""
    path = canvas.beginPath()
    path.moveTo(at, low - 1)
    path.lineTo(at + _BAR * 0.6, low + _BAR / 2)
    path.lineTo(at, low + _BAR + 1)
    path.close()
    canvas.setFillColor(black)
    canvas.drawPath(path, stroke=0, fill=1)


class PaceChart(Flowable):  # type: ignore[misc]
    """The year to date at each month's end, compared with the plan and an even pace to it.

    Args:
        shares: The year to date divided by the plan, per month from January; None if unknown.
        labels: The label under each month.
    """

    def __init__(self, shares: Sequence[Decimal | None], labels: Sequence[str]) -> None:
        super().__init__()
        self.shares = [None if each is None else _bounded(each) for each in shares]
        self.labels = labels
        self.width, self.height = _FULL, 78 * MM
        highest = max((each for each in self.shares if each is not None), default=0.0)
        self.top = max(1.1, highest * 1.1)

    def wrap(self, *available: float) -> tuple[float, float]:
        """The chart's size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw the grid, the even pace (dashed), and the line of the figures with its labels."""
        self._grid()
        points = [
            (self._x(position), self._y(share), share)
            for position, share in enumerate(self.shares)
            if share is not None
        ]
        canvas = self.canv
        canvas.setStrokeColor(black)
        canvas.setLineWidth(0.9)
        canvas.setDash(3, 2)
        count = len(self.shares)
        canvas.line(self._x(0), self._y(1 / 12), self._x(count - 1), self._y(count / 12))
        canvas.setDash()
        canvas.setStrokeColor(_DARK)
        canvas.setLineWidth(1.8)
        for (x1, y1, _), (x2, y2, _) in pairwise(points):
            canvas.line(x1, y1, x2, y2)
        for x, y, share in points:
            canvas.setFillColor(_DARK)
            canvas.circle(x, y, 2.2, stroke=0, fill=1)
            said = f"{share * 100:.1f}\u00a0%".replace(".", ",")
            wide = width_of(said, 7)
            canvas.setFillColor(white)
            canvas.rect(x - wide - 4, y + 3, wide + 2, 8, stroke=0, fill=1)
            canvas.setFillColor(black)
            canvas.setFont(REGULAR, 7)
            canvas.drawString(x - wide - 3, y + 4.6, said)

    def _x(self, position: int) -> float:
        room = _FULL - 24 * MM
        return 14 * MM + room * (position + 0.5) / max(len(self.shares), 1)

    def _y(self, share: float) -> float:
        room = self.height - 16 * MM
        return 12 * MM + room * min(max(share, 0.0), self.top) / self.top

    def _grid(self) -> None:
        canvas = self.canv
        step = next(step for step in (0.25, 0.5, 1, 5, 50) if self.top / step <= 10 or step == 50)
        level = 0.0
        while level <= self.top:
            y = self._y(level)
            is_plan = level == 1
            canvas.setStrokeColor(black if is_plan else _GRID)
            canvas.setLineWidth(1.2 if is_plan else 0.4)
            canvas.line(14 * MM, y, _FULL - 8 * MM, y)
            canvas.setFillColor(black)
            canvas.setFont(BOLD if is_plan else REGULAR, 7)
            canvas.drawRightString(12.5 * MM, y - 2.4, f"{level * 100:.0f}\u00a0%")
            level += step
        canvas.setFont(REGULAR, 7)
        for position, label in enumerate(self.labels):
            canvas.drawCentredString(self._x(position), 7.5 * MM, label)
        said = "Nét liền: lũy kế so với kế hoạch năm. Nét đứt: nhịp đều 1/12 mỗi tháng. "
        canvas.drawString(14 * MM, 2 * MM, said + "Vạch đậm: 100\u00a0% kế hoạch.")


def _bounded(share: Decimal) -> float:
    """A share that can be drawn; shares above a hundred times the plan are cut."""
    return float(min(max(share, Decimal(-1)), Decimal(100)))
