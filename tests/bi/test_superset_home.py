"""What `users.yml` says of a login holds in PostgreSQL, also when it says less than before."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.local.superset_home import SupersetHome, settle_readers
from chotso.sandbox.server import SandboxServer

pytestmark = [pytest.mark.warehouse]

LOGIN = "bi_narrowed"
WIDE, OWN, PEOPLES, GIVER = "chotso_bi_wide", "chotso_bi_own", "office_bi", "bi_giver"


@pytest.fixture
def admin(running: SandboxServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(running.admin_url, autocommit=True) as connection:
        roles = (WIDE, OWN, PEOPLES, GIVER)
        for role in roles:
            connection.execute(f"create role {role}".encode())
        try:
            yield connection
        finally:
            for role in (LOGIN, *roles):
                connection.execute(f"drop owned by {role}".encode())
                connection.execute(f"drop role {role}".encode())


def groups(admin: psycopg.Connection) -> set[str]:
    rows = admin.execute(
        "select roleid::regrole::text from pg_auth_members where member = %s::regrole", [LOGIN]
    )
    return {name for (name,) in rows}


def test_a_login_has_the_groups_of_the_file_and_no_other(
    admin: psycopg.Connection, tmp_path: Path
) -> None:
    home = SupersetHome(tmp_path)

    def settle(*given: list[str]) -> bool:
        users = [
            {"user": f"u{place}", "warehouse_login": LOGIN, "groups": names}
            for place, names in enumerate(given)
        ]
        return settle_readers(admin, home, [{"user": "admin"}, *users])

    assert settle([WIDE])
    assert groups(admin) == {WIDE}
    password = (tmp_path / "warehouse" / LOGIN).read_text("utf-8")
    admin.execute(f"grant {PEOPLES} to {LOGIN}".encode())
    admin.execute(f"grant {WIDE} to {GIVER} with admin option".encode())
    admin.execute(f"grant {WIDE} to {LOGIN} granted by {GIVER}".encode())
    assert not settle([OWN])
    assert groups(admin) == {OWN, PEOPLES}
    assert (tmp_path / "warehouse" / LOGIN).read_text("utf-8") == password
    settle([OWN], [WIDE])
    assert groups(admin) == {OWN, WIDE, PEOPLES}, "two users of one login"
    with pytest.raises(ChotsoError, match="the group chotso_bi_none"):
        settle([OWN, "chotso_bi_none"])
    settle([])
    assert groups(admin) == {PEOPLES}
