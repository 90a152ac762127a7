"""Every class of malformed row, read by the readers alone: right values, or set aside as such."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chotso.contracts import FileSource, contract_of
from chotso.source.drop_folder import DropFolder
from chotso.source.files import ParsedFile, parse
from tests.malformed.case import ID, Case, Maker
from tests.malformed.rows import ANYWHERE, DELIMITED, WORKBOOK
from tests.malformed.writing import delimited_lines, head_lines, write_workbook
from tests.oracle.hostile.c12_files import COLUMNS

pytestmark = pytest.mark.proof

C12 = contract_of("c12")
assert isinstance(C12.source, FileSource)
PATTERN = C12.source.name_pattern
NAME = "C12_202112_20211231T163000"
NAMES = {spec.found_as or name: name for name, spec in C12.columns.items()}


def read(path: Path, scratch: Path) -> ParsedFile:
    scratch.mkdir(exist_ok=True)
    return parse(C12, DropFolder(str(path.parent)).fetch(path.name, PATTERN, scratch))


def misread(cases: Sequence[Case], parsed: ParsedFile) -> list[str]:
    """What is wrong about how each case was read; every row must be there, once."""
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in parsed.rows.to_pylist():
        rows.setdefault(row[ID], []).append(row)
    wrong = [f"{key}: a row of no case" for key in rows.keys() - {case.id for case in cases}]
    for case in cases:
        found, due = rows.get(case.id, []), sum(case.id == other.id for other in cases)
        told = f"{len(found)} rows" if len(found) != due else _misread_row(case, found[0])
        if told:
            wrong.append(f"{case.kind} {case.id}: {told}")
    return wrong


def _misread_row(case: Case, row: dict[str, Any]) -> str | None:
    is_readable = row["unreadable"] is None
    if is_readable != (case.rule != "c12.readable"):
        return f"unreadable is {row['unreadable']}, due is {case.rule or 'accepted'}"
    if case.rule is None:
        differing = {n: row[NAMES[n]] for n, v in case.values.items() if not same(row[NAMES[n]], v)}
        if differing:
            return f"read as {differing}, due {[case.values[n] for n in differing]}"
        if json.loads(row["extra"])["tendvi"] != case.cells["tendvi"]:
            return "its name was changed"
    return None


def same(found: Any, due: Any) -> bool:
    """Whether a landed value is the due one; decimals travel as text."""
    return Decimal(found) == due if isinstance(due, Decimal) else bool(found == due)


@pytest.mark.parametrize("kind", [*ANYWHERE, *WORKBOOK])
def test_in_a_workbook(kind: str, tmp_path: Path) -> None:
    maker = Maker(7)
    make = (ANYWHERE | WORKBOOK)[kind]
    cases = [maker.good("flawless"), *make(maker)]
    path = tmp_path / f"{NAME}.xlsx"
    write_workbook(path, {"07201": cases}, header={1: COLUMNS})
    assert not misread(cases, read(path, tmp_path / "scratch"))


@pytest.mark.parametrize("kind", [*ANYWHERE, *DELIMITED])
def test_in_csv(kind: str, tmp_path: Path) -> None:
    maker = Maker(8)
    make = (ANYWHERE | DELIMITED)[kind]
    cases = [maker.good("flawless"), *make(maker)]
    path = tmp_path / f"{NAME}_07201.csv"
    lines = [*head_lines({0: COLUMNS}), *delimited_lines(cases)]
    path.write_bytes(b"".join(lines))
    assert not misread(cases, read(path, tmp_path / "scratch"))
