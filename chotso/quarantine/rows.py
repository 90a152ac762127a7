"""Rows set aside as people see them: feed, key, reason, money, agency and age."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from chotso.calendar import local_date, local_instant
from chotso.errors import ChotsoError
from chotso.ingest.rules import Rule, register

# The agency of a row: named in it, or found by its document, employer, officer or plan. A code that
# is not in the register of agencies is ignored. A key has one row in force: `limit 1` leaves out
# nothing, and makes each lookup use the index, also where there are no statistics.
_ROWS = """
with aside as (
    select * from quarantine.row
    where (%(all)s or status = 'open') and (%(id)s::bigint is null or id = %(id)s)
),

named as (
    select
        aside.*,
        nullif(btrim(case
            when aside.row ? 'ma_co_quan' then aside.row ->> 'ma_co_quan'
            when aside.row ->> 'loai_doi_tuong' = 'CO_QUAN' then aside.row ->> 'ma_doi_tuong'
            when document_aside.versions > 0 then document_aside.agency_code
            else coalesce(document.ma_co_quan, officer.ma_co_quan, employer.ma_co_quan)
        end), '') as agency_named
    from aside
    left join lateral (
        select
            count(*) as versions,
            case
                when count(distinct version.row ->> 'ma_co_quan') = 1
                    then min(version.row ->> 'ma_co_quan')
            end as agency_code
        from quarantine.row as version
        where version.feed = 'payments' and version.status = 'open'
            and version.row_key = aside.row ->> 'so_chung_tu'
    ) as document_aside on true
    left join lateral (
        select ma_co_quan from raw.payments
        where so_chung_tu = aside.row ->> 'so_chung_tu' and known_to is null
        limit 1
    ) as document on true
    left join lateral (
        select ma_co_quan from raw.officers
        where ma_can_bo = coalesce(
                case
                    when aside.row ->> 'loai_doi_tuong' = 'CAN_BO' then aside.row ->> 'ma_doi_tuong'
                end,
                aside.row ->> 'ma_can_bo'
            )
            and known_to is null
        limit 1
    ) as officer on true
    left join lateral (
        select ma_co_quan from raw.employers
        where ma_don_vi = aside.row ->> 'ma_don_vi' and known_to is null
        limit 1
    ) as employer on true
)

select
    named.id, named.feed, named.rule_id, named.rule_ids, named.detail, named.row_key, named.row,
    named.money, named.first_seen, named.last_seen, named.status, named.resolved_at,
    named.resolution, named.resolved_by, named.batch_id, agency.ma_co_quan as agency_code,
    agency.ten as agency_name
from named
left join raw.agencies as agency
    on agency.ma_co_quan = named.agency_named and agency.known_to is null
order by named.feed, named.id
"""


@dataclass(frozen=True)
class AsideRow:
    """One row version set aside.

    `money` is đồng. `agency_code` is None if no agency of the register can be found for it.
    """

    id: int
    feed: str
    rule_id: str
    rule_ids: list[str]
    detail: str | None
    row_key: str
    row: dict[str, Any]
    money: Decimal
    first_seen: datetime
    last_seen: datetime
    status: str
    resolved_at: datetime | None
    resolution: str | None
    resolved_by: str | None
    batch_id: str
    agency_code: str | None
    agency_name: str | None

    def age_days(self, clock: datetime) -> int:
        """Local days from first seen until it ended, or until `clock` if it is open."""
        until = self.resolved_at or clock
        return (local_date(until) - local_date(self.first_seen)).days

    def broken_rules(self) -> list[Rule]:
        """The rules that it broke and that are still in the register, in order."""
        known = {rule.id: rule for rule in register()}
        return [known[rule_id] for rule_id in self.rule_ids if rule_id in known]


def rows_set_aside(
    conn: psycopg.Connection, *, ended_too: bool = False, row_id: int | None = None
) -> list[AsideRow]:
    """Open rows by feed and id; with `ended_too`, also replayed and waived ones."""
    with conn.cursor(row_factory=class_row(AsideRow)) as cursor:
        return cursor.execute(_ROWS, {"all": ended_too, "id": row_id}).fetchall()


def row_set_aside(conn: psycopg.Connection, row_id: int) -> AsideRow:
    """One row, open or ended.

    Raises:
        ChotsoError: There is no such row.
    """
    found = rows_set_aside(conn, ended_too=True, row_id=row_id)
    if not found:
        raise ChotsoError(
            f"No row {row_id} stands in quarantine.",
            next_step="run `chotso quarantine list` for the ids.",
        )
    return found[0]


def open_row(conn: psycopg.Connection, row_id: int) -> AsideRow:
    """One row that is open.

    Raises:
        ChotsoError: There is no such row, or it has ended.
    """
    row = row_set_aside(conn, row_id)
    if row.status != "open":
        raise ChotsoError(
            f"Row {row_id} is not open: it is {row.status} since "
            f"{local_instant(row.resolved_at) if row.resolved_at else '?'} ({row.resolution}).",
            kept="it stays as it is.",
            next_step="run `chotso quarantine list` for the rows that are open.",
        )
    return row
