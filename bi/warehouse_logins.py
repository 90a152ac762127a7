"""Each Superset user reads the warehouse with a login of his own, so PostgreSQL limits the rows.

    $CHOTSO_BI_HOME/users.yml             who logs in to Superset, and the warehouse login of each
    $CHOTSO_BI_HOME/warehouse.url         postgresql://host:port/database, without a login
    $CHOTSO_BI_HOME/warehouse/<login>     that login's password, mode 600

The files are read for every connection, so a change holds at once.
"""

import os
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine.url import URL, make_url

# The session cannot write, whatever its login may do.
# UTC, because Superset takes a truncated date for an instant: in local time, days would be shifted
OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=60s -c timezone=UTC"
CONNECT_TIMEOUT_S = 10


class NoWarehouseLoginError(Exception):
    """The Superset user has no login of the warehouse, so nothing is read for him."""


def home() -> Path:
    """The folder with this installation's files."""
    return Path(os.environ["CHOTSO_BI_HOME"])


def login_of(username: str | None) -> str:
    """The warehouse login of a Superset user.

    Raises:
        NoWarehouseLoginError: No user is logged in, or `users.yml` gives this one no login.
    """
    users = yaml.safe_load((home() / "users.yml").read_text(encoding="utf-8"))
    for entry in users:
        if username is not None and entry["user"] == username and entry.get("warehouse_login"):
            return str(entry["warehouse_login"])
    raise NoWarehouseLoginError(
        f"Người dùng {username or 'chưa đăng nhập'} không có tài khoản của kho số liệu — "
        f"{username or 'nobody'} has no login of the warehouse (users.yml)."
    )


def as_the_user(
    url: URL, params: dict[str, Any], username: str | None, *_: object
) -> tuple[URL, dict[str, Any]]:
    """Superset's DB_CONNECTION_MUTATOR: the connection of the user who asks, or none.

    Args:
        url: The database's address in Superset; only its driver counts.
        params: Arguments of `create_engine`.
        username: The Superset user.

    Raises:
        NoWarehouseLoginError: This user may not read the warehouse.
    """
    login = login_of(username)
    place = make_url((home() / "warehouse.url").read_text(encoding="utf-8").strip())
    secret = (home() / "warehouse" / login).read_text(encoding="utf-8").strip()
    connect_args = {
        **params.get("connect_args", {}),
        "options": OPTIONS,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": f"superset {username}",
    }
    return (
        place.set(drivername=url.drivername, username=login, password=secret),
        {**params, "connect_args": connect_args},
    )
