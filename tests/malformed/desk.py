"""Where deliveries are made, and what must become of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.malformed.case import Case, Maker
from tests.malformed.writing import (
    delimited_lines,
    head_lines,
    write_workbook,
)
from tests.oracle.hostile.c12_files import COLUMNS

FIRST = datetime(2021, 12, 1, 8)
HEADER = {1: COLUMNS}


@dataclass
class Delivered:
    """One delivered file and what must become of it.

    Attributes:
        kind: The class.
        name: The file's name.
        refusal: What the refusal's reason must contain; None where the file is read.
        cases: The rows that it brings, if it is read.
        torn: How many rows beyond those are set aside without their id.
        may_be_refused: Whether a refusal is right too: damage that hit nothing that counts.
        changes: Whether the rows are new to the warehouse.
    """

    kind: str
    name: str
    refusal: str | None = None
    cases: list[Case] = field(default_factory=list)
    torn: int = 0
    may_be_refused: bool = False
    changes: bool = True


class Desk:
    """Where deliveries are made: each has an export instant of its own, in the order made."""

    def __init__(self, drop: Path, seed: int, steps: int, prefix: str = "f") -> None:
        self.drop = drop
        self.maker = Maker(seed, prefix)
        self.steps = steps
        self._at = FIRST

    def stem(self) -> str:
        """The next name, without its ending."""
        self._at += timedelta(seconds=1)
        return f"C12_202112_{self._at:%Y%m%dT%H%M%S}"

    def cases(self, kind: str, count: int = 3) -> list[Case]:
        """Flawless accounts."""
        return [self.maker.good(kind) for _ in range(count)]

    def book(self, kind: str, cases: list[Case] | None = None, **how: Any) -> Delivered:
        """A workbook of one sheet; flawless where nothing is said."""
        made = Delivered(kind, f"{self.stem()}.xlsx", cases=cases or self.cases(kind))
        how.setdefault("header", HEADER)
        write_workbook(self.drop / made.name, {"07201": made.cases}, **how)
        return made

    def text(self, kind: str, content: bytes, cases: list[Case]) -> Delivered:
        """A CSV file of these bytes."""
        made = Delivered(kind, f"{self.stem()}_07202.csv", cases=cases)
        (self.drop / made.name).write_bytes(content)
        return made

    def lines(self, kind: str, cases: list[Case] | None = None, **how: Any) -> Delivered:
        """A CSV file written line by line."""
        made = cases or self.cases(kind)
        head = head_lines(HEADER, how.get("delimiter", ","), how.get("end", "\n"))
        return self.text(kind, b"".join([*head, *delimited_lines(made, **how)]), made)

    def path(self, made: Delivered) -> Path:
        return self.drop / made.name

    def beside(self, made: Delivered, ending: str, content: str | bytes) -> Delivered:
        """Put a manifest file beside a delivery."""
        raw = content.encode() if isinstance(content, str) else content
        (self.drop / f"{made.name}.{ending}").write_bytes(raw)
        return made

    def parts(self) -> list[int]:
        """The 64ths at which files are cut off; all of them, or `steps` of them."""
        return sorted({64 * n // self.steps for n in range(self.steps)})

    def cuts(self, content: bytes) -> Iterator[bytes]:
        """The content cut off at each of the parts."""
        return (content[: len(content) * part // 64] for part in self.parts())


FileClass = Callable[[Desk], list[Delivered]]


def refused(made: Delivered, reason: str) -> Delivered:
    """The delivery as one that must be refused."""
    made.refusal, made.cases = reason, []
    return made


def book_bytes(desk: Desk) -> bytes:
    """The bytes of a flawless workbook that is not delivered."""
    whole = desk.book("not delivered")
    content = desk.path(whole).read_bytes()
    desk.path(whole).unlink()
    return content


def csv_cuts(desk: Desk, kind: str) -> Iterator[Delivered]:
    """CSV of 12 accounts of its own each, cut off; a row that is cut is torn."""
    head = b"".join(head_lines({0: COLUMNS}))
    for part in desk.parts():
        cases = desk.cases(kind, 12)
        lines = delimited_lines(cases)
        content = head + b"".join(lines)
        cut = content[: len(content) * part // 64]
        whole = _whole_lines(cut[len(head) :], lines)
        rest = cut[len(head) + len(b"".join(lines[:whole])) :].strip(b",\n")
        made = desk.text(kind, cut, cases[:whole])
        made.torn = 1 if rest else 0
        yield made


def _whole_lines(content: bytes, lines: Sequence[bytes]) -> int:
    whole, length = 0, 0
    for line in lines:
        length += len(line)
        # The last field of a line is empty here: only its end may be missing.
        whole += len(content) >= length - 1
    return whole
