"""A warehouse with nothing in it but the agencies, and what became of the cases sent to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from tests.malformed.case import ID, Case
from tests.malformed.desk import Delivered
from tests.malformed.test_rows_parsed import NAMES, same
from tests.oracle.hostile import tst
from tests.worlds.product import SOURCE_LOGIN, Product, product

NIGHT = date(2021, 12, 31)
CLOCK = datetime(2022, 1, 1, 1, tzinfo=UTC)
AGENCIES = ("07200", "07201", "07202", "07203", "07204")


@contextmanager
def empty_warehouse(running: SandboxServer, folder: Path) -> Iterator[Product]:
    """A warehouse that knows the agencies and waits for files."""
    with product(running, "malformed", folder) as made:
        with psycopg.connect(made.source_admin_url) as source:
            tst.create_schema(source, SOURCE_LOGIN)
            tst.write_snapshot(source, {"co_quan": [agency(code) for code in AGENCIES]}, CLOCK)
        extract_group(made.settings, "registers", NIGHT)
        yield made


def agency(code: str) -> dict[str, Any]:
    """A row of the agencies' register."""
    return {"ma_co_quan": code, "ten": f"BHXH {code}", "ma_cap_tren": "072", "cap": 2,
            "hieu_luc_tu": date(2000, 1, 1), "ngay_sua": CLOCK}  # fmt: skip


@dataclass
class Ended:
    """What the warehouse says of all deliveries."""

    batches: dict[str, dict[str, Any]]
    raw: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    aside: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


def ended(admin_url: str) -> Ended:
    """Batches by delivery, and rows in raw and in quarantine by the case's id."""
    with psycopg.connect(admin_url, row_factory=dict_row) as conn:
        found = conn.execute(
            "select *, money_delivered = money_accepted + money_quarantined as is_balanced "
            "from ops.batch where feed = 'c12'"
        ).fetchall()
        told = Ended({b["delivery_name"]: b for b in found if b["delivery_name"]})
        assert len(told.batches) == len([b for b in found if b["delivery_name"]])
        for row in conn.execute("select * from raw.c12").fetchall():
            told.raw.setdefault(row[ID], []).append(row)
        for row in conn.execute("select * from quarantine.row where feed = 'c12'").fetchall():
            told.aside.setdefault(row["row"][ID], []).append(row)
    return told


def misjudged(made: Delivered, told: Ended) -> list[str]:
    """What is wrong about where a delivery and each of its rows ended."""
    batch = told.batches.get(made.name)
    if batch is None:
        return [f"{made.name} ({made.kind}): dropped in silence"]
    named = f"{made.name} ({made.kind}): {batch['status']}, {batch['reason']}"
    if batch["status"] == "refused" and (made.refusal is not None or made.may_be_refused):
        is_told = made.may_be_refused or (made.refusal or "") in batch["reason"]
        return [] if is_told else [f"{named}; due is {made.refusal!r}"]
    if batch["status"] != "published" or made.refusal is not None:
        return [f"{named}; due is {made.refusal!r}"]
    wrong = _unbalanced(made, batch)
    if made.changes:
        wrong += [f"{made.kind}: {t}" for c in made.cases if (t := _misplaced(c, batch, told))]
    return wrong


def _unbalanced(made: Delivered, batch: dict[str, Any]) -> list[str]:
    accepted = [case for case in made.cases if case.rule is None]
    due = {
        "rows_delivered": len(made.cases) + made.torn,
        "rows_accepted": len(accepted),
        "rows_quarantined": len(made.cases) + made.torn - len(accepted),
        "money_accepted": sum(case.money for case in accepted),
        "is_balanced": True,
    }
    if not made.torn:
        due["money_delivered"] = sum(case.money for case in made.cases)
    return [
        f"{made.name} ({made.kind}): {name} is {batch[name]}, due is {value}"
        for name, value in due.items()
        if batch[name] != value
    ]


def _misplaced(case: Case, batch: dict[str, Any], told: Ended) -> str | None:
    raw, aside = told.raw.get(case.id, []), told.aside.get(case.id, [])
    is_merged = case.rule is None and not case.values
    places = (len(raw), len(aside))
    if places != ((0, 1) if case.rule else (1, 0)):
        return f"{case.id}: {places[0]} times in raw, {places[1]} in quarantine, due {case.rule}"
    if case.rule:
        row = aside[0]
        if (row["rule_id"], row["batch_id"]) != (case.rule, batch["batch_id"]):
            return f"{case.id}: set aside by {row['rule_ids']}, due {case.rule}"
        return None if row["money"] == case.money else f"{case.id}: carries {row['money']}"
    if is_merged:
        return None  # its first copy is the one that is compared
    row = raw[0]
    differing = [n for n, v in case.values.items() if not same(row[NAMES[n]], v)]
    differing += [] if row["extra"].get("tendvi") == case.cells["tendvi"] else ["tendvi"]
    return f"{case.id}: {differing} differ in raw" if differing else None


def strangers(made: Sequence[Delivered], told: Ended) -> list[str]:
    """Rows in the warehouse that no delivery brought, but for torn ones."""
    known = {case.id for each in made for case in each.cases}
    return [str(key) for key in told.raw if key not in known]
