"""The assets that the DAGs publish, partitioned by business date."""

from typing import Any

from airflow.sdk import Asset, AssetAll, AssetAny

from chotso.orchestration.extracts import extracts


def _asset(name: str, place: str, description: str, *holds: str) -> Asset:
    extra: dict[str, Any] = {"description": description, "holds": list(holds)}
    return Asset(name, uri=f"chotso://{place}", extra=extra)


# One per group of contracts, by the group.
EXTRACTED = {
    each.group: _asset(
        each.name, f"raw/{each.group}", each.title, *(f"raw.{feed}" for feed in each.feeds)
    )
    for each in extracts()
}
BUILD_REQUESTED = _asset(
    "build_requested",
    "ops/build_requested",
    "A date is published and not built",
    "ops.batch",
)
MARTS = _asset("marts", "marts", "The figures that readers see", "marts")

A_NIGHT = AssetAll(*EXTRACTED.values())
# The assets of all groups of one date, or a request by the DAG that compares Airflow with the
# ledger.
A_NIGHT_OR_REQUESTED = AssetAny(A_NIGHT, BUILD_REQUESTED)
