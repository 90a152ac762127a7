"""Which DAGs a person looks at for a group of feeds, or for all that read a place."""

from functools import cache
from typing import Literal

from chotso.contracts import contracts
from chotso.orchestration.extracts import extracts


def extract_dags(source: Literal["table", "file"] | None = None) -> str:
    """The DAGs of the extracts that read such a source, in their order, as text; by default all."""
    kinds = {each.feed: each.source.kind for each in contracts().values()}
    named = [
        f"`{each.dag_id}`"
        for each in extracts()
        if source is None or source in {kinds[feed] for feed in each.feeds}
    ]
    return ", ".join(named)


@cache
def dag_of(group: str) -> str:
    """The DAG that extracts a group; a group of an earlier version has none that is known."""
    found = {each.group: each.dag_id for each in extracts()}
    return found.get(group, f"extract_{group}")
