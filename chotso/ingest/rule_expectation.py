"""A rule as an expectation of Great Expectations: rows that break it are counted, not fetched.

It is imported only where batches are judged, because it imports Great Expectations.
"""

from typing import Any, ClassVar

from great_expectations.expectations.core.unexpected_rows_expectation import (
    UnexpectedRowsExpectation,
)

_COUNT = "unexpected_rows_query.row_count"


class ExpectNoRowToBreakRule(UnexpectedRowsExpectation):
    """No row breaks the rule.

    `UnexpectedRowsExpectation` runs the query twice: for the rows, and for their number. Only the
    number is needed.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (_COUNT,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        failed = metrics[_COUNT]
        return {"success": failed == 0, "result": {"observed_value": failed}}
