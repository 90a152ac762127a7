"""Which DAG a person looks at for a group of feeds."""

from functools import cache

from chotso.orchestration.extracts import extracts


@cache
def dag_of(group: str) -> str:
    """The DAG that extracts a group; a group of an earlier version has none that is known."""
    found = {each.group: each.dag_id for each in extracts()}
    return found.get(group, f"extract_{group}")
