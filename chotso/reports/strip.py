"""A strip of tiles, one per agency, in an order that is told over it."""

from collections.abc import Mapping, Sequence

from reportlab.lib.colors import Color, black, white
from reportlab.platypus import Flowable

from chotso.reports.page import BOLD, MARGIN, MM, REGULAR, WIDTH, fitted

_FULL = WIDTH - 2 * MARGIN
_A_LINE = 10
_TILE = 12 * MM
_GAP = 1.2 * MM

Tile = tuple[str, str, bool | None]


class Strip(Flowable):  # type: ignore[misc]
    """Tiles with a place, a name, a figure and a verdict; missed ones have a thick frame.

    Args:
        tiles: Name, figure, and whether the plan was met, from the first place to the last.
        colours: The fill of tiles that met their plan, and of those that did not.
    """

    def __init__(self, tiles: Sequence[Tile], colours: Mapping[bool, Color]) -> None:
        super().__init__()
        self.tiles, self.colours = tiles, colours
        lines = -(-len(tiles) // _A_LINE)
        self.width, self.height = _FULL, lines * (_TILE + _GAP)

    def wrap(self, *available: float) -> tuple[float, float]:
        """The strip's size: the page's width, and ten tiles per line."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw the tiles from left to right, line by line."""
        width = _FULL / _A_LINE
        for place, tile in enumerate(self.tiles):
            line, column = divmod(place, _A_LINE)
            low = self.height - (line + 1) * (_TILE + _GAP) + _GAP
            self._tile(column * width, low, width - _GAP, place + 1, tile)

    def _tile(self, left: float, low: float, width: float, place: int, tile: Tile) -> None:
        name, figure, is_met = tile
        canvas = self.canv
        canvas.setFillColor(white if is_met is None else self.colours[is_met])
        canvas.setStrokeColor(black)
        canvas.setLineWidth(1.3 if is_met is False else 0.4)
        canvas.rect(left, low, width, _TILE, stroke=1, fill=1)
        canvas.setFillColor(black)
        middle, bold = left + width / 2, is_met is False
        letter = {True: "Đ", False: "K", None: "–"}[is_met]
        for text, size, height, is_bold in (
            (f"{place}. {letter}", 6.5, 8.4, bold),
            (*_fitting(name, width - 2), 4.9, False),
            (fitted(figure, width - 3, 7, bold), 7, 1.5, bold),
        ):
            canvas.setFont(BOLD if is_bold else REGULAR, size)
            canvas.drawCentredString(middle, low + height * MM, text)


def _fitting(name: str, width: float) -> tuple[str, float]:
    """A name in the largest size in which it is whole; cut only in the smallest."""
    smallest = 5.2
    for size in (6.5, 5.8):
        if not fitted(name, width, size).endswith("…"):
            return fitted(name, width, size), size
    return fitted(name, width, smallest), smallest
