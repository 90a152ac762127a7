"""The sums that a build for readers keeps, so that the next one counts only the changed persons.

Two things are kept: sums over all persons (small tables `marts_build.kept_<model>`), and what they
were made from (`marts_build.kept_from`). Both are written in the transaction that shows the build.
For each person who changed, the next build subtracts the old state and adds the new one; `raw` has
both. A build counts all persons if nothing is kept, if other things than persons' spells and
employers' officers changed, or if the spells that were known then are not the same any more.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.provenance import code_version

# Sums over persons, and the register that cuts their spells (macros/kept.sql)
MODELS = (
    "int_active_persons",
    "int_counted_again_steps",
    "int_officer_employer_months",
    "int_officer_participation_steps",
    "int_participation_steps",
    "int_uncounted_persons",
)
_LARGEST_SHARE = 0.1  # above this share of changed spells, counting all persons is as fast

_NEWEST = "select max(build_id) from ops.build where target_schema = %s"
_KEPT = sql.Identifier(NIGHTLY_SCHEMA, "kept_from")
_SPELLS = """
select
    count(*) filter (where is_known) as rows_now,
    bit_xor(mark) filter (where is_known) as mark_now,
    count(*) filter (where was_known) as rows_then,
    bit_xor(mark) filter (where was_known) as mark_then,
    count(*) filter (where greatest(known_from, known_to) > %(then)s) as changed_rows,
    coalesce(bool_or(person_pseudonym is null), false) as has_nobody
from (
    select
        known_from, known_to, person_pseudonym,
        known_from <= %(now)s and (known_to is null or known_to > %(now)s) as is_known,
        known_from <= %(then)s and (known_to is null or known_to > %(then)s) as was_known,
        timestamp_hash_extended(known_from at time zone 'UTC', ma_qua_trinh) as mark
    from raw.participations
) as spells
"""
# Agencies decide where spells count. A change of an agency moves persons who did not change.
_AGENCIES = """
select md5(coalesce(string_agg(agencies::text, '|' order by ma_co_quan, known_from), ''))
from raw.agencies as agencies
where known_from <= %(now)s and (known_to is null or known_to > %(now)s)
"""


@dataclass(frozen=True)
class Kept:
    """What kept sums were made from.

    Attributes:
        build_id: The build that they are from.
        as_known_at: What that build knew.
        made_from: A hash of code, configuration, month and agencies.
        spell_rows: Spells that were known then.
        spell_mark: A check sum over which spells these were, and since when they were known.
    """

    build_id: int
    as_known_at: datetime
    made_from: str
    spell_rows: int
    spell_mark: int | None


@dataclass(frozen=True)
class Counting:
    """How a build counts persons.

    Attributes:
        base: The kept sums that it adds changes to; None if it counts all persons.
        why_whole: Why it counts all persons; None if it does not.
        made_from: As in `Kept`, of this build.
        spell_rows: As in `Kept`, of this build.
        spell_mark: As in `Kept`, of this build.
    """

    base: Kept | None
    why_whole: str | None
    made_from: str
    spell_rows: int
    spell_mark: int | None


@dataclass(frozen=True)
class _Spells:
    rows_now: int
    mark_now: int | None
    rows_then: int
    mark_then: int | None
    changed_rows: int
    has_nobody: bool


def counting(
    conn: psycopg.Connection,
    as_known_at: datetime,
    business_date: date,
    config_sha256: str,
    *,
    is_whole: bool = False,
) -> Counting:
    """Decide whether a build for readers may add to what is kept.

    Args:
        conn: The warehouse; the caller holds the build's lock.
        as_known_at: What the build will know.
        business_date: The newest date that it knows.
        config_sha256: The hash of its configuration.
        is_whole: Count all persons, whatever is kept.
    """
    found = _found(conn)
    with conn.cursor(row_factory=class_row(_Spells)) as cursor:
        instants = {"now": as_known_at, "then": found.as_known_at if found else None}
        spells = cursor.execute(_SPELLS, instants).fetchone()
    agencies = conn.execute(_AGENCIES, {"now": as_known_at}).fetchone()
    assert spells is not None
    assert agencies is not None
    newest = conn.execute(_NEWEST, [NIGHTLY_SCHEMA]).fetchone()
    conn.commit()
    made_from = _hash([code_version(), config_sha256, f"{business_date:%Y-%m}", agencies[0]])
    why = "it was asked for" if is_whole else _why_whole(found, spells, as_known_at, made_from)
    if found and newest and newest[0] != found.build_id:
        why = why or "the last build did not end well"
    base = None if why else found
    return Counting(base, why, made_from, spells.rows_now, spells.mark_now)


def keep(conn: psycopg.Connection, build_id: int, as_known_at: datetime, counted: Counting) -> None:
    """Replace what is kept by the sums of the build that was just made; no commit."""
    for model in MODELS:
        kept = sql.Identifier(NIGHTLY_SCHEMA, f"kept_{model}")
        conn.execute(sql.SQL("drop table if exists {}").format(kept))
        made = sql.Identifier(NIGHTLY_SCHEMA, model)
        conn.execute(sql.SQL("create table {} as table {}").format(kept, made))
    conn.execute(sql.SQL("drop table if exists {}").format(_KEPT))
    conn.execute(
        sql.SQL(
            "create table {} as select {}::bigint as build_id, {}::timestamptz as as_known_at, "
            "{}::text as made_from, {}::bigint as spell_rows, {}::bigint as spell_mark"
        ).format(
            _KEPT,
            *map(
                sql.Literal,
                (build_id, as_known_at, counted.made_from, counted.spell_rows, counted.spell_mark),
            ),
        )
    )


def _found(conn: psycopg.Connection) -> Kept | None:
    names = ["kept_from", *(f"kept_{model}" for model in MODELS)]
    there = conn.execute(
        "select count(*) from pg_tables where schemaname = %s and tablename = any(%s)",
        [NIGHTLY_SCHEMA, names],
    ).fetchone()
    if there is None or there[0] != len(names):
        return None
    with conn.cursor(row_factory=class_row(Kept)) as cursor:
        return cursor.execute(
            sql.SQL(
                "select build_id, as_known_at, made_from, spell_rows, spell_mark from {}"
            ).format(_KEPT)
        ).fetchone()


def _why_whole(
    found: Kept | None, spells: _Spells, as_known_at: datetime, made_from: str
) -> str | None:
    if found is None:
        return "nothing is kept"
    if found.made_from != made_from:
        return "the code, the configuration, the month or an agency changed"
    if as_known_at < found.as_known_at:
        return "the warehouse knows less than it did"
    if (spells.rows_then, spells.mark_then) != (found.spell_rows, found.spell_mark):
        return "spells came for an instant that was counted already"
    if spells.has_nobody:
        return "a spell has no person"
    if spells.changed_rows > _LARGEST_SHARE * max(spells.rows_now, 1):
        return "more than a tenth of the spells changed"
    return None


def _hash(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
