"""Roles, owners and rights of the warehouse: recorded by an upgrade, checked, and restored.

A backup keeps rows but may lose rights on the database itself, roles of another server, and with
`--no-acl` or `--no-owner` all rights. The rights that must hold are therefore rows of
`guard.expected`.
"""

import psycopg


def write_down(conn: psycopg.Connection) -> None:
    """Record the rights as they are now, after an upgrade has granted them."""
    conn.execute("delete from guard.expected")
    conn.execute("insert into guard.expected select distinct * from guard.found_rights()")


def put_back(conn: psycopg.Connection) -> int:
    """Restore recorded rights that are missing; returns how many. None before an upgrade."""
    if not is_written_down(conn):
        return 0
    row = conn.execute("select guard.put_rights_back()").fetchone()
    return int(row[0]) if row else 0


def wrong(conn: psycopg.Connection) -> list[str]:
    """Everything that is not as recorded, as phrases.

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
    """Whether an upgrade has recorded the rights."""
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
