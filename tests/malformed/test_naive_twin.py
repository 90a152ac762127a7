"""The loader that anyone would write first meets the same rows: so that the checks can fail.

It reads by position, takes numbers as the library guesses them, turns what is none into nothing
and leaves out rows without a key.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.malformed.case import AMOUNTS, COUNTS, ID, Case, Maker
from tests.malformed.desk import Desk
from tests.malformed.files_read import READ
from tests.malformed.files_refused import REFUSED
from tests.malformed.rows import ANYWHERE, DELIMITED, WORKBOOK
from tests.malformed.writing import delimited_lines, head_lines, write_workbook
from tests.oracle.hostile.c12_files import COLUMNS

pytestmark = pytest.mark.proof

RIGHT_BY_LUCK = {
    # What pandas' own guesses happen to read as it is meant, or what says nothing of amounts.
    "flawless", "null_for_zero", "minus_zero", "trailing_zeros_after_point",
    "leading_zeros_of_an_amount", "text_with_spaces_around", "identical_duplicate",
    "months_owed_with_decimal_comma", "months_owed_with_three_decimals", "formula_with_value",
}  # fmt: skip


def naive_frame(path: Path) -> pd.DataFrame:
    """All rows of a C12 file, the naive way."""
    frame: pd.DataFrame
    if path.suffix == ".csv":
        how: dict[str, Any] = {"on_bad_lines": "skip", "encoding_errors": "replace"}
        names = list(COLUMNS)
        frame = pd.read_csv(path, header=None, skiprows=2, names=names, index_col=False, **how)
    else:
        frame = pd.read_excel(path, engine="calamine", header=None, skiprows=2).iloc[:, :109]
        frame = frame.reindex(columns=range(109)).set_axis(list(COLUMNS), axis=1)
    numbers = [*AMOUNTS, *COUNTS]
    frame[numbers] = frame[numbers].apply(pd.to_numeric, errors="coerce")
    frame = frame.dropna(subset=["madvi", "thang"])
    frame[numbers] = frame[numbers].fillna(0)
    return frame


def naive_faults(cases: Sequence[Case], frame: pd.DataFrame) -> dict[str, str]:
    """By class: rows lost, rows taken in that cannot be right, amounts or months changed."""
    rows = {row[ID]: row for row in frame.to_dict("records")}
    faults: dict[str, str] = defaultdict(str)
    for case in cases:
        row = rows.get(case.id)
        if row is None:
            faults[case.kind] = "lost"
        elif case.rule is not None:
            faults[case.kind] = "taken in"
        elif any(row[n] != v for n, v in case.values.items() if n in (*AMOUNTS, *COUNTS)):
            faults[case.kind] = "changed"
        elif case.values and str(row["thang"]) != "12/2021":
            faults[case.kind] = "month left as it came"
    return faults


@pytest.mark.parametrize("form", ["book", "text"])
def test_it_loses_or_changes_rows_of_most_classes(form: str, tmp_path: Path) -> None:
    maker = Maker(5)
    classes = ANYWHERE | (WORKBOOK if form == "book" else DELIMITED)
    cases = [case for make in classes.values() for case in make(maker)]
    path = tmp_path / ("naive.xlsx" if form == "book" else "naive.csv")
    if form == "book":
        write_workbook(path, {"07201": cases}, header={1: COLUMNS})
    else:
        path.write_bytes(b"".join([*head_lines({1: COLUMNS}), *delimited_lines(cases)]))
    frame = naive_frame(path)
    faults = naive_faults(cases, frame)
    kinds = {case.kind for case in cases}
    spared = {k for k in kinds - faults.keys() if "name" not in k and "payload" not in k}
    assert spared <= RIGHT_BY_LUCK, spared - RIGHT_BY_LUCK
    assert len(faults) >= 60
    assert faults["thousand_dots"] == "changed"
    assert faults["nan_text"] == faults["identity_broken_si"] == "taken in"
    if form == "book":
        assert faults["error_ref"] == faults["formula_without_value"] == "taken in"


def test_it_reads_moved_columns_and_other_layouts_as_if_they_stood_right(tmp_path: Path) -> None:
    """Files that must be refused, or read in the older layout, bring it other amounts."""
    desk = Desk(tmp_path, seed=6, steps=4)
    for kind in ("columns_moved_under_a_header", "layouts_and_headers"):
        made = [each for each in (READ | REFUSED)[kind](desk) if each.name.endswith(".xlsx")]
        kept = [naive_frame(desk.path(each)) for each in made]
        moved = [frame for frame in kept if frame.empty or not _adds_up(frame)]
        assert moved, kind


def _adds_up(frame: pd.DataFrame) -> bool:
    closing = frame["_dk_bhxh"] + frame["_ps_bh"] + frame["_bst_bh"] - frame["_bsg_bh"]
    return bool((closing - frame["_dt_bhxh"] == frame["_ck_bhxh"]).all())
