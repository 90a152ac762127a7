"""Database URLs: parsed by libpq, shown without secrets, and equal for every engine.

psycopg, dbt and Great Expectations parse URLs differently. A password with `#`, `/` or `$`, a
service, or a list of hosts works in one and fails in another. So libpq parses the URL, and each
engine gets the parameters.
"""

import re
from urllib.parse import quote, urlencode

import psycopg
from psycopg import pq
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from chotso.errors import ChotsoError
from chotso.masking import HIDDEN, remember
from chotso.session import open_session

_SECRETS = (
    "password",
    "sslpassword",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
)
_IN_PLACE = ("user", "password", "host", "port", "dbname")
_SECRET_KEY = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)
# Parameters in libpq's list that only describe how it resolved others.
_LEFT_OUT = ("service", "servicefile", "replication", "requirepeer", "passfile")


def parameters(url: str, name: str = "the URL") -> dict[str, str]:
    """The connection's parameters as libpq parses them, with a service's entries.

    No connection is made. Values are unquoted; parameters that are not set are left out.

    Args:
        url: `postgresql://…`, or libpq's `key=value` form.
        name: Its name in errors, e.g. the variable's name.

    Raises:
        ChotsoError: libpq cannot parse it. The text quotes no part of the URL.
    """
    try:
        found = {
            o.keyword.decode(): o.val.decode() for o in pq.Conninfo.parse(url.encode()) if o.val
        }
    except (psycopg.Error, UnicodeDecodeError) as error:
        raise _unreadable(name) from error
    if "service" in found:
        found = _of_service(url, name) | found
    for key in _SECRETS:
        remember(found.get(key))
    ports = found.get("port", "5432").split(",")
    if not all(port.isdigit() for port in ports) or "@" in found.get("dbname", ""):
        raise _unreadable(
            name
        )  # an unescaped character of the password was parsed as something else
    return {key: value for key, value in found.items() if key not in _LEFT_OUT}


def libpq_variables(found: dict[str, str]) -> dict[str, str]:
    """Connection parameters as the variables that libpq reads; those without one are left out."""
    names = {o.keyword.decode(): o.envvar for o in pq.Conninfo.get_defaults()}
    return {envvar.decode(): value for key, value in found.items() if (envvar := names.get(key))}


def _set(options: list[pq.ConninfoOption]) -> dict[str, str]:
    return {option.keyword.decode(): option.val.decode() for option in options if option.val}


def _of_service(url: str, name: str) -> dict[str, str]:
    """Entries of the service file, which libpq reads only when it connects."""
    connection = pq.PGconn.connect_start(url.encode())
    try:
        found = _set(connection.info)
    finally:
        connection.finish()
    if not {"host", "hostaddr", "dbname", "user"} & found.keys():
        raise ChotsoError(
            f"The service that {name} names is in no service file.",
            next_step="add it to the file that PGSERVICEFILE names (else ~/.pg_service.conf).",
        )
    return found


def one_host(url: str) -> dict[str, str]:
    """The parameters; of a list of hosts, only the one that a session connected to.

    Raises:
        psycopg.OperationalError: No host answers.
    """
    found = parameters(url)
    if "," not in found.get("host", "") and "," not in found.get("hostaddr", ""):
        return found
    with open_session(url) as connection:
        found |= {"host": connection.info.host, "port": str(connection.info.port)}
    found.pop("hostaddr", None)
    found.pop("target_session_attrs", None)
    found.pop("load_balance_hosts", None)
    return found


def sqlalchemy_url(found: dict[str, str], driver: str = "psycopg") -> str:
    """Parameters as a URL in which every special character is written as `%XX`."""
    user, password = (quote(found.get(key, ""), safe="") for key in ("user", "password"))
    host, port = found.get("host", ""), found.get("port", "5432")
    rest = {
        k: v for k, v in found.items() if k not in ("user", "password", "host", "port", "dbname")
    }
    if host.startswith("/") or not host:  # libpq uses a socket in this folder
        rest["host"], host = host or "/var/run/postgresql", "localhost"
    place = f"[{host}]" if ":" in host else host
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    database = quote(found.get("dbname", ""), safe="")
    return f"postgresql+{driver}://{user}:{password}@{place}:{port}/{database}{query}"


def shown(url: str) -> str:
    """The URL without secrets, for messages."""
    if not url.startswith("postgresql://"):
        return _shown_other(url)
    try:
        found = parameters(url)
    except ChotsoError:
        return "postgresql://(unreadable)"
    place = found.get("host", "") + (f":{found['port']}" if "port" in found else "")
    secret = f":{HIDDEN}" if "password" in found else ""
    return f"postgresql://{found.get('user', '')}{secret}@{place}/{found.get('dbname', '')}"


def _shown_other(url: str) -> str:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return f"{url.split('://')[0]}://(unreadable)" if "://" in url else "(unreadable)"
    remember(str(parsed.password or ""))
    query = {k: HIDDEN if _SECRET_KEY.search(k) else v for k, v in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True)


def _unreadable(name: str) -> ChotsoError:
    return ChotsoError(
        f"{name} is no URL that PostgreSQL's own library can read.",
        kept="nothing was read or written.",
        next_step="write it as postgresql://user:password@host:port/database, with every sign of "
        "the password but letters and digits as %XX (`/` is %2F, `#` %23, `@` %40, `%` %25).",
    )
