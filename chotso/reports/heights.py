"""How high a row of a workbook must be: LibreOffice does not fit rows that it did not write."""

from collections.abc import Sequence

_MOST = 30  # a row can be 409 points high


def lines_of(text: str, width: int) -> int:
    """How many lines a text takes in a width of so many characters."""
    return sum(max(1, -(-len(line) // max(width, 1))) for line in text.split("\n"))


def most_lines(cells: Sequence[object], widths: Sequence[int]) -> int:
    """The lines of the text that has the most, as far as a row can be high."""
    texts = [
        lines_of(cell, width)
        for cell, width in zip(cells, widths, strict=False)
        if isinstance(cell, str)
    ]
    return min(max(texts, default=1), _MOST)
