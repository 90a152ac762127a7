"""Names of feeds and sentences of rules, registered by `chotso migrate` for the views in `ops`."""

import psycopg

from chotso.contracts import contracts
from chotso.ingest import rules
from chotso.warehouse.registered import RegisteredRows, replace

_BETWEEN = " — "  # Vietnamese — English, as in every description


def register(conn: psycopg.Connection) -> None:
    """Write `ops.feed` and `ops.rule` as the contracts and the rule register say; as superuser."""
    replace(conn, "ops.feed", _feeds())
    replace(conn, "ops.rule", _rules())


def _feeds() -> RegisteredRows:
    rows: RegisteredRows = []
    for contract in contracts().values():
        vietnamese, _, english = contract.title.partition(_BETWEEN)
        order, kind = contract.order, contract.source.kind
        rows.append((contract.feed, vietnamese, english or vietnamese, order, kind))
    return sorted(rows)


def _rules() -> RegisteredRows:
    return sorted(
        (rule.id, rule.sentence_vi, rule.sentence_en, rule.next_action_vi, rule.next_action_en)
        for rule in rules.register()
    )
