"""Tables of the PDF: thin lines, a header on every page, no row split over pages."""

from typing import Any

from reportlab.lib.colors import Color
from reportlab.platypus import Table, TableStyle

_LINE = Color(0.6, 0.6, 0.6)
_HEAD = Color(0.9, 0.92, 0.95)


def grid(cells: list[list[Any]], widths: list[float], header: bool = False,
         lines: bool = True) -> Table:  # fmt: skip
    """A table of flowables.

    Args:
        cells: Rows of flowables.
        widths: Column widths, in points.
        header: Whether the first row is a header, which is repeated on every page.
        lines: Whether lines are drawn.
    """
    table = Table(cells, colWidths=widths, repeatRows=1 if header else 0)
    looks: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3 if lines else 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3 if lines else 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    if lines:
        looks.append(("LINEBELOW", (0, 0), (-1, -1), 0.35, _LINE))
    if header:
        looks.append(("BACKGROUND", (0, 0), (-1, 0), _HEAD))
    table.setStyle(TableStyle(looks))
    return table
