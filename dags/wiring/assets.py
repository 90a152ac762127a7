"""The assets that the DAGs publish, partitioned by business date."""

from airflow.sdk import Asset, AssetAll, AssetAny

from chotso.orchestration.extracts import extracts


def _asset(name: str, place: str, description: str) -> Asset:
    return Asset(name, uri=f"chotso://{place}", extra={"description": description})


# One per group of contracts, by the group.
EXTRACTED = {
    each.group: _asset(
        each.name,
        f"raw/{each.group}",
        f"{each.title}: {', '.join(f'raw.{feed}' for feed in each.feeds)} of a business date, "
        "published and proven.",
    )
    for each in extracts()
}
BUILD_REQUESTED = _asset(
    "build_requested",
    "ops/build_requested",
    "The ledger shows a business date as published and not built, and no asset event asked.",
)
MARTS = _asset("marts", "marts", "The figures that readers see, built and tested.")

A_NIGHT = AssetAll(*EXTRACTED.values())
# The assets of all groups of one date, or a request by the DAG that compares Airflow with the
# ledger.
A_NIGHT_OR_REQUESTED = AssetAny(A_NIGHT, BUILD_REQUESTED)
