"""Feed contracts: the models of `config/feeds/*.yml`.

The code reads contracts and knows no feed by name. A new feed is a contract file, its staging
model, and rules of its own.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, model_validator

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError
from chotso.strict_models import StrictModel, faults_of
from chotso.yaml_reader import read_yaml

FEEDS_DIR = PROJECT_ROOT / "config" / "feeds"
HELPERS_DIR = PROJECT_ROOT / "config" / "helpers"

_Model = TypeVar("_Model", bound=StrictModel)

ColumnType = Literal[
    "text", "smallint", "integer", "bigint", "numeric", "boolean", "date", "timestamptz", "jsonb"
]
PSEUDONYM = "person_pseudonym"
PSEUDONYM_COLUMNS = {
    PSEUDONYM: "Bí danh của người tham gia — HMAC-SHA-256 of the person's number, 64 hex",
    "number_shape": "Dạng của mã số — 'ok', or why the number is not well formed",
    "number_mask": "Mã số đã che — the number with all but its first two digits masked",
    "key_id": "Mã của khóa bí danh — which pseudonym key was used",
}


class Column(StrictModel):
    """One column of a feed, as the source names it."""

    type: ColumnType
    description: str
    found_as: str | None = Field(None, description="the source's own name where it differs")
    required: bool = False
    tracked: bool = Field(True, description="whether a change of it alone is a new version")
    null_is_zero: bool = False
    counts: Literal["people"] | None = Field(
        None, description="what a bigint beside the key counts; absent: đồng"
    )
    form: Literal["month", "code", "ungrouped"] | None = Field(
        None,
        description="how a file writes it, if specially: a month; a code, of which a number cell "
        "may have lost zeros; a number too small for marks between thousands",
    )
    shape: str | None = Field(
        None, description="what its values look like: tells whether a column stands in its place"
    )
    personal: Literal["pseudonym", "drop"] | None = None
    refers_to: str | None = Field(None, description="feed whose row it names by its only key")


class ParentRelation(StrictModel):
    """The relation of documents; if a document changes, all its lines are read again."""

    relation: str
    key: str
    changed_at: str
    period: str


class TableSource(StrictModel):
    """A relation of the collection system, in schema `tst`."""

    kind: Literal["table"]
    relation: str
    read: Literal["whole", "changes"]
    changed_at: str | None = None
    overlap_minutes: int = 120
    period: str | None = Field(None, description="instant that places a row in a year")
    parent: ParentRelation | None = None

    @model_validator(mode="after")
    def _changes_need_a_position(self) -> "TableSource":
        if self.read == "changes" and not self.changed_at:
            raise ValueError("a feed that reads changes needs changed_at")
        return self


class ControlTotals(StrictModel):
    """How the source counts a feed's rows: per month, rows and đồng."""

    month: str = Field(description="column that places a row in a month")
    of: str | None = Field(
        None, description="feed whose row has that column: a line counts in its document's month"
    )


class Layout(StrictModel):
    """One order of columns of a sheet whose header is not dependable."""

    name: str
    inserted: dict[str, int] = Field(
        default_factory=dict, description="columns this layout has beyond `sheet_columns`, by index"
    )


class FileSource(StrictModel):
    """Files in the drop folder whose name matches `pattern`."""

    kind: Literal["file"]
    pattern: str
    looks_like: str | None = Field(
        None, description="names that were meant for the feed; what only looks like it is refused"
    )
    named_like: str = Field(description="the form of the name, for people")
    reader: Literal["sheets_by_position", "first_sheet_by_header"]
    header_rows: int
    sheet_code: str | None = Field(None, description="column that takes the sheet's name")
    sheet_shape: str | None = Field(None, description="what a sheet's name looks like, as a code")
    sheet_columns: list[str] = Field(default_factory=list)
    layouts: list[Layout] = Field(default_factory=list)
    recognised_by: list[str] = Field(
        default_factory=list, description="columns whose cells must be readable in a layout"
    )
    not_loaded: list[str] = Field(default_factory=list)

    @property
    def name_pattern(self) -> re.Pattern[str]:
        """A pattern for file names that fit the feed or only look like its names."""
        if self.looks_like is None:
            return re.compile(self.pattern)
        return re.compile(f"(?:{self.pattern})|(?:{self.looks_like})")


class Contract(StrictModel):
    """One feed: its source, its columns, and how its versions are kept."""

    feed: str
    group: str
    order: int
    title: str
    owner: str = Field(description="department that answers for the feed's data")
    source: TableSource | FileSource = Field(discriminator="kind")
    kept_as: Literal["versions", "statement"] = Field(
        description="versions: the newest row of a key counts; statement: a delivery states all of "
        "its scope, and the newest instant counts"
    )
    key: list[str]
    scope: list[str] = Field(
        default_factory=list,
        description="columns within which a delivery is a full statement: what it lacks is closed",
    )
    money: str = Field("0", description="SQL over the row's columns, whole đồng")
    money_columns: list[str] = Field(default_factory=list)
    control: ControlTotals | None = None
    columns: dict[str, Column]

    @property
    def landed(self) -> dict[str, Column]:
        """The columns as they land: a person's number is replaced by the pseudonym's columns."""
        landed: dict[str, Column] = {}
        for name, column in self.columns.items():
            if column.personal == "pseudonym":
                for made, description in PSEUDONYM_COLUMNS.items():
                    landed[made] = Column(type="text", description=description)
            elif column.personal is None:
                landed[name] = column
        return landed

    @property
    def tracked(self) -> list[str]:
        """Columns whose change makes a new version, without the key."""
        return [n for n, c in self.landed.items() if c.tracked and n not in self.key]

    @property
    def amounts(self) -> list[str]:
        """Columns of whole đồng: each `bigint` beside the key that does not count other things."""
        return [
            name
            for name, column in self.landed.items()
            if column.type == "bigint" and column.counts is None and name not in self.key
        ]

    def referring_to(self, feed: str) -> list[str]:
        """Columns that refer to a row of another feed."""
        return [name for name, column in self.columns.items() if column.refers_to == feed]

    @property
    def believes_absence(self) -> bool:
        """Whether a row that a whole read lacks has ended.

        Only the source's own count, from the same snapshot, distinguishes a row that ended from a
        faulty read or missing rights. Without such a count, absence proves nothing.
        """
        return self.control is not None or not isinstance(self.source, TableSource)

    @model_validator(mode="after")
    def _money_has_no_placeholder(self) -> "Contract":
        if "%" in self.money:
            raise ValueError(f"{self.feed}: money must not hold %, it stands beside parameters")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> "Contract":
        known = set(self.landed)
        for name in [*self.key, *self.scope, *self.money_columns]:
            if name not in known:
                raise ValueError(f"{self.feed}: column {name} is not in the contract")
        return self


class HelperTable(StrictModel):
    """A table of the source that holds no feed: its clock, or its own count."""

    relation: str
    title: str
    columns: dict[str, Column]


@cache
def helper_table(relation: str) -> HelperTable:
    """The contract of a helper table.

    Raises:
        ChotsoError: Its file is malformed.
    """
    return _read(HelperTable, "contract", HELPERS_DIR / f"{relation}.yml")


def contracts() -> dict[str, Contract]:
    """All contracts by feed, in the order in which feeds are published."""
    return read_contracts(FEEDS_DIR)


@cache
def read_contracts(folder: Path) -> dict[str, Contract]:
    """The contracts in `folder`, as `contracts()` gives them.

    Raises:
        ChotsoError: A contract file is malformed; the file and the line's path are named.
    """
    loaded = [_read(Contract, "feed contract", path) for path in sorted(folder.glob("*.yml"))]
    return {c.feed: c for c in sorted(loaded, key=lambda c: c.order)}


def contract_of(feed: str) -> Contract:
    """The contract of one feed.

    Raises:
        ChotsoError: There is no such feed.
    """
    if feed not in contracts():
        raise ChotsoError(
            f"There is no feed {feed!r}.", next_step=f"name one of: {', '.join(contracts())}."
        )
    return contracts()[feed]


def groups() -> dict[str, list[Contract]]:
    """Contracts by group; the feeds of a group share one snapshot."""
    by_group: dict[str, list[Contract]] = {}
    for contract in contracts().values():
        by_group.setdefault(contract.group, []).append(contract)
    return by_group


def _read(model: type[_Model], what: str, path: Path) -> _Model:
    try:
        return model.of_content(read_yaml(path.read_bytes()))
    except ValueError as error:
        raise ChotsoError(
            f"The {what} {path.name} is malformed: {'; '.join(faults_of(error))}.",
            next_step=f"mend {path}.",
        ) from error
