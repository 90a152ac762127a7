"""A superuser who forges data: no right, trigger or event trigger stops them."""

import psycopg

from chotso.settings import Settings

_TRIGGERS = """
    update pg_trigger set tgenabled = %s
    where tgrelid in (
        select oid from pg_class
        where relnamespace in ('frozen'::regnamespace, 'rehearsal'::regnamespace)
    )
"""
_EVENT_TRIGGERS = "update pg_event_trigger set evtenabled = %s"


def forge(settings: Settings, *statements: str) -> None:
    """Run statements on the frozen schemas while all triggers are disabled."""
    assert settings.admin_url is not None
    with psycopg.connect(settings.admin_url, autocommit=True) as conn:
        enabled = conn.execute("select oid, tgenabled from pg_trigger").fetchall()
        events = conn.execute("select oid, evtenabled from pg_event_trigger").fetchall()
        conn.execute(_TRIGGERS, ["D"])
        conn.execute(_EVENT_TRIGGERS, ["D"])
        try:
            # a new session reads the catalog again
            with psycopg.connect(settings.admin_url) as forger:
                for statement in statements:
                    forger.execute(statement.encode())
        finally:
            for oid, state in enabled:
                conn.execute("update pg_trigger set tgenabled = %s where oid = %s", [state, oid])
            for oid, state in events:
                conn.execute(
                    "update pg_event_trigger set evtenabled = %s where oid = %s", [state, oid]
                )
