"""The product's steps: extract, landing archive with manifest, and load with its checks."""

from bench.measured import measured
from bench.night import NOW
from chotso.calendar import local_date
from chotso.contracts import contract_of
from chotso.ingest import ledger
from chotso.ingest.extract import land
from chotso.ingest.load import load
from chotso.landing import Landing
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

FEED = "allocations"


def extract_land_load() -> str:
    """Land and load the allocation lines after the feed's position."""
    settings = load_settings()
    contract = contract_of(FEED)
    with connect(settings) as conn:
        land(settings, conn, [contract], local_date(NOW))
        (batch,) = ledger.waiting(conn, contract.group)
        load(conn, Landing(settings.landing_url), contract, batch)
    return f"landing.{batch.batch_id}"


if __name__ == "__main__":
    measured(extract_land_load)
