"""The landed files of a batch, and the facts of its read that publishing needs.

They are written twice as JSON: into the manifest of the batch's folder in the archive, and into
`ops.batch.landing_files`. Only this module writes and reads both forms.
"""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer

from chotso.landing import LandedFile

Closes = Literal["everything", "scope", "window", "period", "nothing"]
_Instant = Annotated[datetime, PlainSerializer(datetime.isoformat)]


class Listing(BaseModel):
    """How many deliveries were in the drop folder, and how many of them were new."""

    model_config = ConfigDict(frozen=True)

    found: int
    new: int


class ReadFacts(BaseModel):
    """The facts of a read that publishing needs. A fact that is None is not written.

    Attributes:
        closes: Which rows the read states in full: such rows are closed if the read lacks them.
        year_start: The first stated day, if `closes` is `period`.
        months: The months that were read in full, if only some were asked for.
        held_before: The position before a whole read. The warehouse should already hold every row
            that the source changed no later; a row that it does not hold is a difference.
        control: `missing` if the source had no count of its rows.
        added_columns: Columns of the source that are not in the contract, with their types.
        month: The month that a delivered file states.
        original: Where the delivered file is in the archive.
        notes: What the reader of the file noticed.
        listing: The content of the drop folder; only in the batch that records this read.
        again: The batch whose rows are published once more.
        replays: The rows of `quarantine.row` that are judged again.
        replayed: The same rows by key and hash, by which another warehouse knows them.
    """

    # An archive may have facts that this version does not know; they are kept.
    model_config = ConfigDict(frozen=True, extra="allow")

    closes: Closes = "nothing"
    year_start: date | None = None
    months: list[date] | None = None
    held_before: _Instant | None = None
    control: Literal["missing"] | None = None
    added_columns: dict[str, str | None] | None = None
    month: date | None = None
    original: str | None = None
    notes: list[str] | None = None
    listing: Listing | None = None
    again: str | None = None
    replays: list[int] | None = None
    replayed: list[list[str]] | None = None

    def published_again(self, batch_id: str) -> Self:
        """The facts of a batch that publishes all of `batch_id` once more."""
        return self.model_copy(update={"again": batch_id})

    def judged_again(
        self, batch_id: str, rows: list[int], keys_and_hashes: list[list[str]]
    ) -> Self:
        """The facts of a batch with some rows of `batch_id` that were set aside."""
        return self.model_copy(
            update={
                "closes": "nothing",
                "again": batch_id,
                "replays": rows,
                "replayed": keys_and_hashes,
            }
        )

    def with_rows(self, rows: list[int]) -> Self:
        """The same facts, with this warehouse's row numbers of the rows that are judged again."""
        return self.model_copy(update={"replays": rows})

    def as_json(self) -> dict[str, Any]:
        """The written form; if a delivery states no month, `month` is `null`."""
        written = self.model_dump(mode="json", exclude_none=True)
        return {"month": None} | written if self.original else written


@dataclass(frozen=True)
class Landed:
    """The landed files of a batch by role, and the facts of its read."""

    data: LandedFile
    scope: LandedFile | None = None
    control: LandedFile | None = None
    facts: ReadFacts = field(default_factory=ReadFacts)

    @property
    def files(self) -> dict[str, LandedFile]:
        """The existing files, by role."""
        by_role = {"data": self.data, "scope": self.scope, "control": self.control}
        return {role: file for role, file in by_role.items() if file is not None}

    def for_ledger(self) -> dict[str, Any]:
        """The form of `ops.batch.landing_files`."""
        return _as_json(self.files) | {"facts": self.facts.as_json()}

    @classmethod
    def from_ledger(cls, landing_files: dict[str, Any]) -> "Landed":
        """The content of `ops.batch.landing_files`."""
        files = {role: LandedFile(**f) for role, f in landing_files.items() if role != "facts"}
        return cls(**files, facts=ReadFacts.model_validate(landing_files["facts"]))


@dataclass(frozen=True)
class BatchManifest:
    """The manifest of a batch's folder in the archive."""

    batch_id: str
    feed: str
    business_date: date
    read_mode: str | None
    known_at: datetime
    source_position: str | None
    stated_at: datetime | None
    landed: Landed

    @property
    def folder(self) -> str:
        """The batch's folder, relative to the archive's root."""
        return batch_folder(self.feed, self.business_date, self.batch_id)

    def as_json(self) -> dict[str, Any]:
        """The written form; dates and instants are formatted with `str`."""
        mode = {} if self.read_mode is None else {"read_mode": self.read_mode}
        return mode | {
            "batch_id": self.batch_id,
            "feed": self.feed,
            "business_date": self.business_date,
            "known_at": self.known_at,
            "source_position": self.source_position,
            "stated_at": self.stated_at,
            "files": _as_json(self.landed.files),
            "facts": self.landed.facts.as_json(),
        }

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> "BatchManifest":
        """The content of a manifest; those of older versions have no `read_mode`."""
        stated_at = written["stated_at"]
        return cls(
            batch_id=str(written["batch_id"]),
            feed=str(written["feed"]),
            business_date=date.fromisoformat(written["business_date"]),
            read_mode=written.get("read_mode"),
            known_at=datetime.fromisoformat(written["known_at"]),
            source_position=written["source_position"],
            stated_at=datetime.fromisoformat(stated_at) if stated_at else None,
            landed=Landed.from_ledger(written["files"] | {"facts": written["facts"]}),
        )


def batch_folder(feed: str, business_date: date, batch_id: str) -> str:
    """The folder of a batch's files, relative to the archive's root."""
    return f"{feed}/{business_date}/{batch_id}"


def _as_json(files: dict[str, LandedFile]) -> dict[str, Any]:
    return {role: asdict(file) for role, file in files.items()}
