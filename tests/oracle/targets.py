"""Plan lines as assigned: which is the year's first, which its last, and which came late."""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from tests.oracle.knowledge import LOCAL
from tests.oracle.model import Key, Observation, Row
from tests.oracle.recompute import PLAN_MEASURES, Figures

TARGET_KEY = (
    "object_type_code",
    "object_code",
    "metric_code",
    "plan_year",
    "effective_from_date",
    "signed_date",
    "decision_code",
)
_OBJECT_TYPES = {"CO_QUAN": "agency", "CAN_BO": "officer"}
_METRICS = {measure: metric for metric, measure in PLAN_MEASURES.items()}


def plan_targets(observations: Sequence[Observation], as_known_at: datetime) -> Figures:
    """Every plan line known, by its key, all columns."""
    lines: dict[Key, dict[str, Any]] = {}
    for observation in sorted(observations, key=lambda o: o.known_at):
        if observation.known_at > as_known_at:
            continue
        # inside one extract the greater file name has the last word
        newest: dict[Key, Row] = {}
        for file in sorted(observation.plan_files, key=lambda f: f.name):
            newest |= {_key(row): row for row in file.rows}
        for key, row in newest.items():
            value = Decimal(str(row["gia_tri"]))
            value = value.scaleb(-2) if row["chi_tieu"].startswith("NO_") else value
            said = {"plan_value": value, "assigner_name": row.get("don_vi_giao")}
            # the same line again is no news
            if key not in lines or any(lines[key][name] != said[name] for name in said):
                lines[key] = said | {"known_at": observation.known_at}
    for key, line in lines.items():
        year = sorted(k[4:] for k in lines if k[:4] == key[:4])
        begins = datetime.combine(key[4], time(), tzinfo=LOCAL)
        line |= dict(zip(TARGET_KEY, key, strict=True))
        line["is_original"] = key[4:] == year[0]
        line["is_final"] = key[4:] == year[-1]
        line["is_late"] = line["known_at"] > begins
    return {key: line for key, line in lines.items()}


def _key(row: Row) -> Key:
    return (
        _OBJECT_TYPES[row["loai_doi_tuong"]],
        row["ma_doi_tuong"],
        _METRICS[row["chi_tieu"]],
        row["nam"],
        row["hieu_luc_tu"],
        row["ngay_ky"],
        row["so_quyet_dinh"],
    )
