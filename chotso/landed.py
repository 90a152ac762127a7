"""What has landed of a batch: its files, and the facts of the read that publishing needs.

It is written twice, as JSON: in the manifest of the batch's folder in the archive, and in
`ops.batch.landing_files`. Both forms are made and read here, and nowhere else.
"""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer

from chotso.landing import LandedFile

Closes = Literal["everything", "scope", "window", "period", "nothing"]
_Instant = Annotated[datetime, PlainSerializer(datetime.isoformat)]


class Listing(BaseModel):
    """How many deliveries lay in the drop folder, and how many of them were new."""

    model_config = ConfigDict(frozen=True)

    found: int
    new: int


class ReadFacts(BaseModel):
    """What publishing must know of a read. A fact that is None is not written.

    Attributes:
        closes: Which rows the read states in full: rows among them that it lacks are closed.
        year_start: The first day of what is stated, where `closes` is `period`.
        months: The months that were read whole, where only some were asked for.
        held_before: The position before a whole read. The warehouse should already hold every row
            that the source changed no later; a row that it does not hold is a difference.
        control: `missing` where the source had no count of its rows.
        added_columns: Columns of the source that the contract does not name, with their types.
        month: The month that a delivered file states.
        original: Where the delivered file lies in the archive.
        notes: What the reader of the file noticed.
        listing: What lay in the drop folder; only of the batch that says it was read.
        again: The batch whose rows are published once more.
        replays: The rows of `quarantine.row` that are judged again.
        replayed: The same rows by key and hash, by which another warehouse knows them.
    """

    # An archive may have facts that this version does not know: they are passed on.
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
        """The facts of a batch of some rows of `batch_id` that had been set aside."""
        return self.model_copy(
            update={
                "closes": "nothing",
                "again": batch_id,
                "replays": rows,
                "replayed": keys_and_hashes,
            }
        )

    def with_rows(self, rows: list[int]) -> Self:
        """The same facts, with the numbers that the rows judged again have in this warehouse."""
        return self.model_copy(update={"replays": rows})

    def as_json(self) -> dict[str, Any]:
        """The written form; a delivery that states no month has `null` there."""
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
        """The files that there are, by role."""
        by_role = {"data": self.data, "scope": self.scope, "control": self.control}
        return {role: file for role, file in by_role.items() if file is not None}

    def for_ledger(self) -> dict[str, Any]:
        """The form of `ops.batch.landing_files`."""
        return _as_json(self.files) | {"facts": self.facts.as_json()}

    @classmethod
    def from_ledger(cls, landing_files: dict[str, Any]) -> "Landed":
        """What `ops.batch.landing_files` says."""
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
        """The written form; dates and instants are written as `str` shows them."""
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
        """What a manifest says; one of an older version has no `read_mode`."""
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
    """Where a batch's files lie, relative to the archive's root."""
    return f"{feed}/{business_date}/{batch_id}"


def _as_json(files: dict[str, LandedFile]) -> dict[str, Any]:
    return {role: asdict(file) for role, file in files.items()}
