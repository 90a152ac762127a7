"""The register of planted faults does not rot: each can still be planted, its tests are there."""

from collections import Counter

import pytest

from tests.mutants import page
from tests.mutants.register import Fault, read_faults
from tests.repository.test_repository import ROOT

FAULTS = read_faults()
KINDS = {
    "DAGs", "command line", "dbt", "drop folder", "explain", "figures", "freeze", "ingest",
    "operations", "quarantine", "reports", "security", "verifiers", "waits",
}  # fmt: skip


def test_there_are_faults_of_every_kind() -> None:
    ids = Counter(fault.id for fault in FAULTS)
    assert [each for each, times in ids.items() if times > 1] == []
    assert len(FAULTS) >= 40
    assert {fault.kind for fault in FAULTS} == KINDS
    assert sum(fault.file.endswith(".sql") for fault in FAULTS) >= 6


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_can_be_planted(fault: Fault) -> None:
    sound = (ROOT / fault.file).read_text(encoding="utf-8")
    assert fault.planted(sound) != sound


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_what_must_notice_it_is_there(fault: Fault) -> None:
    assert fault.noticed_by
    for test in fault.noticed_by:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, test


def test_the_page_is_what_the_runs_found() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(FAULTS, page.read())
