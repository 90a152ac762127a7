"""Which DAG a person looks at for a group of feeds."""

_OF_GROUP = {"c12": "extract_arrears", "participations": "extract_participants"}


def dag_of(group: str) -> str:
    """The DAG that extracts a group."""
    return _OF_GROUP.get(group, f"extract_{group}")
