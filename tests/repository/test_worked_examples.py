"""The worked differences of docs/maintaining.md, applied to a copy and tried as on a first day."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import pytest

from chotso import PROJECT_ROOT
from chotso.settings import Settings
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.own_server import own_server
from tests.worlds.quarantine_world import QuarantineWorld, quarantine_world
from tests.worlds.worked_examples import block, make_points

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

# What the scratch schema of `chotso dbt` then has.
SHOWN: dict[str, tuple[LiteralString, list[tuple[Any, ...]]]] = {
    "A new metric": (
        "select agency_code, actual_month, plan_status_code "
        "from scratch_dbt.fct_monthly_attainment "
        "where metric_code = 'collection_accident' and month = '2021-12-01' order by agency_code",
        [("072", 30, "none"), ("07201", 30, "none")],
    ),
    "A new mart column": (
        "select employer_code, is_monthly_payer from scratch_dbt.dim_employer",
        [("TA0001A", True)],
    ),
}
EXAMPLES = ["A new rule", "A new metric", "A new mart column"]
POINTS = [
    ("D1", 1, "Điểm một", "07201", 10),
    ("D1", 2, "Điểm một", "07201", None),
    ("D2", 1, "Điểm hai", "07202", -(10**15) - 1),
    ("D3", 1, "Điểm ba", "07299", 3),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    for name in filter(None, listed):
        if (source := PROJECT_ROOT / name).is_file():
            target = tmp_path / "checkout" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return tmp_path / "checkout"


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """What `make up` leaves running, with a first night."""
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        with made.world() as world:
            world.batch("2022-01-01", "2022-01-02T01:00")
            world.agency("072", parent=None, level=1)
            world.agency("07201")
            world.employer("TA0001A")
            world.payment("CT1", "2021-12-05T10:00", ("TNLD", 30, 0), ("BHYT", 9, 0))
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Iterator[QuarantineWorld]:
    """A warehouse with its registers, and a source with a table that no contract names yet."""
    # `migrate` settles the logins of the whole server
    with own_server() as (server, _), quarantine_world(server, "worked", tmp_path) as made:
        made.extract("registers")
        make_points(made.warehouse.source_admin_url, POINTS)
        yield made


def applied(difference: str, checkout: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "--unsafe-paths", "--whitespace=error-all", "-"],
        cwd=checkout, input=difference, capture_output=True, text=True, check=False,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(checkout.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def typed(command: str, checkout: Path, settings: Settings) -> str:
    """The command as a shell in the checkout runs it, with `.venv/bin` in its path."""
    others = {n: v for n, v in os.environ.items() if not n.startswith(("CHOTSO_", "PYTEST_"))}
    done = subprocess.run(
        command, shell=True, cwd=checkout, capture_output=True, text=True, check=False, timeout=600,
        env=others | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(checkout),
            "CHOTSO_HOME": str(settings.home),
            "CHOTSO_WAREHOUSE_URL": settings.warehouse_url,
            "CHOTSO_ADMIN_URL": str(settings.admin_url),
            "CHOTSO_SOURCE_URL": settings.source_url,
            "CHOTSO_DROP_URL": settings.drop_url,
            "CHOTSO_PSEUDONYM_KEY_FILE": str(settings.pseudonym_key_file),
        },
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("heading", EXAMPLES)
def test_the_difference_applies_and_what_is_said_to_be_run_passes(
    heading: str, checkout: Path, warehouse: Warehouse
) -> None:
    applied(block(heading, "diff"), checkout)
    for command in block(heading, "sh").splitlines():
        typed(command, checkout, warehouse.settings)
        if command.startswith("chotso dbt build"):
            shown, expected = SHOWN[heading]
            assert warehouse.rows(shown) == expected


def test_a_feed_is_added_as_the_page_says(checkout: Path, source: QuarantineWorld) -> None:
    """From the contract to rows that dbt has read, without a line of Python."""
    applied(block("A new feed", "diff"), checkout)
    for command in block("A new feed", "sh").splitlines():
        typed(command, checkout, source.settings)
    built = source.rows("select * from scratch_dbt.stg_points order by point_code, desk_number")
    assert [(row["point_code"], row["desk_number"], row["amount_vnd"]) for row in built] == [
        ("D1", 1, 10),
        ("D1", 2, None),
    ]
    aside = sorted((row.rule_id, int(row.money)) for row in source.aside("points"))
    assert aside == [("points.agency_known", 3), ("points.amounts_in_range", -(10**15) - 1)]


def test_a_difference_that_says_half_would_be_found(checkout: Path, warehouse: Warehouse) -> None:
    """The twin that must fail: a rule without its SQL file."""
    half = block("A new rule", "diff").split("--- a/expectations/register.yml", 1)[1]
    applied(f"--- a/expectations/register.yml{half}", checkout)
    with pytest.raises(AssertionError, match=r"officers\.code_well_formed has no SQL file"):
        typed(block("A new rule", "sh").splitlines()[0], checkout, warehouse.settings)
