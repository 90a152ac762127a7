"""One malformed row and what must become of it.

A case's id stands in the column `sldtn`, which no class breaks, so a row is found again wherever
it ended, whatever else of it is broken.
"""

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

MONTH = date(2021, 12, 1)
ID = "sldtn"
_FIRST_ID = 100_000

GROUPS = {
    "si": ("_dk_bhxh", "_ps_bh", "_bst_bh", "_bsg_bh", "_dt_bhxh", "_ck_bhxh"),
    "hi": ("_dk_bhyt", "_ps_yt", "_bst_yt", "_bsg_yt", "_dt_bhyt", "_ck_bhyt"),
    "ui": ("_dk_bhtn", "_ps_tn", "_bst_tn", "_bsg_tn", "_dt_bhtn", "_ck_bhtn"),
}
CLOSINGS = tuple(names[-1] for names in GROUPS.values())
INTEREST = ("_dk_lai", "_lai1_ps", "_lai2_ps", "_lai3_ps", "_dt_lai", "_ck_lai")
WAGES = ("_tql", "_tqlyt", "_tqltn")
COUNTS = ("sld", "sldtn")
AMOUNTS = (*(n for names in GROUPS.values() for n in names), *INTEREST, *WAGES)

Cells = dict[str, Any]


@dataclass(frozen=True)
class ErrorCell:
    """A cell that shows an Excel error."""

    shown: str


@dataclass(frozen=True)
class FormulaCell:
    """A formula; None is a formula whose value was never computed."""

    text: str
    value: float | str | None


@dataclass(frozen=True)
class Merged:
    """The first cell of an area that covers the next `more` cells."""

    value: Any
    more: int


@dataclass(frozen=True)
class Bytes:
    """A CSV field as raw bytes, in no encoding."""

    raw: bytes


@dataclass
class Case:
    """A row to deliver, and where it must end.

    Attributes:
        kind: The class of malformation.
        id: Its number, unique in a run.
        cells: What stands in which column.
        rule: The first rule that sets it aside; None where it is accepted.
        values: What an accepted row must hold, by the source's column names.
        money: Its đồng as far as they can be read.
        width: Fields of a CSV row where they are not the layout's; None for the layout's own.
        beyond: What stands after the layout's last column.
    """

    kind: str
    id: int
    cells: Cells
    rule: str | None = None
    values: Cells = field(default_factory=dict)
    money: int = 0
    width: int | None = None
    beyond: tuple[Any, ...] = ()


class Maker:
    """Makes good accounts, each with amounts of its own, to be broken by the classes."""

    def __init__(self, seed: int, prefix: str = "c") -> None:
        self.rng = Random(seed)
        self._prefix = prefix
        self._number = 0

    def good(self, kind: str) -> Case:
        """A flawless account."""
        self._number += 1
        case_id = _FIRST_ID + self._number
        cells: Cells = {
            "madvi": _code(self._prefix, self._number),
            "tendvi": "Công ty TNHH Thương mại Phước Đông",
            "thang": f"{MONTH:%m/%Y}",
        }
        for names in GROUPS.values():
            opening, payable, up, down, allocated, closing = names
            cells[opening] = self.rng.randrange(1_000, 900_000) * 1_000 + self._number
            cells[payable] = self.rng.randrange(1_000_000, 800_000_000)
            cells[up] = self.rng.choice((0, self.rng.randrange(1_000, 9_000_000)))
            cells[down] = self.rng.choice((0, self.rng.randrange(1_000, 900_000)))
            cells[allocated] = self.rng.randrange(1_000_000, 900_000_000)
            cells[closing] = (
                cells[opening] + cells[payable] + cells[up] - cells[down] - cells[allocated]
            )
        for name in INTEREST[:-1]:
            cells[name] = self.rng.randrange(0, 900_000)
        cells["_ck_lai"] = sum(cells[n] for n in INTEREST[:4]) - cells["_dt_lai"]
        cells |= {name: self.rng.randrange(10_000_000, 900_000_000) for name in WAGES}
        cells |= {"sld": self.rng.randrange(1, 900), ID: case_id}
        cells["sothang"] = self.rng.choice((0, 1.5, 3))
        case = Case(kind, case_id, cells)
        case.values = {name: cells[name] for name in ("madvi", *AMOUNTS, *COUNTS)}
        case.money = sum(cells[name] for name in CLOSINGS)
        return case

    def amount(self, case: Case) -> str:
        """The name of an amount of the account that is not zero."""
        return self.rng.choice([n for n in AMOUNTS if case.cells[n]])


def spoil(case: Case, name: str, cell: Any, rule: str = "c12.readable") -> Case:
    """Put a cell that cannot be read into a case."""
    if name in CLOSINGS:
        case.money -= case.cells[name]
    case.cells[name] = cell
    case.rule = rule
    return case


def move(case: Case, name: str, to: int) -> None:
    """Bring an amount to another value so that the account still adds up."""
    by = to - case.cells[name]
    case.cells[name] = case.values[name] = to
    for names in (*GROUPS.values(), INTEREST):
        if name in names and name != names[-1]:
            is_less = name in (names[-2], names[3]) if names is not INTEREST else name == names[-2]
            case.cells[names[-1]] += -by if is_less else by
            case.values[names[-1]] = case.cells[names[-1]]
    case.money = sum(case.cells[n] for n in CLOSINGS)


def _code(prefix: str, number: int) -> str:
    series = chr(ord("A") + number // 10_000)
    return f"{prefix[0].upper()}{series}{number % 10_000:04d}Z"
