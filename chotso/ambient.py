"""Removes environment variables that must not decide results: those of dbt, libpq and others.

These programs take settings from the environment that change a result silently.
`DBT_RESOURCE_TYPES=model` builds without tests; `PGHOSTADDR` reads another server. We set what we
need where it is used, and remove the rest from this process at the start. Passwords, service files
and TLS settings (`PGSSL…`) are kept.
"""

import os
import sys

_PREFIXES = ("DBT_", "GX_", "GE_", "GREAT_EXPECTATIONS_")
# libpq's variables that decide where a session connects, and how it reads and writes values.
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
    """Print characters that the console cannot show as escapes, so that no command fails."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
