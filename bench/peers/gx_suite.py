"""Great Expectations as its documentation sets it up: a table asset, a batch, a suite."""

import great_expectations as gx
from great_expectations import expectations as gxe

from bench.lines import SCHEMA, target_url
from bench.measured import measured
from bench.six_rules import FIRST_MONTH, FUNDS, KEY, LAST_MONTH, MOST_MONEY, REQUIRED

_MONEY = ("tien_goc", "tien_lai")
_NOT_THE_FIRST = "select * from {batch} where extract(day from thang) <> 1"


def validate() -> dict[str, int]:
    """Rows that break each rule."""
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_postgres(
        "bench", connection_string=target_url().replace("://", "+psycopg2://", 1)
    )
    asset = source.add_table_asset("lines", table_name="lines", schema_name=SCHEMA)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    outcome = batch.validate(_suite())
    counts: dict[str, int] = {}
    for found in outcome.results:
        assert found.expectation_config is not None
        rule = found.expectation_config.meta["rule"]
        broken = found.result.get("unexpected_count")
        counts[rule] = counts.get(rule, 0) + int(
            found.result["observed_value"] if broken is None else broken
        )
    return counts


def _suite() -> gx.ExpectationSuite:
    required = [
        gxe.ExpectColumnValuesToNotBeNull(column=name, meta={"rule": "required"})
        for name in REQUIRED
    ]
    money = [
        gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=-MOST_MONEY, max_value=MOST_MONEY, meta={"rule": "money"}
        )
        for name in _MONEY
    ]
    others = [
        gxe.ExpectCompoundColumnsToBeUnique(column_list=list(KEY), meta={"rule": "key_unique"}),
        gxe.ExpectColumnValuesToBeInSet(column="quy", value_set=list(FUNDS), meta={"rule": "fund"}),
        gxe.UnexpectedRowsExpectation(
            unexpected_rows_query=_NOT_THE_FIRST, meta={"rule": "first_day"}
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="thang", min_value=FIRST_MONTH, max_value=LAST_MONTH, meta={"rule": "month"}
        ),
    ]
    return gx.ExpectationSuite(name="lines", expectations=[*required, *money, *others])


if __name__ == "__main__":
    measured(validate)
