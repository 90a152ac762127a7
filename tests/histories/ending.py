"""The state that a history ends in, as comparable rows, and what the world itself says of it."""

from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import contracts
from tests.histories.life import Life
from tests.oracle.knowledge import known
from tests.oracle.model import C12, Observation

_SHOWN = 4

Ending = dict[str, list[str]]


def ending(url: str) -> Ending:
    """Rows in force, open quarantine and statements; without when and by which batch they came."""
    with psycopg.connect(url, options="-c timezone=UTC") as conn:
        found = {f"raw.{feed}": _in_force(conn, feed) for feed in contracts()}
        found["quarantine.row"] = _set_aside(conn)
        found["ops.statement"] = _texts(
            conn, "select feed, scope_key, stated_at, content_sha256 from ops.statement"
        )
    return found


def differences(found: Ending, wanted: Ending) -> list[str]:
    """The first rows that only one side has, per relation; empty where they are the same."""
    told = []
    for name in sorted(found.keys() | wanted.keys()):
        here, there = found.get(name, []), wanted.get(name, [])
        told += [f"{name}: only found: {row}" for row in sorted(set(here) - set(there))[:_SHOWN]]
        told += [f"{name}: only wanted: {row}" for row in sorted(set(there) - set(here))[:_SHOWN]]
        if len(here) != len(there):
            told.append(f"{name}: {len(here)} rows, not {len(there)}")
    return told


def broken_books(url: str) -> list[str]:
    """What no history may leave: work in progress, unbalanced batches, versions that overlap."""
    wrong = []
    with psycopg.connect(url) as conn:
        for status, count in conn.execute(
            "select status, count(*) from ops.batch "
            "where status not in ('published', 'refused') group by status"
        ):
            wrong.append(f"{count} batches are {status}")
        for (batch_id,) in conn.execute(
            "select batch_id from ops.batch where status = 'published' and ("
            "rows_delivered is distinct from rows_accepted + rows_quarantined "
            "or money_delivered is distinct from money_accepted + money_quarantined)"
        ):
            wrong.append(f"{batch_id} does not balance")
        for feed, contract in contracts().items():
            query = sql.SQL(
                "select count(*) from {raw} as a inner join {raw} as b on {same} "
                "and a.ctid < b.ctid and tstzrange(a.known_from, a.known_to) && "
                "tstzrange(b.known_from, b.known_to)"
            ).format(
                raw=sql.Identifier("raw", feed),
                same=sql.SQL(" and ").join(
                    sql.SQL("a.{0} = b.{0}").format(sql.Identifier(n)) for n in contract.key
                ),
            )
            row = conn.execute(query).fetchone()
            if row and row[0]:
                wrong.append(f"raw.{feed}: {row[0]} pairs of versions overlap")
    return wrong


def against_the_world(url: str, life: Life) -> list[str]:
    """Compare what is in force with the world's own last state, without the product's help."""
    last = life.states[-1].tables
    agencies = {row["ma_co_quan"] for row in last["co_quan"]}
    documents = {r["so_chung_tu"] for r in last["chung_tu"] if r["ma_co_quan"] in agencies}
    wanted: dict[str, set[tuple[Any, ...]]] = {
        "select ma_co_quan, ten, ma_cap_tren, hieu_luc_tu, hieu_luc_den from raw.agencies": {
            (r["ma_co_quan"], r["ten"], r["ma_cap_tren"], r["hieu_luc_tu"], r["hieu_luc_den"])
            for r in last["co_quan"]
        },
        "select so_chung_tu, ma_co_quan, ngay_ghi_co, so_tien, trang_thai from raw.payments": {
            (r["so_chung_tu"], r["ma_co_quan"], r["ngay_ghi_co"], r["so_tien"], r["trang_thai"])
            for r in last["chung_tu"]
            if r["so_chung_tu"] in documents
        },
        "select so_chung_tu, so_dong, quy, tien_goc, tien_lai from raw.allocations": {
            (r["so_chung_tu"], r["so_dong"], r["quy"], r["tien_goc"], r["tien_lai"])
            for r in last["phan_bo"]
            if r["so_chung_tu"] in documents
        },
        "select ma_qua_trinh, ma_co_quan, tu_thang, den_thang, trang_thai "
        "from raw.participations": {
            (r["ma_qua_trinh"], r["ma_co_quan"], r["tu_thang"], r["den_thang"], r["trang_thai"])
            for r in last["tham_gia"]
            if r["ma_co_quan"] in agencies
        },
        "select madvi, thang, ma_co_quan, ck_bhxh, restated_at from raw.c12": _accounts(
            life, agencies
        ),
    }
    wrong = []
    with psycopg.connect(url, options="-c timezone=UTC") as conn:
        for query, rows in wanted.items():
            found = conn.execute(f"{query} where known_to is null".encode()).fetchall()
            wrong += [f"{query}: lost {row}" for row in sorted(rows - set(found), key=str)[:_SHOWN]]
            wrong += [f"{query}: has {row}" for row in sorted(set(found) - rows, key=str)[:_SHOWN]]
            if len(found) != len(rows):
                wrong.append(f"{query}: {len(found)} rows, not {len(rows)}")
    return wrong


def _accounts(life: Life, agencies: set[str]) -> set[tuple[Any, ...]]:
    statements = [s for made in life.statements for s in made]
    aside = set(life.broken) | {
        (s.name, agency, row["madvi"])
        for s in statements
        for agency, rows in s.sheets.items()
        for row in rows
        if agency not in agencies
    }
    clock = life.states[-1].clock
    seen = Observation(
        clock, clock.date(), statements=statements, set_aside={C12: frozenset(aside)}
    )
    return {
        (employer, month, a.agency_code, a.row["_ck_bhxh"], a.stated_at)
        for (employer, month), a in known([seen], clock).accounts.items()
    }


def _in_force(conn: psycopg.Connection, feed: str) -> list[str]:
    contract = contracts()[feed]
    names = [*contract.key, *contract.tracked]
    # The instant of the newest export that states the row decides at a cutoff.
    names += ["restated_at"] if contract.kept_as == "statement" else []
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    return _texts(
        conn,
        sql.SQL("select {} from {} where known_to is null").format(
            listed, sql.Identifier("raw", feed)
        ),
    )


def _set_aside(conn: psycopg.Connection) -> list[str]:
    untracked = ["ngay_sua", "extra"]
    return _texts(
        conn,
        sql.SQL(
            "select feed, row_key, rule_ids, money, row - {}::text[] from quarantine.row "
            "where status = 'open'"
        ).format(sql.Literal(untracked)),
    )


def _texts(conn: psycopg.Connection, query: Any) -> list[str]:
    return sorted(str(row) for row in conn.execute(query))
