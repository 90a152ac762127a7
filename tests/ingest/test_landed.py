"""What landed of a batch: archives and ledgers of every version are read, and written as they were.

The manifests below are byte for byte what earlier versions wrote.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from chotso.landed import BatchManifest, Landed, ReadFacts
from chotso.landing import Landing

_FILE = """{
   "bytes": 7,
   "path": "payments/2021-12-31/payments_20211231_000012/data.parquet",
   "rows": 3,
   "sha256": "00ff",
   "sums": {
    "so_tien": -90071992547409930
   }
  }"""
# What an earlier version wrote of a read, and what publishing must find in it.
_FACTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"closes": "everything"}, {"closes": "everything", "again": None, "month": None}),
    (
        {
            "closes": "period",
            "held_before": "2021-12-30T18:00:00+00:00",
            "year_start": "2021-01-01",
        },
        {
            "year_start": date(2021, 1, 1),
            "held_before": datetime(2021, 12, 30, 18, tzinfo=UTC),
        },
    ),
    (
        {
            "closes": "window",
            "held_before": "2021-12-30T18:00:00.000123+07:00",
            "months": ["2021-11-01", "2021-12-01"],
        },
        {"months": [date(2021, 11, 1), date(2021, 12, 1)]},
    ),
    ({"closes": "nothing", "control": "missing"}, {"control": "missing"}),
    ({"added_columns": {"ghi_chu": "text"}, "closes": "scope"}, {"closes": "scope"}),
    (
        {
            "closes": "scope",
            "month": "2021-12-01",
            "notes": ["sheet A"],
            "original": "originals/a/b",
        },
        {"month": date(2021, 12, 1), "notes": ["sheet A"]},
    ),
    ({"closes": "nothing", "month": None, "original": "originals/a/b"}, {"month": None}),
    ({"closes": "nothing", "listing": {"found": 3, "new": 1}}, {}),
    (
        {
            "again": "c12_20211230_000003",
            "closes": "nothing",
            "month": "2021-12-01",
            "original": "originals/a/b",
            "replayed": [["a|b", "0f"]],
            "replays": [7, 8],
        },
        {"again": "c12_20211230_000003", "replays": [7, 8], "replayed": [["a|b", "0f"]]},
    ),
    ({"closes": "nothing", "of_another_version": [1]}, {"closes": "nothing"}),
]


def _manifest(facts: dict[str, Any], *, mode: str = '\n "read_mode": "changes",') -> str:
    told = json.dumps(facts, sort_keys=True, ensure_ascii=False, indent=1).replace("\n", "\n ")
    return (
        '{\n "batch_id": "payments_20211231_000012",\n "business_date": "2021-12-31",\n'
        f' "facts": {told},\n "feed": "payments",\n "files": {{\n  "data": {_FILE}\n }},\n'
        f' "known_at": "2021-12-31 18:30:00.000001+07:00",{mode}\n'
        ' "source_position": "2021-12-31T18:29:00+07:00",\n "stated_at": null\n}\n'
    )


@pytest.mark.parametrize(("facts", "expected"), _FACTS)
def test_a_manifest_is_read_and_written_byte_for_byte(
    tmp_path: Path, facts: dict[str, Any], expected: dict[str, Any]
) -> None:
    written = _manifest(facts)
    manifest = BatchManifest.from_json(json.loads(written))
    assert {name: getattr(manifest.landed.facts, name) for name in expected} == expected
    assert _as_in_the_archive(tmp_path, manifest) == written


def test_an_archive_of_before_the_way_of_reading_was_written_down(tmp_path: Path) -> None:
    written = _manifest({"closes": "everything"}, mode="")
    manifest = BatchManifest.from_json(json.loads(written))
    assert manifest.read_mode is None
    assert _as_in_the_archive(tmp_path, manifest) == written


@pytest.mark.parametrize(("facts", "_"), _FACTS)
def test_the_ledger_keeps_what_it_kept(facts: dict[str, Any], _: object) -> None:
    kept = {role: json.loads(_FILE) for role in ("data", "scope", "control")} | {"facts": facts}
    landed = Landed.from_ledger(kept)
    assert list(landed.files) == ["data", "scope", "control"]
    assert landed.for_ledger() == kept


def test_rows_judged_again_keep_what_was_known_of_their_file() -> None:
    facts = ReadFacts(closes="scope", month=date(2021, 12, 1), original="originals/a/b")
    again = facts.judged_again("c12_20211230_000003", [7], [["a|b", "0f"]])
    assert again.as_json() == {
        "again": "c12_20211230_000003",
        "closes": "nothing",
        "month": "2021-12-01",
        "original": "originals/a/b",
        "replayed": [["a|b", "0f"]],
        "replays": [7],
    }
    assert again.with_rows([9]).as_json() == again.as_json() | {"replays": [9]}
    assert facts.published_again("c12_20211230_000003").as_json() == facts.as_json() | {
        "again": "c12_20211230_000003"
    }


def _as_in_the_archive(tmp_path: Path, manifest: BatchManifest) -> str:
    Landing(str(tmp_path)).write_manifest(manifest.folder, manifest.as_json())
    return (tmp_path / manifest.folder / "manifest.json").read_text(encoding="utf-8")
