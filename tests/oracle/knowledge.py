"""What was known at an instant: the observations folded into one state.

Readings where the specification leaves a doubt:

- a key set aside by a statement is left alone by that statement: neither its row nor the row's
  absence on the sheet where the accepted account stands touches that account;
- an account comes from the newest statement that has it, even when that one repeats the row;
- an account whose row stands in two statements of one instant is not foreseen by the contract;
- rows of the source are never deleted: a register row that a reading lacks is in force as it was,
  for no count of the source's says that it ended.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.oracle.model import C12, KEY_COLUMNS, Key, Observation, Row

UNCOUNTED = ("co_quan", "can_bo", "don_vi", "phan_cong")
"""Tables of which the source keeps no control totals."""

LOCAL = timezone(timedelta(hours=7))
"""Vietnam has kept +07:00 since 1975."""


@dataclass(frozen=True)
class Account:
    """An employer's account of a month, on the sheet where it stands."""

    employer_code: str
    month: date
    agency_code: str
    stated_at: datetime
    row: Row


@dataclass(frozen=True)
class PlanLine:
    """A plan line; ordering is the order of revisions."""

    effective: date
    signed: date
    decision_code: str
    value: Decimal


@dataclass
class Knowledge:
    """The state of the source as known at an instant, after quarantine.

    Attributes:
        accepted: Rows in force by table and key.
        set_aside: Newest versions in open quarantine, by table and key.
        accounts: Accounts in force by (employer, month).
        accounts_set_aside: Account rows in open quarantine.
        plans: Plan lines by (agency, measure, year).
    """

    known_at: datetime
    business_date: date
    accepted: dict[str, dict[Key, Row]] = field(default_factory=dict)
    set_aside: dict[str, dict[Key, Row]] = field(default_factory=dict)
    accounts: dict[tuple[str, date], Account] = field(default_factory=dict)
    accounts_set_aside: list[Account] = field(default_factory=list)
    plans: dict[tuple[str, str, int], list[PlanLine]] = field(default_factory=dict)

    def counting_agencies(self, agency_code: str) -> list[str]:
        """Agencies at which something filed under a code counts: itself, provinces above it."""
        agencies = self.accepted["co_quan"]
        counting: list[str] = []
        climbed: set[str] = set()
        code: str | None = agency_code
        while code is not None and (code,) in agencies and code not in climbed:
            climbed.add(code)
            if code == agency_code or agencies[code,]["cap"] == 1:
                counting.append(code)
            code = agencies[code,]["ma_cap_tren"]
        return counting


def known(observations: Sequence[Observation], as_known_at: datetime) -> Knowledge:
    """The state known at an instant; raises ValueError where nothing was known yet."""
    seen = sorted((o for o in observations if o.known_at <= as_known_at), key=lambda o: o.known_at)
    if not seen:
        raise ValueError(f"nothing was known at {as_known_at}")
    state = Knowledge(
        known_at=max(o.known_at for o in seen), business_date=max(o.business_date for o in seen)
    )
    for table in KEY_COLUMNS:
        state.accepted[table], state.set_aside[table] = _fold_table(seen, table)
    _fold_statements(seen, state)
    _fold_plans(seen, state)
    return state


def local_month(instant: datetime) -> date:
    """First day of the local month of an instant."""
    return instant.astimezone(LOCAL).date().replace(day=1)


def _fold_table(seen: list[Observation], table: str) -> tuple[dict[Key, Row], dict[Key, Row]]:
    def key_of(row: Row) -> Key:
        return tuple(row[column] for column in KEY_COLUMNS[table])

    # Only quarantine and the registers look back: else the newest reading alone decides.
    keeps = table in UNCOUNTED
    if not keeps and not any(o.set_aside.get(table) for o in seen):
        seen = [o for o in seen if table in o.tables][-1:]
    rows: dict[Key, Row] = {}
    accepted: dict[Key, Row] = {}
    aside: frozenset[Key] = frozenset()
    for observation in seen:
        if table in observation.tables:
            rows = {key_of(row): row for row in observation.tables[table]}
        aside = observation.set_aside.get(table, frozenset())
        before = accepted
        accepted = {key: row for key, row in rows.items() if key not in aside}
        accepted |= {key: before[key] for key in aside if key in before and key in rows}
        if keeps:
            accepted = {key: row for key, row in before.items() if key not in rows} | accepted
    return accepted, {key: rows[key] for key in aside if key in rows}


def _fold_statements(seen: list[Observation], state: Knowledge) -> None:
    aside = seen[-1].set_aside.get(C12, frozenset())
    statements = [statement for o in seen for statement in o.statements]
    for statement in sorted(statements, key=lambda s: (s.stated_at, s.name)):
        stated: dict[str, tuple[str, Row]] = {}
        untouched: set[str] = set()
        for agency, rows in statement.sheets.items():
            for row in rows:
                if (statement.name, agency, row["madvi"]) in aside:
                    untouched.add(row["madvi"])
                    state.accounts_set_aside.append(
                        Account(row["madvi"], statement.month, agency, statement.stated_at, row)
                    )
                else:
                    stated[row["madvi"]] = (agency, row)
        for key, account in list(state.accounts.items()):
            restated = key[1] == statement.month and account.agency_code in statement.sheets
            if restated and key[0] not in untouched:
                del state.accounts[key]
        for employer, (agency, row) in stated.items():
            state.accounts[employer, statement.month] = Account(
                employer, statement.month, agency, statement.stated_at, row
            )


def _fold_plans(seen: list[Observation], state: Knowledge) -> None:
    values: dict[Key, Decimal] = {}
    for observation in seen:
        for file in sorted(observation.plan_files, key=lambda f: f.name):
            for row in file.rows:
                values[_plan_key(row)] = Decimal(str(row["gia_tri"]))
    lines: dict[tuple[str, str, int], list[PlanLine]] = defaultdict(list)
    for (kind, agency, measure, year, effective, signed, decision), value in values.items():
        if kind == "CO_QUAN":
            lines[agency, measure, year].append(PlanLine(effective, signed, decision, value))
    state.plans = {
        key: sorted(found, key=lambda p: (p.effective, p.signed, p.decision_code))
        for key, found in lines.items()
    }


def _plan_key(row: Row) -> tuple[Any, ...]:
    columns = ("loai_doi_tuong", "ma_doi_tuong", "chi_tieu", "nam")
    return (*(row[c] for c in columns), row["hieu_luc_tu"], row["ngay_ky"], row["so_quyet_dinh"])
