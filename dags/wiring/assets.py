"""The assets that the DAGs publish, partitioned by business date."""

from airflow.sdk import Asset, AssetAll, AssetAny

REGISTERS = Asset("registers", uri="chotso://raw/registers")
CONTRIBUTIONS = Asset("contributions", uri="chotso://raw/contributions")
ARREARS = Asset("arrears", uri="chotso://raw/c12")
PARTICIPANTS = Asset("participants", uri="chotso://raw/participations")
PLANS = Asset("plans", uri="chotso://raw/plans")
BUILD_REQUESTED = Asset("build_requested", uri="chotso://ops/build_requested")
MARTS = Asset("marts", uri="chotso://marts")

A_NIGHT = AssetAll(REGISTERS, CONTRIBUTIONS, ARREARS, PARTICIPANTS, PLANS)
# All five assets of one date, or a request by the DAG that compares Airflow with the ledger.
A_NIGHT_OR_REQUESTED = AssetAny(A_NIGHT, BUILD_REQUESTED)
