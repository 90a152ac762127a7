"""Publishes folders of the archive and repeats recorded acts, on another warehouse."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from chotso.calendar import local_date
from chotso.contracts import contract_of
from chotso.errors import ChotsoError
from chotso.ingest import ledger
from chotso.ingest.load import drop_tables, load
from chotso.ingest.publish import publish_without_history
from chotso.ingest.validate import validate
from chotso.landing import Landing
from chotso.quarantine import close
from chotso.release.check.archive import KEPT, LandedFolder
from chotso.settings import Settings


def republish_folder(settings: Settings, conn: psycopg.Connection, landed: LandedFolder) -> None:
    """Publish a folder of the archive in the same way as the first time; commits.

    Rules that stop whole batches are not applied: the batch had passed them.

    Raises:
        ChotsoError: A landed file is not what was landed, or something that is no input of the
            release would change it.
    """
    contract, told = contract_of(landed.feed), landed.manifest
    facts = told.landed.facts
    if facts.replays is not None:
        facts = facts.with_rows(_ids_here(conn, landed))
    batch_id = ledger.start(
        conn, contract, landed.business_date, landed.read_mode, delivery=landed.delivery
    )
    here = replace(told, batch_id=batch_id, landed=replace(told.landed, facts=facts))
    ledger.record_landed(conn, here, folder=landed.folder)
    conn.commit()
    (batch,) = [each for each in ledger.waiting(conn, contract.group) if each.batch_id == batch_id]
    load(conn, Landing(settings.landing_url), contract, batch)
    counts = publish_without_history(
        conn, contract, batch, validate(settings, conn, contract, batch)
    )
    drop_tables(conn, batch_id)
    conn.commit()
    if not landed.is_named and (counts.rows_changed or counts.rows_quarantined):
        raise ChotsoError(
            f"{landed.folder} stands in the archive, is no input of the release, and would change "
            "it.",
            kept=KEPT,
            next_step="find out who put it there, or restore the archive from its backup.",
        )


def _ids_here(conn: psycopg.Connection, landed: LandedFolder) -> list[int]:
    """The ids that rows have in this warehouse, for a batch that judged rows again."""
    rows = landed.facts.replayed
    if rows is None:
        raise ChotsoError(
            f"{landed.folder} says which rows it replays only by their numbers.",
            kept=KEPT,
            next_step="compare this release with a backup of the warehouse instead.",
        )
    found = conn.execute(
        "select aside.id from quarantine.row as aside "
        "inner join jsonb_array_elements(%s) as named "
        "on aside.row_key = named ->> 0 and aside.row_sha256 = named ->> 1 "
        "where aside.feed = %s and aside.status = 'open' order by aside.id",
        [Jsonb(rows), landed.feed],
    )
    return [row[0] for row in found]


def carry_out(conn: psycopg.Connection, act: dict[str, Any]) -> None:
    """Repeat an act: waive a row, or close rows that the source lacks.

    The act "this file is no delivery" changes no rows, so it is only recorded.

    Raises:
        ChotsoError: The act is of another kind.
    """
    known_at = datetime.fromisoformat(act["known_at"])
    with conn.transaction():
        match act["kind"]:
            case "waive":
                _waive(conn, act, known_at)
            case "waive_file":
                pass
            case close.KIND:
                contract, keys = contract_of(act["subject"]["feed"]), act["subject"]["row_keys"]
                close.end_rows(conn, contract, keys, known_at, act["reason"], act["acted_by"])
            case _:
                raise ChotsoError(
                    f"{act['act_id']} is an act of an unknown kind.",
                    kept=KEPT,
                    next_step="update chotso.",
                )
        _record(conn, act, known_at)


def _waive(conn: psycopg.Connection, act: dict[str, Any], known_at: datetime) -> None:
    subject = act["subject"]
    conn.execute(
        """
        update quarantine.row
        set status = 'waived', resolved_at = %s, resolution = %s, resolved_by = %s
        where feed = %s and row_key = %s and row_sha256 = %s and status = 'open'
        """,
        [
            known_at, act["reason"], act["acted_by"], subject["feed"], subject["row_key"],
            subject["row_sha256"],
        ],
    )  # fmt: skip


def _record(conn: psycopg.Connection, act: dict[str, Any], known_at: datetime) -> None:
    day = local_date(known_at)
    conn.execute(
        """
        insert into ops.operator_act (act_id, kind, business_date, known_at, subject, reason,
            acted_by, landing_path, sha256, code_version)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'again')
        """,
        [
            act["act_id"], act["kind"], day, known_at, Jsonb(act["subject"]), act["reason"],
            act["acted_by"], f"acts/{day}/{act['act_id']}.json", act["sha256"],
        ],
    )  # fmt: skip
