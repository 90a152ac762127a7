"""Superset's folder `$CHOTSO_HOME/bi`: its secrets, its users, and what they need in PostgreSQL.

    metadata.url, secret_key    of Superset itself
    users.yml                   who logs in, made once from `bi/users.yml`
    warehouse.url               where the warehouse is
    warehouse/<login>           the password of one of its logins
    passwords.txt               the passwords in Superset

All of it is mode 600. A login or user that exists keeps its password.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError
from chotso.folder import write_private
from chotso.session import open_session
from chotso.yaml_reader import read_yaml

BI = PROJECT_ROOT / "bi"
DATABASE = "superset"


@dataclass(frozen=True)
class SupersetHome:
    """Where one local Superset keeps its state, below a chotso home."""

    folder: Path

    @classmethod
    def of(cls, chotso_home: Path) -> "SupersetHome":
        """The folder of `$CHOTSO_HOME`."""
        return cls(chotso_home.expanduser().resolve() / "bi")

    @property
    def passwords(self) -> Path:
        """The passwords in Superset, a user a line."""
        return self.folder / "passwords.txt"

    @property
    def users_file(self) -> Path:
        """Who logs in to Superset."""
        return self.folder / "users.yml"

    @property
    def run(self) -> Path:
        """Records of running processes."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """Logs of Superset's programs."""
        return self.folder / "logs"

    def last_port(self) -> list[int]:
        """The port of the last start, if there was one."""
        path = self.folder / "port"
        return [int(path.read_text(encoding="utf-8"))] if path.exists() else []

    def write(self, name: str, text: str) -> None:
        """Write a file that nobody else may read."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, text)

    def secret(self, name: str) -> str:
        """A secret of this folder, drawn at random if there is none."""
        path = self.folder / name
        if not path.exists():
            self.write(name, secrets.token_hex(24) + "\n")
        return path.read_text(encoding="utf-8").strip()


def prepare(home: SupersetHome, admin_url: str) -> bool:
    """Make Superset's database, the logins of its users, and the files that name them.

    Returns:
        Whether a warehouse login is new: `chotso migrate` then settles its limits.

    Raises:
        ChotsoError: `users.yml` names a group that the warehouse does not have.
    """
    home.folder.mkdir(parents=True, exist_ok=True)
    home.folder.chmod(0o700)
    home.secret("secret_key")
    place = urlsplit(admin_url)
    at = place.netloc.rpartition("@")[2]
    home.write("warehouse.url", f"postgresql://{at}{place.path}\n")
    own = home.secret("metadata.password")
    home.write("metadata.url", f"postgresql+psycopg2://{DATABASE}:{quote(own)}@{at}/{DATABASE}\n")
    with open_session(admin_url, autocommit=True) as connection:
        _make_login(connection, DATABASE, own)
        _make_database(connection)
        if not home.users_file.exists():
            home.write("users.yml", _first_users(connection))
        users = read_yaml(home.users_file.read_bytes())
        return settle_readers(connection, home, users)


def _make_login(connection: psycopg.Connection[Any], name: str, password: str) -> bool:
    known = connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
    if known is not None:
        return False
    # Hashed here, so that no statement, and so no log, has the password.
    hashed = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("create role {} login password {}").format(
            sql.Identifier(name), sql.Literal(hashed)
        )
    )
    return True


def _make_database(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
    if found.fetchone() is not None:
        return
    name = sql.Identifier(DATABASE)
    connection.execute(sql.SQL("create database {}").format(name))
    connection.execute(sql.SQL("alter database {} owner to {}").format(name, name))
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))


def _first_users(connection: psycopg.Connection[Any]) -> str:
    """The template with an agency that is not the province; without one while none is known."""
    template = (BI / "users.yml").read_text(encoding="utf-8")
    row = connection.execute(
        r"""
        select substr(rolname, length('chotso_reader_') + 1)
        from pg_roles where rolname like 'chotso\_reader\_%'
        order by length(rolname) desc, rolname limit 1
        """
    ).fetchone()
    if row is None:
        return template.partition("- user: coquan_")[0]
    return template.replace("{agency}", str(row[0]))


def settle_readers(connection: psycopg.Connection[Any], home: SupersetHome, users: Any) -> bool:
    """Make the warehouse logins that the users name, in exactly the product's groups listed there.

    Only groups named `chotso_…` are set. Other groups that people granted a login are left.

    Returns:
        Whether a login is new.

    Raises:
        ChotsoError: A group is not in the warehouse.
    """
    groups: dict[str, set[str]] = {}
    for user in users:
        if login := user.get("warehouse_login"):
            wanted = user.get("groups") or []
            _refuse_unknown(connection, home, user["user"], wanted)
            groups.setdefault(login, set()).update(wanted)
    made = []
    for login, names in groups.items():
        made.append(_make_login(connection, login, home.secret(f"warehouse/{login}")))
        _revoke_others(connection, login, names)
        for group in sorted(names):
            connection.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(login))
            )
    return any(made)


def _refuse_unknown(
    connection: psycopg.Connection[Any], home: SupersetHome, user: str, groups: list[str]
) -> None:
    for group in groups:
        found = connection.execute("select 1 from pg_roles where rolname = %s", [group])
        if found.fetchone() is None:
            raise ChotsoError(
                f"{home.users_file} gives {user} the group {group}, which the warehouse "
                "does not have.",
                kept="Superset, not started.",
                next_step="run `chotso migrate` if the agency is new, or correct the file.",
            )


def _revoke_others(connection: psycopg.Connection[Any], login: str, groups: set[str]) -> None:
    rows = connection.execute(
        r"""
        select group_role.rolname, grantor.rolname
        from pg_auth_members as member
        inner join pg_roles as group_role on group_role.oid = member.roleid
        inner join pg_roles as login on login.oid = member.member
        left join pg_roles as grantor on grantor.oid = member.grantor
        where login.rolname = %s
            and group_role.rolname like 'chotso\_%%' and group_role.rolname <> all(%s)
        """,
        [login, sorted(groups)],
    ).fetchall()
    for group, grantor in rows:  # from PostgreSQL 16 on, each grantor's grant stands alone
        by = sql.SQL(" granted by {}").format(sql.Identifier(grantor)) if grantor else sql.SQL("")
        connection.execute(
            sql.SQL("revoke {} from {}{} cascade").format(
                sql.Identifier(group), sql.Identifier(login), by
            )
        )
