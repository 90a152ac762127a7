"""Releases with believable figures, for the page that shows them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chotso.verifier import verify
from tests.verifiers import signed
from tests.worlds import bundles, report_worlds

SIGNERS = ("an", "binh")


def add_documents(folder: Path) -> dict[str, Any]:
    """What a bundle has besides its data files; the manifest, not written yet."""
    for name in ("SPEC.md", "verify.py", "config/periods.yml"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(bundles.FILES[name])
    (folder / "rows").mkdir(exist_ok=True)
    for path in sorted((folder / "data").glob("*.csv")):
        with path.open("rb") as stream:
            (folder / f"rows/{path.stem}.txt").write_bytes(b"".join(verify.row_index(stream)))
    entries = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as stream:
            entries.append(verify.describe(path.relative_to(folder).as_posix(), stream))
    entries.sort(key=lambda entry: str(entry["path"]))
    signers = [signed.person(signer) for signer in SIGNERS]
    manifest = bundles.manifest_of(bundles.all_files(), signers=signers)
    return manifest | {"files": entries, "data_root": bundles.data_root(entries)}


def seal(folder: Path, **changes: Any) -> str:
    """Make a folder with data files a release; its root."""
    return bundles.write(folder, {}, add_documents(folder) | changes)


def _named(folder: Path) -> None:
    """Employers' agencies by name, as a release has them."""
    attainment = report_worlds.raw(folder, "attainment")
    names = {row["agency_code"]: row["agency_name"] for row in attainment}
    for table in ("employer_arrears", "officer_attainment", "reconciliation"):
        rows = report_worlds.raw(folder, table)
        for row in rows:
            row["agency_name"] = names[row["agency_code"]]
            if table == "officer_attainment":
                row["officer_name"] = f"Cán bộ Giả Định {row['officer_code'][-1]}"
                row["unit_code"] = "vnd" if row["kind_code"] == "flow" else "person"
        _write(folder / f"data/{table}.csv", rows)
    metrics = {row["metric_code"]: row for row in attainment}
    columns = ("metric_code", "metric_name_vi", "metric_name_en", "unit_code", "kind_code",
               "direction_code")  # fmt: skip
    rows = [{column: metrics[code][column] for column in columns} for code in sorted(metrics)]
    _write(folder / "data/metrics.csv", rows)
    agencies = [{"agency_code": code, "agency_name": name} for code, name in names.items()]
    _write(folder / "data/agencies.csv", agencies)


def _write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def province(folder: Path) -> str:
    """A province's release with two signatures; its root."""
    report_worlds.province(folder)
    _named(folder)
    root = seal(folder)
    for signer in SIGNERS:
        signed.certify(folder, signed.certification(root, signer))
    return root


LATE = """\
feed,item_key,reason_code,agency_code,metric_code,month,last_month,unit_code,amount,base_amount,\
known_at,delivery_name,input_sha256
allocations,"[""CT0001"",1]",late_recording,07202,collection_total,2021-12-01,2021-12-01,vnd,\
4464423,\\N,2022-01-04T16:30:00.000000Z,allocations_20220104.csv,{sha}
plans,"[""07202"",""collection_total""]",plan_decision,07202,collection_total,2021-12-01,\
2021-12-01,vnd,-35577,\\N,2022-01-05T16:30:00.000000Z,plans_20220105.csv,{sha}
"""


def chain(folder: Path) -> str:
    """A province's release and its corrigendum; the newest root."""
    first = province(folder / "sprint-2021-q4")
    corrigendum = folder / "sprint-2021-q4-c1"
    report_worlds.province(corrigendum, seed=8)
    _named(corrigendum)
    report_worlds.write(corrigendum, {})
    late = LATE.format(sha="ab" * 32)
    (corrigendum / "data/late_changes.csv").write_text(late, encoding="utf-8", newline="")
    changes = (
        "table_name,row_key,column_name,change_code,value_before,value_after\n"
        'attainment,"[""07202"",""2021-12-01"",""collection_total""]",plan_in_force,changed,'
        "4464423,4500000\n"
    )
    (corrigendum / "data/changes.csv").write_text(changes, encoding="utf-8", newline="")
    correction = bundles.correction(first, reason="Quyết định giao kế hoạch đến sau.")
    return seal(
        corrigendum, release_id="sprint-2021-q4-c1", kind="corrigendum",
        corrects="sprint-2021-q4", correction=correction, previous_root=first,
    )  # fmt: skip
