"""The comparison lets nothing through: wrong, missing, doubled, too many, or a float."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.compare import differences

MONTH = date(2021, 12, 1)
RIGHT: dict[str, Any] = {"code": "072", "month": MONTH, "actual": Decimal("1.5"), "is_met": True}
EXPECTED = {("072", MONTH): RIGHT}
KEY = ("code", "month")


def test_equal_figures_have_no_difference() -> None:
    assert differences([RIGHT | {"actual": Decimal("1.500"), "more": 1}], EXPECTED, KEY) == []


@pytest.mark.parametrize(
    "found",
    [
        [RIGHT | {"actual": 1.5}],
        [RIGHT | {"actual": None}],
        [RIGHT | {"is_met": 1}],
        [RIGHT | {"is_met": None}],
        [RIGHT | {"code": "07200"}, RIGHT],
        [RIGHT, RIGHT],
        [],
    ],
)
def test_every_kind_of_difference_is_said(found: list[dict[str, Any]]) -> None:
    assert len(differences(found, EXPECTED, KEY)) == 1
