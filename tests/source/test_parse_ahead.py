"""Many files parsed in processes of their own: the same rows and errors, in the same order."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from chotso.errors import BusyError
from chotso.source import parse_ahead
from chotso.source.drop_folder import Delivery, DropFolder, RefusedDeliveryError
from chotso.source.parse_ahead import MUCH, in_order
from tests.source.test_c12_files import C12, PATTERN, account, text_file

FILES, BROKEN = 28, 5


@pytest.fixture
def deliveries(tmp_path: Path) -> list[Delivery]:
    """Files of one account each, of which one is no file of ours."""
    drop, scratch = tmp_path / "drop", tmp_path / "scratch"
    drop.mkdir()
    scratch.mkdir()
    made = text_file(drop, [account("TZ0001Z")], ",", "utf-8")
    for number in range(FILES):
        text = made.read_text("utf-8").replace("TZ0001Z", f"TZ{number:04}Z")
        name = f"C12_202112_20211231T16{number:02}00_07201.csv"
        (drop / name).write_text("nothing of ours" if number == BROKEN else text, "utf-8")
    made.unlink()
    folder = DropFolder(str(drop))
    return [folder.fetch(name, PATTERN, scratch) for name in folder.names(PATTERN)]


def outcome(parsed: parse_ahead.ParsedDelivery) -> object:
    try:
        return parsed[1]().rows.to_pylist()
    except RefusedDeliveryError as error:
        return str(error)


def test_rows_and_refusals_are_those_of_one_process(deliveries: list[Delivery]) -> None:
    aside = [outcome(each) for each in in_order(C12, deliveries, MUCH)]
    alone = [outcome(each) for each in in_order(C12, deliveries, MUCH - 1)]
    assert aside == alone
    assert [isinstance(each, str) for each in aside] == [
        number == BROKEN for number in range(len(deliveries))
    ]


def test_little_starts_no_process(
    deliveries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse_ahead, "ProcessPoolExecutor", None)
    assert len(list(in_order(C12, deliveries, MUCH - 1))) == FILES


def test_what_a_killed_process_had_is_parsed_here(
    deliveries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> object:
        raise BrokenProcessPool

    monkeypatch.setattr(ProcessPoolExecutor, "submit", killed)
    assert len([outcome(each) for each in in_order(C12, deliveries, MUCH)]) == len(deliveries)


def test_an_error_stays_what_it_was_on_its_way_between_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(BusyError("It is busy.", kept="all.", next_step="wait.")))
    assert type(error) is BusyError
    assert str(error) == "It is busy.\nKept: all.\nNext: wait."


_PARENT = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from chotso.source.parse_ahead import _end_with_parent
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_no_process_outlives_the_one_that_started_it(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT, "utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        os.kill(parent.pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while Path(f"/proc/{child}").exists() and time.monotonic() < until:
            time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
