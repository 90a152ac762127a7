"""The product's rules over a loaded batch: all of the feed's, with the rows that break them."""

from bench.measured import measured
from bench.product import FEED
from chotso import libraries
from chotso.contracts import contract_of
from chotso.ingest import ledger
from chotso.ingest.validate import validate
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

_NAMES = {
    "allocations.required_present": "required",
    "allocations.key_unique_or_identical": "key_unique",
    "allocations.fund_known": "fund",
    "allocations.month_is_first_day": "first_day",
    "allocations.month_in_range": "month",
    "allocations.amounts_in_range": "money",
    "allocations.document_known": "document_known",
    "allocations.lines_within_document": "document",
}


def judge() -> dict[str, int]:
    """Rows that break each rule."""
    settings, contract = load_settings(), contract_of(FEED)
    with connect(settings) as conn:
        (batch,) = ledger.waiting(conn, contract.group)
        results = validate(settings, conn, contract, batch)
    return {
        _NAMES[found.rule.id]: found.rows_failed for found in results if found.rule.id in _NAMES
    }


if __name__ == "__main__":
    libraries.imported(libraries.GREAT_EXPECTATIONS)
    import chotso.ingest.rule_expectation  # noqa: F401 - its imports are no work either

    measured(judge)
