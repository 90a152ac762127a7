"""Every planted defect ends where its right answer says: accepted, set aside, or refused."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.dbt import run_build
from chotso.calendar import LOCAL_ZONE
from chotso.ingest.night import extract_all
from chotso.sandbox.province import SeedReport, advance, seed
from chotso.sandbox.server import SandboxServer
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(1200)]

UNTIL, NIGHT = datetime(2021, 10, 21, 1, tzinfo=LOCAL_ZONE), date(2021, 10, 20)
RULES = {
    "unknown_agency": {"payments.agency_known", "c12.agency_known", "allocations.document_known"},
    "lines_exceed_document": {"allocations.lines_within_document"},
    "malformed_person_number": {"participations.number_well_formed"},
    "differing_duplicate": {"c12.key_unique_or_identical"},
    "fraction_of_dong": {"c12.readable"},
    "identity_broken": {
        "c12.closing_identity_si",
        "c12.closing_identity_ui",
        "c12.closing_identity_hi",
    },
    "malformed_employer_code": {"c12.employer_code_well_formed"},
    "month_not_of_file": {"c12.month_as_reported"},
}


@pytest.fixture(scope="module")
def night(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Product, list[str], Any]]:
    folder = tmp_path_factory.mktemp("defects")
    with product(running, "defects", folder) as warehouse:
        place = (warehouse.source_admin_url, warehouse.drop)
        state: dict[str, Any] = {"state_dir": folder / "state", "progress": lambda _: None}
        report: SeedReport = seed(
            *place, persons=2_000, employers=60, year=2021, seed=5, defects="all", **state
        )
        lived = advance(*place, to=UNTIL, **state)
        stopped = [s for r in extract_all(warehouse.settings, NIGHT) for s in r.stopped]
        run_build(warehouse.settings)
        yield warehouse, stopped, [*report.defects, *lived.defects]


def test_every_defect_ends_where_it_should(night: tuple[Product, list[str], Any]) -> None:
    warehouse, _, defects = night
    assert {d.expected for d in defects} == {"accepted", "quarantined", "refused"}
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:
        wrong = [f"{d.id}: {told}" for d in defects if (told := misjudged(conn, d))]
    assert not wrong, "\n".join(wrong)


def test_only_planted_rows_are_set_aside(night: tuple[Product, list[str], Any]) -> None:
    """Nothing good is set aside: each row in quarantine answers a planted defect."""
    warehouse, _, defects = night
    planted = {(d.feed, *map(str, d.key.values())) for d in defects if d.expected == "quarantined"}
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:
        rows = conn.execute("select feed, row_key, row from quarantine.row").fetchall()
    innocent = [
        f"{row['feed']} {row['row_key']}" for row in rows if not answers(row, planted, defects)
    ]
    assert not innocent, "\n".join(innocent)


def test_a_refused_file_is_kept_and_named(night: tuple[Product, list[str], Any]) -> None:
    warehouse, stopped, defects = night
    refused = {Path(d.file).name for d in defects if d.expected == "refused"}
    assert refused
    assert len(stopped) == len(refused)
    for name in refused:
        assert any(name in text and "Next:" in text for text in stopped)
        kept = list((warehouse.settings.home / "landing" / "originals").glob(f"*/{name}"))
        assert [path.read_bytes() for path in kept] == [(warehouse.drop / name).read_bytes()]


def test_names_are_shown_composed(night: tuple[Product, list[str], Any]) -> None:
    """A decomposed name at the source is shown as people type it."""
    warehouse, _, defects = night
    codes = [d.key["ma_don_vi"] for d in defects if d.kind == "name_not_nfc"]
    assert codes
    with psycopg.connect(warehouse.admin_url) as conn:
        shown = conn.execute(
            "select employer_name is nfc normalized from marts.dim_employer "
            "where employer_code = any(%s)",
            [codes],
        ).fetchall()
    assert shown == [(True,)] * len(shown)
    assert shown


def answers(row: dict[str, Any], planted: set[Any], defects: Any) -> bool:
    """Whether a row in quarantine is one of the planted ones."""
    if row["feed"] != "c12":
        return (row["feed"], *row["row_key"].split("|")) in planted
    return any(
        d.feed == "c12" and d.key.get("madvi") == row["row"]["madvi"] and d.expected != "refused"
        for d in defects
    )


def misjudged(conn: psycopg.Connection[dict[str, Any]], defect: Any) -> str | None:
    """What is wrong about where a defect ended; None where it ended well."""
    if defect.expected == "refused" or defect.kind == "duplicate_delivery":
        status = "refused" if defect.expected == "refused" else "published"
        found = conn.execute(
            "select status, rows_changed from ops.batch where delivery_name = %s", [defect.file]
        ).fetchall()
        if [row["status"] for row in found] != [status]:
            return f"the file is {found}, not {status}"
        return "it changed rows" if status == "published" and found[0]["rows_changed"] else None
    if defect.kind == "layout_of_110_columns":
        return None  # its rows are judged one by one by the others
    if defect.expected == "quarantined":
        rows = in_quarantine(conn, defect)
        rules = {rule for row in rows for rule in row["rule_ids"]}
        if not rules & RULES[defect.reason]:
            return f"set aside by {rules or 'nothing'}, not for {defect.reason}"
        return None
    return None if in_raw(conn, defect) else "it is not in raw"


def in_quarantine(conn: psycopg.Connection[dict[str, Any]], defect: Any) -> list[dict[str, Any]]:
    """Rows in quarantine, open or ended, that are the defect's."""
    key = {n: v for n, v in defect.key.items() if n != "thang"}
    condition = sql.SQL(" and ").join(
        sql.SQL("row ->> {} = {}").format(sql.Literal(n), sql.Literal(str(v)))
        for n, v in key.items()
    )
    query = sql.SQL("select * from quarantine.row where feed = {} and {}")
    return conn.execute(query.format(sql.Literal(defect.feed), condition)).fetchall()


def in_raw(conn: psycopg.Connection[dict[str, Any]], defect: Any) -> bool:
    """Whether the defect's row was accepted, in some version."""
    condition = sql.SQL(" and ").join(
        sql.SQL("{}::text = {}").format(sql.Identifier(n), sql.Literal(str(v)))
        for n, v in defect.key.items()
    )
    query = sql.SQL("select from {} where {} limit 1")
    table = sql.Identifier("raw", defect.feed)
    return conn.execute(query.format(table, condition)).fetchone() is not None
