"""What the operator's shell holds and must not decide: variables of dbt, libpq and the rest.

Each of these programs takes settings from the environment that change a result without a word:
`DBT_RESOURCE_TYPES=model` builds without tests, `PGHOSTADDR` reads another server. What we rely on
is set where it is used; what is left of theirs is removed from this process before anything is
read. Who trusts whom stays as it is: passwords, service files and TLS (`PGSSL…`) are kept.
"""

import os
import sys

_PREFIXES = ("DBT_", "GX_", "GE_", "GREAT_EXPECTATIONS_")
# Of libpq's variables, those that say where a session goes and how it reads and writes values.
_LIBPQ = (
    "PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGSERVICE PGOPTIONS PGAPPNAME PGCLIENTENCODING "
    "PGDATESTYLE PGTZ PGGEQO PGTARGETSESSIONATTRS PGLOADBALANCEHOSTS PGCONNECT_TIMEOUT "
    "PGSYSCONFDIR PGLOCALEDIR"
).split()


def scrub() -> list[str]:
    """Remove such variables from this process and what it starts; returns their names."""
    found = [
        name
        for name in os.environ
        if (name.startswith(_PREFIXES) and name != "GX_ANALYTICS_ENABLED") or name in _LIBPQ
    ]
    for name in found:
        del os.environ[name]
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ["DO_NOT_TRACK"] = "1"
    return sorted(found)


def print_anything() -> None:
    """Let no character end a command: what the console cannot show is printed as its escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
