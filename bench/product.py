"""The product's steps: extract, landing archive with manifest, and load with its checks."""

from bench.measured import measured
from bench.night import NOW
from chotso.calendar import local_date
from chotso.contracts import contract_of
from chotso.ingest import ledger
from chotso.ingest.extract import land
from chotso.ingest.load import drop_tables, load
from chotso.landing import Landing
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

FEED = "allocations"


def extract_land_load() -> int:
    """Land and load the allocation lines after the feed's position; returns the number of rows.

    Afterwards the batch's tables are dropped and the batch is marked as failed, so that it can be
    measured again. This is part of the measured time, as the floor's cleaning is.
    """
    settings = load_settings()
    contract = contract_of(FEED)
    landing = Landing(settings.landing_url)
    rows = 0
    with connect(settings) as conn:
        land(settings, conn, [contract], local_date(NOW))
        for batch in ledger.waiting(conn, contract.group):
            load(conn, landing, contract, batch)
            rows += batch.landed.data.rows
            drop_tables(conn, batch.batch_id)
            ledger.stop(conn, batch.batch_id, "failed", "a measurement")
    return rows


if __name__ == "__main__":
    measured(extract_land_load)
