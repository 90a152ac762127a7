"""What differs between two releases' files, row by row; null and the text that looks like it."""

import csv
import hashlib
import io
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chotso.errors import ChotsoError
from chotso.release.data.canonical import DataFile, canonical_json, csv_lines
from chotso.release.data.changes import Changes, Corrected
from chotso.release.data.tables import CHANGES, COMPARED, PLANS, TABLES

VALUES: dict[str, list[Any]] = {
    "text": ["a", "", r"\N", "x,y", 'a "b"', "hai\ndòng", '","', "z,", None],
    "integer": [0, 4_500_000_000_000, -1, None],
    "ratio": [Decimal("0.009"), Decimal(1), None],
    "date": [date(2021, 12, 1), date(2021, 11, 1), None],
    "instant": [datetime(2021, 12, 31, tzinfo=UTC), datetime(2022, 1, 3, tzinfo=UTC), None],
    "boolean": [True, False, None],
}
World = dict[str, dict[tuple[str, ...], dict[str, Any]]]


def kind_of(name: str, row: Mapping[str, Any], kind: str) -> str:
    if kind not in ("figure", "plan"):
        return kind
    is_ratio = row.get("kind_code") == "ratio" or row.get("unit_code") == "fraction"
    return "ratio" if is_ratio else "integer"


def make_row(spec: DataFile, key: tuple[str, ...], chance: random.Random) -> dict[str, Any]:
    row: dict[str, Any] = {"kind_code": chance.choice(["flow", "ratio"])}
    for column in spec.columns:
        if column.name not in row:
            row[column.name] = chance.choice(VALUES[kind_of(column.name, row, column.kind)])
    row.update({name: typed(spec, name, text) for name, text in zip(spec.key, key, strict=True)})
    return {column.name: row[column.name] for column in spec.columns}


def typed(spec: DataFile, name: str, text: str) -> Any:
    kind = next(column.kind for column in spec.columns if column.name == name)
    if kind == "integer":
        return 2000 + int(hashlib.sha256(text.encode()).hexdigest()[:3], 16)
    return date(2021, 1 + ord(text[-1]) % 12, 1) if kind == "date" else text


def write(world: World, folder: Path) -> dict[str, bytes]:
    files = {}
    for spec in COMPARED:
        rows = list(world.get(spec.name, {}).values())
        rows.sort(key=lambda row: tuple(str(row[name]) for name in spec.key))
        files[spec.path] = b"".join(csv_lines(spec, rows))
        (folder / spec.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / spec.path).write_bytes(files[spec.path])
    return files


def sealed(files: dict[str, bytes]) -> tuple[Corrected, dict[str, bytes]]:
    entries = [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in files.items()
    ]
    stored = {**files, "manifest.json": canonical_json({"files": entries})}
    root = hashlib.sha256(stored["manifest.json"]).hexdigest()
    return Corrected("sprint-2021-q4", root, stored.get), stored


def found(old: World, new: World, folder: Path) -> list[dict[str, Any]]:
    corrected, _ = sealed(write(old, folder / "old"))
    write(new, folder / "new")
    rows = list(Changes(corrected, folder / "new"))
    b"".join(csv_lines(CHANGES, rows))  # they are in order, and no key is there twice
    return [dict(row) for row in rows]


def plan(**changes: Any) -> World:
    row = {
        "object_type_code": "agency", "object_code": "07200", "plan_year": 2021,
        "metric_code": "collection_total", "effective_from_date": date(2021, 1, 1),
        "signed_date": date(2021, 1, 5), "decision_code": "01/QĐ", "assigner_name": None,
        "unit_code": "vnd", "kind_code": "flow", "plan_value": 5,
    }  # fmt: skip
    row.update(changes)
    return {"plans": {("one",): row}}


KEY = '["agency","07200","2021","collection_total","2021-01-01","2021-01-05","01/QĐ"]'


def test_a_figure_is_told_before_and_after(tmp_path: Path) -> None:
    assert found(plan(), plan(plan_value=7), tmp_path) == [
        {
            "table_name": "plans", "row_key": KEY, "column_name": "plan_value",
            "change_code": "changed", "value_before": "5", "value_after": "7",
        }
    ]  # fmt: skip


def test_null_is_not_the_text_that_looks_like_it(tmp_path: Path) -> None:
    (row,) = found(plan(), plan(assigner_name=r"\N"), tmp_path)
    assert (row["value_before"], row["value_after"]) == (None, r"\N")


def test_a_row_that_came_or_went_is_told_whole(tmp_path: Path) -> None:
    came = found({}, plan(), tmp_path)
    assert {row["change_code"] for row in came} == {"added"}
    assert {row["column_name"]: row["value_after"] for row in came} == {
        "assigner_name": None, "unit_code": "vnd", "kind_code": "flow", "plan_value": "5",
    }  # fmt: skip
    went = found(plan(), {}, tmp_path)
    assert {row["change_code"] for row in went} == {"removed"}
    assert [row["value_before"] for row in went] == [row["value_after"] for row in came]


def test_a_column_that_the_old_release_lacks_is_told(tmp_path: Path) -> None:
    files = write(plan(), tmp_path / "new")
    text = files[PLANS.path].decode()
    files[PLANS.path] = "".join(
        line.rsplit(",", 1)[0] + "\n" for line in text.splitlines()
    ).encode()
    corrected, _ = sealed(files)
    (row,) = Changes(corrected, tmp_path / "new")
    assert row["column_name"] == "plan_value"
    assert (row["value_before"], row["value_after"]) == (None, "5")


@pytest.mark.parametrize("path", ["manifest.json", PLANS.path])
def test_a_copy_that_is_not_what_was_sealed_is_refused(tmp_path: Path, path: str) -> None:
    corrected, stored = sealed(write(plan(), tmp_path / "new"))
    stored[path] = stored[path].replace(b"plan", b"pian", 1)
    with pytest.raises(ChotsoError, match="not what was sealed"):
        list(Changes(corrected, tmp_path / "new"))


def test_random_releases_against_a_plain_reading(tmp_path: Path) -> None:
    """Every difference that was made is found, and none that was not."""
    quoted = 0
    for seed in range(20):
        chance = random.Random(seed)
        old: World = {}
        new: World = {}
        for spec in COMPARED:
            keys = {
                tuple(chance.choice(["A", "B,", 'C"', "D"]) + str(number) for _ in spec.key)
                for number in range(6)
            }
            rows = [make_row(spec, key, chance) for key in sorted(keys)]
            by_key = {tuple(str(row[name]) for name in spec.key): row for row in rows}
            old[spec.name] = {key: row for key, row in by_key.items() if chance.random() < 0.8}
            new[spec.name] = {
                key: make_changed(spec, row, chance)
                for key, row in by_key.items()
                if chance.random() < 0.8
            }
        folder = tmp_path / str(seed)
        rows_found = {
            (row["table_name"], row["column_name"], row["change_code"], row["row_key"])
            for row in found(old, new, folder)
        }
        quoted += sum('\\"' in row[3] for row in rows_found)
        assert len(rows_found) == plainly_counted(old, new)
    assert quoted


def make_changed(spec: DataFile, row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    changed = dict(row)
    for column in spec.columns:
        if column.name not in (*spec.key, "kind_code") and chance.random() < 0.2:
            changed[column.name] = chance.choice(VALUES[kind_of(column.name, row, column.kind)])
    return changed


def plainly_counted(old: World, new: World) -> int:
    count = 0
    for spec in COMPARED:
        names = set(spec.column_names) - {*spec.key, "known_at", "stated_at"}
        for key in {*old[spec.name], *new[spec.name]}:
            one, two = old[spec.name].get(key), new[spec.name].get(key)
            if one is None or two is None:
                count += len(names)
            else:
                count += sum(one[name] != two[name] for name in names)
    return count


def test_a_common_csv_reader_would_lose_a_change(tmp_path: Path) -> None:
    """The naive twin: null and the text `\\N` are one to it."""
    one = next(csv.reader(io.StringIO(r"\N,x")))
    two = next(csv.reader(io.StringIO(r'"\N",x')))
    assert one == two


def test_what_is_compared_is_all_but_the_state_of_the_day() -> None:
    left_out = {spec.name for spec in TABLES} - {spec.name for spec in COMPARED}
    assert left_out == {"checks", "known_issues", "money_at_stake", "quarantine"}
