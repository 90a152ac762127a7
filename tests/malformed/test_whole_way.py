"""Every class of malformed row and file through the drop folder into a real warehouse.

Nothing crashes, nothing is dropped in silence, `accepted + quarantined = delivered` in rows and
đồng, and each row and file ends where its class says, for the reason that its class says.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from tests.malformed.case import Case
from tests.malformed.desk import Delivered, Desk
from tests.malformed.files_read import READ
from tests.malformed.files_refused import REFUSED
from tests.malformed.rows import ANYWHERE, DELIMITED, WORKBOOK
from tests.malformed.warehouse import (
    NIGHT,
    Ended,
    empty_warehouse,
    ended,
    misjudged,
    strangers,
)
from tests.proofs import record, size

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(1800)]

OF_EACH_ROW_CLASS = size(2, 60)
PARTS = size(8, 64)
ROWS_A_FILE = 500


@dataclass(frozen=True)
class Sent:
    """What was delivered, and what the warehouse says of it."""

    made: list[Delivered]
    told: Ended


@pytest.fixture(scope="module")
def sent(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("malformed")
    with empty_warehouse(running, folder) as warehouse:
        desk = Desk(warehouse.drop, seed=31, steps=PARTS)
        made = [*packed_rows(desk, "book"), *packed_rows(desk, "text")]
        made += [each for make in (READ | REFUSED).values() for each in make(desk)]
        extract_group(warehouse.settings, "c12", NIGHT)
        yield Sent(made, ended(warehouse.admin_url))


def packed_rows(desk: Desk, form: str) -> list[Delivered]:
    """All classes of rows, each several times, in files of some hundred rows."""
    classes = ANYWHERE | (WORKBOOK if form == "book" else DELIMITED)
    groups = [make(desk.maker) for make in classes.values() for _ in range(OF_EACH_ROW_CLASS)]
    desk.maker.rng.shuffle(groups)
    files: list[list[Case]] = [[]]
    for group in groups:
        if len(files[-1]) >= ROWS_A_FILE:
            files.append([])
        files[-1] += group
    deliver = desk.book if form == "book" else desk.lines
    return [deliver(f"rows as {form}", cases) for cases in files]


def test_every_case_ends_where_it_must(sent: Sent) -> None:
    wrong = [told for each in sent.made for told in misjudged(each, sent.told)]
    assert not wrong, "\n".join(wrong[:50])
    assert not strangers(sent.made, sent.told)


def test_no_case_crashed(sent: Sent) -> None:
    statuses = Counter(batch["status"] for batch in sent.told.batches.values())
    assert set(statuses) == {"published", "refused"}
    assert sum(statuses.values()) == len(sent.made)


def test_the_cases_are_as_many_as_promised(sent: Sent) -> None:
    rows = [case for each in sent.made for case in each.cases if each.kind.startswith("rows")]
    kinds = {case.kind for case in rows} | set(READ | REFUSED)
    cases = len(rows) + sum(not each.kind.startswith("rows") for each in sent.made)
    assert len(kinds) >= 100
    assert cases >= size(350, 10_000)
    batches = sent.told.batches.values()
    published = [batch for batch in batches if batch["status"] == "published"]
    record(
        "malformed input: files and their rows",
        cases=cases,
        classes=len(kinds),
        files_delivered=len(sent.made),
        files_refused=len(sent.told.batches) - len(published),
        rows_delivered=sum(batch["rows_delivered"] for batch in published),
        rows_accepted=sum(batch["rows_accepted"] for batch in published),
        rows_set_aside=sum(batch["rows_quarantined"] for batch in published),
        crashes=0,
        dropped_in_silence=0,
    )
