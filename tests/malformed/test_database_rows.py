"""Malformed rows of a database source, through PostgreSQL's fast path and the plain one."""

import csv
import io
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.contracts import contract_of
from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from chotso.source.database import open_snapshot
from chotso.source.queries import ReadRequest, rows_query
from tests.malformed.database_rows import POSTGRES, RETYPED, SQLITE, TEXTS, SourceCase, document
from tests.malformed.warehouse import CLOCK, NIGHT, agency, empty_warehouse
from tests.oracle.hostile.tst import CONTROL_TOTALS
from tests.proofs import record
from tests.worlds.product import Product

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(600)]

PAYMENTS = contract_of("payments")


def test_postgresql(running: SandboxServer, tmp_path: Path) -> None:
    with empty_warehouse(running, tmp_path) as warehouse:
        with psycopg.connect(warehouse.source_admin_url) as source:
            for case in POSTGRES:
                _insert(source, case.row)
            source.execute(CONTROL_TOTALS, [CLOCK])
        assert not misjudged(warehouse, POSTGRES)
        assert naive_copy_loses(POSTGRES)
        record("malformed input: rows of a database", postgresql=len(POSTGRES), sqlite=len(SQLITE))


def test_sqlite(running: SandboxServer, tmp_path: Path) -> None:
    with empty_warehouse(running, tmp_path) as warehouse:
        lite = tmp_path / "source.sqlite"
        _sqlite(lite, [case.row for case in SQLITE])
        settings = warehouse.settings.model_copy(update={"source_url": f"sqlite:///{lite}"})
        other = Product(settings, warehouse.source_admin_url, warehouse.admin_url, warehouse.drop)
        assert not misjudged(other, SQLITE)


def test_a_fraction_in_a_database_is_never_taken_for_thousands(
    running: SandboxServer, tmp_path: Path
) -> None:
    """The night refuses a retyped column; its reader alone must not guess either."""
    with empty_warehouse(running, tmp_path) as warehouse:
        with psycopg.connect(warehouse.source_admin_url) as source:
            source.execute("alter table tst.chung_tu alter so_tien type numeric")
            for case in RETYPED:
                _insert(source, case.row)
        found = {row["so_chung_tu"]: row for row in _read(warehouse)}
        extract_group(warehouse.settings, "contributions", NIGHT)
        with psycopg.connect(warehouse.admin_url) as conn:
            batch = conn.execute("select status from ops.batch where feed = 'payments'").fetchall()
    for case in RETYPED:
        row = found[case.row["so_chung_tu"]]
        due = None if case.rule else int(case.row["so_tien"])
        assert (row["so_tien"], row["unreadable"] is None) == (due, case.rule is None), case.kind
    assert batch == [("blocked",)]


def test_in_bulk_and_row_by_row_texts_are_the_same(running: SandboxServer, tmp_path: Path) -> None:
    """A value without a reading makes the reader go row by row: its texts stay as they are."""
    texts = [document(number, ma_don_vi=text) for number, text in enumerate(TEXTS.values())]
    texts.append(document(len(texts), ma_don_vi=""))
    with empty_warehouse(running, tmp_path) as warehouse:
        with psycopg.connect(warehouse.source_admin_url) as source:
            for row in texts:
                _insert(source, row)
        in_bulk = _read(warehouse)
        with psycopg.connect(warehouse.source_admin_url) as source:
            _insert(source, document(999_999, ngay_ghi_co="infinity"))
        one_by_one = _read(warehouse)
    assert [row["ma_don_vi"] for row in in_bulk] == [row["ma_don_vi"] for row in texts]
    assert one_by_one[:-1] == in_bulk
    assert "ngay_ghi_co" in one_by_one[-1]["unreadable"]


def _read(warehouse: Product) -> list[dict[str, Any]]:
    with open_snapshot(warehouse.settings.source_url) as snapshot:
        query = rows_query(PAYMENTS, ReadRequest("whole"))
        return [
            row for batch in snapshot.rows(query, PAYMENTS.columns) for row in batch.to_pylist()
        ]


def misjudged(warehouse: Product, cases: Sequence[SourceCase]) -> list[str]:
    """What is wrong about where each row ended, after a night."""
    extract_group(warehouse.settings, "contributions", NIGHT)
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:
        (batch,) = conn.execute("select * from ops.batch where feed = 'payments'").fetchall()
        assert batch["status"] == "published", batch["reason"]
        raw = {r["so_chung_tu"]: r for r in conn.execute("select * from raw.payments").fetchall()}
        found = conn.execute("select * from quarantine.row where feed = 'payments'").fetchall()
        aside = {row["row"]["so_chung_tu"]: row for row in found}
    accepted = [case for case in cases if case.rule is None]
    due = {
        "rows_delivered": len(cases),
        "rows_accepted": len(accepted),
        "rows_quarantined": len(cases) - len(accepted),
        "money_accepted": sum(case.money for case in accepted),
        "money_delivered": sum(case.money for case in cases),
        "money_quarantined": sum(case.money for case in cases if case.rule),
    }
    wrong = [f"{name}: {batch[name]}, due {v}" for name, v in due.items() if batch[name] != v]
    wrong += [f"{c.kind}: {told}" for c in cases if (told := _misplaced(c, raw, aside))]
    return wrong


def _misplaced(case: SourceCase, raw: dict[str, Any], aside: dict[str, Any]) -> str | None:
    key = case.row["so_chung_tu"]
    if (key in raw, key in aside) != (case.rule is None, case.rule is not None):
        return f"in raw {key in raw}, in quarantine {key in aside}, due {case.rule}"
    if case.rule:
        return None if aside[key]["rule_id"] == case.rule else f"by {aside[key]['rule_ids']}"
    differing = [n for n in ("ma_don_vi", "hinh_thuc") if raw[key][n] != case.row[n]]
    differing += [] if raw[key]["so_tien"] == int(case.row["so_tien"]) else ["so_tien"]
    return f"{differing} changed" if differing else None


def naive_copy_loses(cases: Sequence[SourceCase]) -> list[str]:
    """The classes that a loader of CSV lines, as one writes it first, changes or drops."""
    lines = io.StringIO()
    csv.writer(lines).writerows(
        [c.row["so_chung_tu"], c.row["ma_don_vi"], c.row["so_tien"]] for c in cases
    )
    found = {}
    for line in lines.getvalue().split("\n"):
        fields = line.strip().split(",")
        if line.strip() == "\\.":
            break
        if len(fields) == 3 and fields[2].lstrip("-").isdigit():
            found[fields[0]] = (fields[1] or None, int(fields[2]))
    return [
        case.kind
        for case in cases
        if case.rule is None
        and found.get(case.row["so_chung_tu"]) != (case.row["ma_don_vi"], case.row["so_tien"])
    ]


def _insert(source: psycopg.Connection, row: dict[str, Any]) -> None:
    statement = sql.SQL("insert into tst.chung_tu ({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    source.execute(statement, list(row.values()))


def _sqlite(target: Path, documents: list[dict[str, Any]]) -> None:
    tables = {
        "co_quan": [agency("07201")],
        "chung_tu": documents,
        "dong_ho": [{"id": 1, "bay_gio": CLOCK}],
    }
    with sqlite3.connect(target) as copy:
        for name, rows in tables.items():
            copy.execute(f"create table {name} ({', '.join(rows[0])})")
            marks = ", ".join("?" * len(rows[0]))
            copy.executemany(
                f"insert into {name} values ({marks})", [list(map(_kept, r.values())) for r in rows]
            )
        copy.execute(
            "create table phan_bo (so_chung_tu, so_dong, quy, thang, tien_goc, tien_lai, ngay_sua)"
        )


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value
