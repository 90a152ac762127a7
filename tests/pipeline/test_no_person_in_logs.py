"""After the nights: no number or name of a person stands in Airflow's logs or in its database."""

import re
from collections.abc import Iterable

import pytest
from psycopg import sql

from tests.pipeline.conftest import Pipeline

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(900)]

TEN_DIGITS = re.compile(r"(?<!\d)\d{10}(?!\d)")
TABLES = ("xcom", "log", "task_instance", "dag_run", "rendered_task_instance_fields", "asset_event")


def found(text: str, numbers: set[str], names: Iterable[str]) -> list[str]:
    """Persons' numbers and whole names in a text."""
    return [
        *(n for n in TEN_DIGITS.findall(text) if n in numbers),
        *(n for n in names if n in text),
    ]


def test_no_person_stands_in_logs_or_xcoms(pipeline: Pipeline) -> None:
    if not pipeline.rows("select batch_id from ops.batch where feed = 'participations' limit 1"):
        pytest.skip("no night was run before: run the whole folder")
    persons = pipeline.source_rows("select distinct ma_so_bhxh, ho_ten from tst.tham_gia")
    officers = {name for (name,) in pipeline.source_rows("select ho_ten from tst.can_bo")}
    numbers = {number for number, _ in persons}
    names = {name for _, name in persons} - officers
    assert len(numbers) > 500
    texts = {
        str(path): path.read_text(encoding="utf-8", errors="replace")
        for path in (pipeline.home / "airflow").rglob("*.log")
    }
    assert len(texts) > 3
    with pipeline.airflow_database() as conn:
        for table in TABLES:
            if conn.execute("select to_regclass(%s)", [table]).fetchone() != (None,):
                query = sql.SQL("select * from {}").format(sql.Identifier(table))
                texts[f"table {table}"] = str(conn.execute(query).fetchall())
    told = [
        f"{where}: {what}" for where, text in texts.items() for what in found(text, numbers, names)
    ]
    assert not told, "\n".join(told[:20])


def test_a_log_that_names_a_person_would_be_found() -> None:
    """The twin: a task that logs the row it failed on."""
    line = "ERROR cannot load row (7, '7912345678', 'Trần Thị Thử')"
    assert found(line, {"7912345678"}, ["Trần Thị Thử"]) == ["7912345678", "Trần Thị Thử"]
