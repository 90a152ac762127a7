"""Writes `bi/datasets`: of each view that a chart reads, its columns as dbt's models describe them.

    python -m tests.bi.datasets

A heading is the entry in `bi/labels.yml`, else the first Vietnamese words of the description.
Views of `ops` are no dbt models; they are described where they are made.
"""

import re
import uuid
from pathlib import Path
from typing import Any

import yaml

from chotso import PROJECT_ROOT

BI = PROJECT_ROOT / "bi"
CODE = PROJECT_ROOT / "chotso" / "warehouse" / "sql" / "code"
MARTS = PROJECT_ROOT / "dbt_project" / "models" / "marts"
NAMESPACE = uuid.UUID("5b7c0a52-0d6b-5c41-9a35-1d3f6f0d2b10")  # the database's; never change it
VIEWS = (
    "rpt_arrears",
    "rpt_attainment",
    "rpt_collection",
    "rpt_emulation_points",
    "rpt_emulation_ranking",
    "rpt_employer_debt",
    "rpt_officers",
    "rpt_pace",
    "rpt_participation",
    "rpt_period_attainment",
    "rpt_quarantine",
    "rpt_reconciliation",
)
OPS = (
    "nights",
    "builds",
    "build_nodes",
    "freshness",
    "next_cutoffs",
    "disk_use",
    "rule_outcomes",
    "control_total_report",
    "incidents",
)
COMMENT = re.compile(r"comment on (view|column) ops\.(\w+)(?:\.(\w+))? is((?:\s+'(?:[^']|'')*')+);")
LITERAL = re.compile(r"'((?:[^']|'')*)'")  # SQL joins literals on lines that follow
# Payments line by line are a fact; the names of agency and employer stand in a report view.
DOCUMENTS = """\
select
    line.document_code, line.line_number, line.credited_date, line.credited_month, line.fund_code,
    line.paid_for_month, line.principal_vnd, line.interest_vnd, line.employer_code,
    debt.employer_name, debt.agency_code, debt.agency_short_name
from marts.fct_contribution as line
inner join marts.rpt_employer_debt as debt
    on line.employer_code = debt.employer_code
        and line.agency_code = debt.agency_code
        and line.credited_month = debt.month
"""
TYPES = {"timestamptz": "TIMESTAMP WITH TIME ZONE", "timestamp": "TIMESTAMP"}


def labels() -> dict[str, str]:
    """Column to heading."""
    found: dict[str, str] = yaml.safe_load((BI / "labels.yml").read_text(encoding="utf-8"))
    return found


def model(name: str) -> dict[str, Any]:
    """A mart's entry in its `.yml`."""
    path = next(MARTS.rglob(f"{name}.yml"))
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]
    return found


def vietnamese(description: str) -> str:
    """The Vietnamese part of a description in both languages."""
    return " ".join(description.split()).split(" — ")[0]


def heading(column: str, description: str) -> str:
    """A short heading: the register's, else the description's first words."""
    if column in labels():
        return labels()[column]
    first = re.split(r"[:;(,.]", vietnamese(description))[0].strip()
    return f"{first} (tiếng Anh)" if column.endswith("_en") else first


def column(name: str, data_type: str, description: str) -> dict[str, Any]:
    """A column of a dataset."""
    plain = data_type.split("(")[0]
    return {
        "column_name": name,
        "verbose_name": heading(name, description),
        "description": description,
        "type": TYPES.get(plain, data_type.upper()),
        "is_dttm": plain in {"date", "timestamp", "timestamptz"},
        "is_active": True,
        "groupby": True,
        "filterable": True,
        "expression": None,
    }


def dataset(
    key: str, table: str, schema: str, description: str, columns: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """A dataset as Superset exports it."""
    return {
        "table_name": table,
        "schema": schema,
        "description": description,
        "main_dttm_col": None,
        "sql": None,
        "filter_select_enabled": True,
        "columns": columns,
        "metrics": [],
        "uuid": str(uuid.uuid5(NAMESPACE, f"datasets/{key}")),
        "database_uuid": str(NAMESPACE),
        "is_managed_externally": True,
        "version": "1.0.0",
    } | more


def of_model(name: str) -> dict[str, Any]:
    """The dataset of a mart."""
    found = model(name)
    columns = [
        column(each["name"], each["data_type"], " ".join(each["description"].split()))
        for each in found["columns"]
    ]
    return dataset(name, name, "marts", " ".join(found["description"].split()), columns)


def comments(name: str) -> dict[str, str]:
    """The comments of a view of `ops`: of the view itself under "", and of its columns."""
    return {
        each[3] or "": " ".join("".join(LITERAL.findall(each[4])).replace("''", "'").split())
        for path in sorted(CODE.glob("08*.sql"))
        for each in COMMENT.finditer(path.read_text(encoding="utf-8"))
        if each[2] == name
    }


def type_by_name(name: str) -> str:
    """What docs/naming.md says of the last word of a name."""
    last = name.rsplit("_", 1)[-1]
    return {"at": "timestamptz", "date": "date", "month": "date"}.get(last, "text")


def of_ops(name: str) -> dict[str, Any]:
    """The dataset of a view of `ops`."""
    said = comments(name)
    columns = [column(each, type_by_name(each), text) for each, text in said.items() if each]
    return dataset(f"ops_{name}", name, "ops", said[""], columns)


def of_documents() -> dict[str, Any]:
    """The dataset of payments line by line, with names."""
    known = {
        each["name"]: each
        for name in ("rpt_employer_debt", "fct_contribution")
        for each in model(name)["columns"]
    }
    wanted = re.findall(r"(?:line|debt)\.(\w+)", DOCUMENTS.split("from")[0])
    columns = [
        column(name, known[name]["data_type"], " ".join(known[name]["description"].split()))
        for name in wanted
    ]
    return dataset(
        "chung_tu",
        "chung_tu",
        "marts",
        "Chứng từ nộp tiền, từng dòng phân bổ",
        columns,
        sql=DOCUMENTS,
    )


def files() -> dict[Path, dict[str, Any]]:
    """Every dataset, by its file."""
    folder = BI / "datasets"
    return (
        {folder / f"{name}.yaml": of_model(name) for name in VIEWS}
        | {folder / f"ops_{name}.yaml": of_ops(name) for name in OPS}
        | {folder / "chung_tu.yaml": of_documents()}
    )


def write() -> None:
    """Write them all."""
    (BI / "datasets").mkdir(exist_ok=True)
    for path, content in files().items():
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
