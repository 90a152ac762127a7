"""Operators' decisions, recorded and landed like a feed.

    <landing>/acts/<business date>/<act id>.json

An act's file never changes. It says what was done, to what, why and by whom, at the source's clock.
`ops.operator_act` has one row per file, inserted in the transaction that carries the act out. A
file without a row belongs to an act that was not carried out. Acts change what a release is made
of, so they are inputs of a release.
"""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from chotso.calendar import local_date
from chotso.characters import spelled_out
from chotso.errors import ChotsoError
from chotso.landing import Landing
from chotso.provenance import code_version
from chotso.settings import Settings

_PERSONS_NUMBER = re.compile(r"(?<!\d)\d{10}(?!\d)")


@dataclass(frozen=True)
class Act:
    """One recorded act.

    `sha256` is the hash of its landed file, `landing_path` the file's path in the archive.
    """

    act_id: str
    kind: str
    known_at: datetime
    reason: str
    acted_by: str
    landing_path: str
    sha256: str


def stated(what: str, text: str) -> str:
    """A person's words for the record: NFC, trimmed, on one line.

    Raises:
        ChotsoError: They are empty, or hold what looks like a person's number.
    """
    words = " ".join(unicodedata.normalize("NFC", spelled_out(text)).split())
    if not words:
        raise ChotsoError(
            f"The {what} is empty.",
            kept="nothing was changed.",
            next_step=f"give the {what} in words: it is kept for good.",
        )
    if _PERSONS_NUMBER.search(words):
        raise ChotsoError(
            f"The {what} holds ten digits that may be a person's number.",
            kept="nothing was changed, and it was not recorded.",
            next_step="say it without the number: the record is kept for good and is shown.",
        )
    return words


def record(
    settings: Settings,
    conn: psycopg.Connection,
    kind: str,
    subject: dict[str, Any],
    *,
    reason: str,
    acted_by: str,
    known_at: datetime,
) -> Act:
    """Land an act and insert its row; the caller's transaction carries it out and commits.

    Args:
        settings: Where the archive is.
        conn: The warehouse, in the transaction that carries the act out.
        kind: What is done, e.g. `waive`.
        subject: What it is done to; JSON types only, no personal data, no ids of an attempt.
        reason: Why, as `stated` gives it.
        acted_by: Who, as `stated` gives it.
        known_at: The source's clock.

    Raises:
        ChotsoError: The archive cannot be written.
    """
    said = {
        "kind": kind,
        "known_at": known_at.isoformat(),
        "subject": subject,
        "reason": reason,
        "acted_by": acted_by,
    }
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    content = text.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    day = local_date(known_at)
    act_id = f"{kind}_{day:%Y%m%d}_{sha256[:16]}"
    path = f"acts/{day}/{act_id}.json"
    Landing(settings.landing_url).keep_act(path, content)
    conn.execute(
        """
        insert into ops.operator_act (
            act_id, kind, business_date, known_at, subject, reason, acted_by, landing_path, sha256,
            code_version
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            act_id, kind, day, known_at, Jsonb(subject), reason, acted_by, path, sha256,
            code_version(),
        ],
    )  # fmt: skip
    return Act(act_id, kind, known_at, reason, acted_by, path, sha256)
