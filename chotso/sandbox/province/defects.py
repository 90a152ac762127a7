"""Defects planted on purpose, and the right answers: how the warehouse must treat each.

`defects.json` lists the defects delivered so far, as objects with: `id`; `kind`; `feed` (name of
the warehouse's feed); `at` (instant of delivery); `file` (for files); `key` (columns of the feed's
key); `expected`, one of `accepted`, `quarantined`, `refused`; `reason`, a class of reasons, not a
rule's name; `money_vnd`, the money of what is set aside or accepted, as the feed counts money.
"""

import json
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from chotso.sandbox.province.documents import Documents
from chotso.sandbox.province.employers import DN, OFFICE_COUNT, Employers
from chotso.sandbox.province.parameters import DefectLevel, Parameters
from chotso.sandbox.province.population import Spells, person_numbers
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.timeline import DAY, OPEN_MONTH, Timeline, iso
from chotso.sandbox.province.versions import document_number

FILE_NAME = "defects.json"
Expected = Literal["accepted", "quarantined", "refused"]
# As many of each kind.
COPIES: dict[DefectLevel, int] = {"none": 0, "some": 1, "all": 3}
NUMERIC_CODE = "0012345"
FORMULAS = ('=HYPERLINK("http://vi-du.example","Giả định")', "+84 Giả định", "@Giả định 1+1")


@dataclass(frozen=True, slots=True)
class Defect:
    """One planted defect and its right answer."""

    id: str
    kind: str
    feed: str
    at: str
    key: dict[str, str | int]
    expected: Expected
    reason: str
    money_vnd: int = 0
    file: str | None = None


def save_defects(state_dir: Path, defects: list[Defect]) -> None:
    """Writes the right answers."""
    text = json.dumps([asdict(defect) for defect in defects], ensure_ascii=False, indent=1)
    (state_dir / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def load_defects(state_dir: Path, until: str) -> list[Defect]:
    """The right answers written so far, of what was delivered by an instant (local ISO text)."""
    path = state_dir / FILE_NAME
    if not path.exists():
        return []
    found = [Defect(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    return [defect for defect in found if defect.at <= until]


def plant_in_names(parameters: Parameters, employers: Employers) -> list[Defect]:
    """Names not in NFC, names like formulas, and a code that a spreadsheet takes for a number."""
    copies = COPIES[parameters.defects]
    if not copies:
        return []
    companies = np.flatnonzero(
        (employers.kind == DN) & (employers.first_month < 0) & (employers.last_month == OPEN_MONTH)
    ).tolist()
    found: list[Defect] = []

    def note(kind: str, employer: int, reason: str) -> None:
        key: dict[str, str | int] = {"ma_don_vi": employers.codes[employer]}
        at = iso(int(employers.created_at[employer]))
        name = f"{kind}-{len(found) + 1}"
        found.append(Defect(name, kind, "employers", at, key, "accepted", reason))

    employers.codes[companies[-1]] = NUMERIC_CODE
    note("numeric_employer_code", companies[-1], "code_is_text")
    for copy in range(copies):
        decomposed, formula = companies[2 * copy + 3], companies[2 * copy + 4]
        name = unicodedata.normalize("NFD", employers.names[decomposed])
        employers.names[decomposed] = name
        note("name_not_nfc", decomposed, "name_is_normalised")
        employers.names[formula] = FORMULAS[copy]
        note("name_like_formula", formula, "name_is_text")
    return found


def plant_in_numbers(parameters: Parameters, spells: Spells) -> tuple[dict[int, str], list[Defect]]:
    """Persons with a malformed number; all their spells must be set aside."""
    copies = COPIES[parameters.defects]
    if not copies:
        return {}, []
    rng = stream(parameters.seed, "defects in numbers")
    # Employees with a spell before the seed, so that they are in the first night.
    known = spells.person[(spells.scheme == 0) & (spells.from_month < 0)]
    persons = rng.choice(np.unique(known), size=2 * copies, replace=False).tolist()
    misspelt: dict[int, str] = {}
    kinds: dict[int, str] = {}
    for index, person in enumerate(persons):
        number = person_numbers(np.array([person]))[0]
        if index % 2:
            misspelt[person] = number[:4] + "X" + number[5:]
            kinds[person] = "letter_in_person_number"
        else:
            misspelt[person] = number[1:]
            kinds[person] = "leading_zero_eaten_in_person_number"
    found = []
    for spell in np.flatnonzero(np.isin(spells.person, persons)).tolist():
        person = int(spells.person[spell])
        at = iso(int(spells.inserted_at[spell]))
        found.append(
            Defect(f"{kinds[person]}-{spell + 1}", kinds[person], "participations", at,
                   {"ma_qua_trinh": spell + 1}, "quarantined", "malformed_person_number")
        )  # fmt: skip
    return misspelt, found


def plant_in_documents(
    parameters: Parameters, employers: Employers, documents: Documents
) -> list[Defect]:
    """Documents of an unknown agency, and documents with a smaller amount than their lines."""
    copies = COPIES[parameters.defects]
    if not copies:
        return []
    timeline = parameters.timeline
    once = np.bincount(documents.v_document, minlength=documents.count) == 1
    plain = np.flatnonzero(once[documents.v_document] & (documents.v_amount_vnd > 1_000_000))
    plain = plain[np.argsort(documents.v_at[plain], kind="stable")]
    # In September, in October, and in the last days of December.
    found: list[Defect] = []
    for copy, around in enumerate(
        (timeline.month_start(8) + 5 * DAY, timeline.month_start(9) + 8 * DAY,
         timeline.month_start(12) - 4 * DAY)[:copies]
    ):  # fmt: skip
        first = int(np.searchsorted(documents.v_at[plain], around))
        unknown, short = int(plain[first]), int(plain[first + 1])
        documents.v_office[unknown] = OFFICE_COUNT
        found += _of_unknown_agency(timeline, documents, unknown, copy)
        documents.v_amount_vnd[short] //= 2
        found += _lines_exceeding(timeline, documents, short, copy)
    return found


def _line_defects(
    timeline: Timeline, documents: Documents, version: int, copy: int, kind: str, reason: str
) -> list[Defect]:
    document = int(documents.v_document[version])
    number = document_number(timeline, int(documents.number[document]))
    at = iso(int(documents.v_at[version]))
    found = []
    for line in np.flatnonzero(documents.l_document == document).tolist():
        money = int(documents.l_principal_vnd[line] + documents.l_interest_vnd[line])
        serial = int(documents.l_line[line])
        found.append(
            Defect(f"{kind}-{copy + 1}-line-{serial}", kind, "allocations", at,
                   {"so_chung_tu": number, "so_dong": serial}, "quarantined", reason, money)
        )  # fmt: skip
    return found


def _of_unknown_agency(
    timeline: Timeline, documents: Documents, version: int, copy: int
) -> list[Defect]:
    kind = "document_of_unknown_agency"
    number = document_number(timeline, int(documents.number[documents.v_document[version]]))
    whole = Defect(f"{kind}-{copy + 1}", kind, "payments", iso(int(documents.v_at[version])),
                   {"so_chung_tu": number}, "quarantined", "unknown_agency",
                   int(documents.v_amount_vnd[version]))  # fmt: skip
    # Its lines cannot count without it, so they are set aside with their money.
    return [whole, *_line_defects(timeline, documents, version, copy, kind, "unknown_agency")]


def _lines_exceeding(
    timeline: Timeline, documents: Documents, version: int, copy: int
) -> list[Defect]:
    kind = "lines_exceed_document"
    return _line_defects(timeline, documents, version, copy, kind, kind)
