"""The source's tables as row versions: the state at any instant, and the changes between instants.

A version is valid from its commit instant (`at`) on. At an instant, the table has the newest
version at or before it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chotso.sandbox.province.documents import Documents
from chotso.sandbox.province.employers import Employers
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.payments import FORMS, FUNDS
from chotso.sandbox.province.population import CLOSED, SCHEMES, VOIDED, Spells, person_numbers
from chotso.sandbox.province.registers import RegisterRows
from chotso.sandbox.province.schedule import late_commits
from chotso.sandbox.province.tables import CHUNG_TU, PHAN_BO, THAM_GIA, SourceTable, Value
from chotso.sandbox.province.timeline import OPEN_MONTH, Flags, Ints, Timeline, iso_many
from chotso.sandbox.province.units import offices

CHUNK_ROWS = 50_000
UNKNOWN_AGENCY_CODE = "07299"
_GENDERS: tuple[str, str] = ("Nam", "Nữ")
_LINES_PER_DOCUMENT = 64

Columns = list[list[Value]]


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions of one table's rows, sorted by entity and instant."""

    table: SourceTable
    entity: Ints
    at: Ints
    deleted: Flags
    render: Callable[[Ints], Columns]

    def newest(self, after: int | None, until: int) -> Ints:
        """Indices of the newest version at `until` of each row changed after `after`."""
        chosen = np.flatnonzero(self.at <= until)
        entity = self.entity[chosen]
        last = np.append(entity[1:] != entity[:-1], True) if entity.size else np.zeros(0, np.bool_)
        newest: Ints = chosen[last]
        if after is None:
            return newest[~self.deleted[newest]]
        return newest[self.at[newest] > after]

    def between(self, after: int, until: int) -> Ints:
        """Indices of all versions committed in (after, until]."""
        return np.flatnonzero((self.at > after) & (self.at <= until))

    def chunks(self, indices: Ints) -> Iterator[tuple[Ints, Columns]]:
        """Rendered columns, at most CHUNK_ROWS rows at a time."""
        for start in range(0, indices.size, CHUNK_ROWS):
            part = indices[start : start + CHUNK_ROWS]
            yield part, self.render(part)


def _sorted(
    table: SourceTable, entity: Ints, at: Ints, deleted: Flags, render: Callable[[Ints], Columns]
) -> Versions:
    order = np.lexsort((at, entity))

    def render_sorted(indices: Ints) -> Columns:
        return render(order[indices])

    return Versions(table, entity[order], at[order], deleted[order], render_sorted)


def register_versions(table: SourceTable, rows: RegisterRows) -> Versions:
    """Versions of a small register."""

    def render(indices: Ints) -> Columns:
        picked = [rows.rows[index] for index in indices.tolist()]
        return [list(column) for column in zip(*picked, strict=True)]

    entity, at = np.array(rows.entity, dtype=np.int64), np.array(rows.at, dtype=np.int64)
    return _sorted(table, entity, at, np.zeros(at.size, np.bool_), render)


def _lookup(words: list[str], indices: Ints) -> list[Value]:
    return [words[index] for index in indices.tolist()]


def _agency_codes() -> list[str]:
    """Codes by office index; the last one (also -1) is an unknown agency."""
    return [*(agency.code for agency in offices()), UNKNOWN_AGENCY_CODE]


def _month_texts(timeline: Timeline, months: Ints) -> list[Value]:
    known = {m: timeline.month_date(m).isoformat() for m in np.unique(months).tolist()
             if m != OPEN_MONTH}  # fmt: skip
    return [known.get(month) for month in months.tolist()]


def document_number(timeline: Timeline, serial: int) -> str:
    """The number on a document."""
    return f"CT{timeline.year % 100:02d}-{serial:08d}"


def document_versions(timeline: Timeline, employers: Employers, documents: Documents) -> Versions:
    """Versions of `chung_tu`; the entity is the document."""
    agencies = _agency_codes()

    def render(indices: Ints) -> Columns:
        of = documents.v_document[indices]
        return [
            [document_number(timeline, serial) for serial in documents.number[of].tolist()],
            _lookup(employers.codes, documents.employer[of]),
            _lookup(agencies, documents.v_office[indices]),
            _lookup(list(FORMS), documents.form[of]),
            list(iso_many(documents.v_credited_at[indices])),
            documents.v_amount_vnd[indices].tolist(),
            ["HUY" if void else "HIEU_LUC" for void in documents.v_void[indices].tolist()],
            list(iso_many(documents.entered_at[of])),
            list(iso_many(documents.v_changed_at[indices])),
        ]

    nothing = np.zeros(documents.v_at.size, np.bool_)
    return _sorted(CHUNG_TU, documents.v_document, documents.v_at, nothing, render)


def line_versions(timeline: Timeline, documents: Documents) -> Versions:
    """Versions of `phan_bo`; the entity is document and line."""

    def render(indices: Ints) -> Columns:
        serials = documents.number[documents.l_document[indices]]
        return [
            [document_number(timeline, serial) for serial in serials.tolist()],
            documents.l_line[indices].tolist(),
            _lookup(list(FUNDS), documents.l_fund[indices]),
            _month_texts(timeline, documents.l_month[indices]),
            documents.l_principal_vnd[indices].tolist(),
            documents.l_interest_vnd[indices].tolist(),
            list(iso_many(documents.l_changed_at[indices])),
        ]

    entity = documents.l_document * _LINES_PER_DOCUMENT + documents.l_line
    return _sorted(PHAN_BO, entity, documents.l_at, documents.l_deleted, render)


def spell_versions(
    parameters: Parameters, employers: Employers, spells: Spells, misspelt: dict[int, str]
) -> Versions:
    """Versions of `tham_gia`; the entity is the spell.

    Args:
        parameters: The province.
        employers: Its employers.
        spells: Its spells, by number from 1.
        misspelt: Persons whose number is delivered malformed, and how.
    """
    timeline = parameters.timeline
    changed = np.flatnonzero(spells.change != 0)
    entity = np.concatenate([np.arange(spells.count), changed])
    later = np.concatenate([np.zeros(spells.count, np.bool_), np.ones(changed.size, np.bool_)])
    at = np.concatenate([spells.inserted_at, spells.changed_at[changed]])
    own = late_commits(parameters, "spells", at, floor=at - 3_300)
    agencies = _agency_codes()

    def numbers(person: Ints) -> list[Value]:
        regular = person_numbers(person)
        if not misspelt:
            return list(regular)
        return [misspelt.get(p, text) for p, text in zip(person.tolist(), regular, strict=True)]

    def render(indices: Ints) -> Columns:
        of, is_later = entity[indices], later[indices]
        person = spells.person[of]
        shown_end = np.where(
            (spells.change[of] == CLOSED) & ~is_later, OPEN_MONTH, spells.to_month[of]
        )
        void = is_later & (spells.change[of] == VOIDED)
        birth = person * 7_919 % 25_000
        group = spells.group[of].tolist()
        return [
            (of + 1).tolist(),
            numbers(person),
            [f"Người giả định {p:07d}" for p in person.tolist()],
            [f"{d % 28 + 1:02d}/{d % 12 + 1:02d}/{1940 + d % 77}" for d in birth.tolist()],
            [_GENDERS[p % 2] for p in person.tolist()],
            _lookup(list(SCHEMES), spells.scheme[of]),
            [g or None for g in group],
            _lookup(employers.codes, spells.employer[of]),
            _lookup(agencies, spells.office[of]),
            _month_texts(timeline, spells.from_month[of]),
            _month_texts(timeline, shown_end),
            ["HUY" if v else "HIEU_LUC" for v in void.tolist()],
            list(iso_many(own[of])),
            list(iso_many(own[indices])),
        ]

    return _sorted(THAM_GIA, entity, at, np.zeros(at.size, np.bool_), render)
