"""Roles, owners and rights of the warehouse: written down by an upgrade, looked for, put back.

A backup keeps rows and may lose the rest: what is granted on the database itself, roles of another
server, and with `--no-acl` or `--no-owner` all of it. What must hold therefore stands in
`guard.expected`, as rows.
"""

import psycopg


def write_down(conn: psycopg.Connection) -> None:
    """Take the rights as they are for those that must hold: an upgrade has just given them."""
    conn.execute("delete from guard.expected")
    conn.execute("insert into guard.expected select distinct * from guard.found_rights()")


def put_back(conn: psycopg.Connection) -> int:
    """Put back what was written down and is missing; how much that was. None before an upgrade."""
    if not is_written_down(conn):
        return 0
    row = conn.execute("select guard.put_rights_back()").fetchone()
    return int(row[0]) if row else 0


def wrong(conn: psycopg.Connection) -> list[str]:
    """What is not as it was written down, each as a phrase.

    Raises:
        psycopg.Error: The rights to look are themselves missing.
    """
    if not is_written_down(conn):
        return []
    rows = conn.execute(
        "select kind, object_kind, object, role, word, is_missing from guard.wrong_rights() "
        "order by kind, object, role, word"
    ).fetchall()
    return [_told(*row) for row in rows]


def is_written_down(conn: psycopg.Connection) -> bool:
    """Whether an upgrade has written the rights down."""
    row = conn.execute("select pg_catalog.to_regclass('guard.expected') is not null").fetchone()
    if row != (True,):
        return False
    row = conn.execute("select exists (select from guard.expected)").fetchone()
    return row == (True,)


def _told(kind: str, object_kind: str, name: str, role: str, word: str, is_missing: bool) -> str:
    what = f"{object_kind} {name}".strip()
    if not is_missing:
        return f"everybody has {word} on the {what}"
    match kind:
        case "role":
            return f"the role {role} is missing"
        case "member":
            return f"{role} is no member of {name}"
        case "setting":
            return f"{role} lacks the setting {word}"
        case "owner":
            return f"the {what} does not belong to {role}, or is missing"
        case _:
            return f"{role} lacks {word} on the {what}"
