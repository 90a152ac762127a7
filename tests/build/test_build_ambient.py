"""A build is whole whatever the operator's shell holds."""

from collections.abc import Iterator

import pytest

from chotso.build import run_build, runner
from chotso.errors import ChotsoError
from tests.worlds.build_warehouse import Servers, Warehouse, warehouse_of_one_payment

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse_of_one_payment(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.mark.parametrize("kind", ["model", "test"])
def test_a_shell_s_variables_leave_nothing_out(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    whole = run_build(warehouse.settings)
    monkeypatch.setenv("DBT_RESOURCE_TYPES", kind)
    monkeypatch.setenv("DBT_EMPTY", "true")
    again = run_build(warehouse.settings)
    assert (again.models, again.tests) == (whole.models, whole.tests)
    assert warehouse.rows("select sum(principal_vnd) from marts.fct_contribution") == [(10,)]


def test_a_build_with_fewer_models_or_tests_is_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = warehouse.rows("select generation from ops.exposed")
    monkeypatch.setattr(runner, "scrub", list)  # whatever else may leave something out
    monkeypatch.setenv("DBT_RESOURCE_TYPES", "model")
    with pytest.raises(ChotsoError, match=r"left out [1-9]"):
        run_build(warehouse.settings)
    assert warehouse.rows("select generation from ops.exposed") == shown
