"""Migrated, empty databases: each is a copy of one template per server."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chotso.migrate import migrate
from chotso.settings import Settings

_TEMPLATE = "migrated"
_COPIED_ON: dict[str, bool] = {}  # by host and port: whether the template exists

# Settings of the database, or of roles in it, which `migrate` makes and a copy does not have.
_RIGHTS = """
grant connect, temporary on database {0} to chotso_loader;
grant create on database {0} to chotso_keeper;
select guard.settle_logins()
"""


def copies_on(admin_url: str) -> None:
    """Allow copies on a server, which must not outlive this process."""
    _COPIED_ON[_place(admin_url)] = False


def make_migrated(settings: Settings) -> None:
    """Make the database of a warehouse and migrate it, or copy the template if allowed."""
    assert settings.admin_url is not None
    admin_url, place = settings.admin_url, _place(settings.admin_url)
    name = _database(admin_url)
    if place not in _COPIED_ON:
        _run(admin_url, sql.SQL("create database {}").format(name))
        migrate(settings)
        return
    if not _COPIED_ON[place]:
        _make_template(settings)
        _COPIED_ON[place] = True
    # this server has no fsync, so copying files is faster than logging the copy
    _run(
        admin_url,
        sql.SQL("create database {} template {} strategy file_copy").format(
            name, sql.Identifier(_TEMPLATE)
        ),
    )
    with psycopg.connect(admin_url) as conn:
        conn.execute(sql.SQL(_RIGHTS).format(name))


def _make_template(settings: Settings) -> None:
    assert settings.admin_url is not None
    of_template = {
        "admin_url": _on(settings.admin_url, _TEMPLATE),
        "warehouse_url": _on(settings.warehouse_url, _TEMPLATE),
    }
    _run(settings.admin_url, sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
    migrate(settings.model_copy(update=of_template))


def _run(admin_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(_on(admin_url, "postgres"), autocommit=True) as conn:
        conn.execute(statement)


def _place(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _database(url: str) -> sql.Identifier:
    return sql.Identifier(urlsplit(url).path.lstrip("/"))


def _on(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
