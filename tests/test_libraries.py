"""Libraries are imported in time, and lack nothing that they are asked for."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chotso import libraries

PARTS = {
    "seldom_used": "VALUE = 41",
    "thick_library": "import seldom_used\n\ndef value():\n    return seldom_used.VALUE + 1\n",
    "library_that_fails": "import a_library_that_is_not_installed",
    "slow_library": "import time\ntime.sleep(0.3)\nVALUE = 'whole'\n",
}


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in PARTS.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(libraries, "_HARDLY_USED", ("seldom_used",))


def test_what_is_hardly_used_is_imported_when_it_is_used() -> None:
    library: Any = libraries.imported("thick_library")
    assert "seldom_used" not in sys.modules, "nothing stands in for it any more"

    assert library.value() == 42
    assert type(import_module("seldom_used")) is ModuleType, "others get the module itself"
    assert library.value() == 42


def test_a_library_that_was_there_is_left_as_it_is() -> None:
    libraries.imported("seldom_used")
    library: Any = libraries.imported("thick_library")
    assert library.seldom_used is sys.modules["seldom_used"]


def test_whoever_uses_a_library_meanwhile_gets_it_whole() -> None:
    with libraries.imported_meanwhile("library_that_fails", "slow_library", "thick_library"):
        library: Any = libraries.imported("slow_library")
        assert library.VALUE == "whole"
    assert "thick_library" in sys.modules, "after the block all are there"
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_installed"):
        libraries.imported("library_that_fails")


def test_an_error_of_the_block_is_told() -> None:
    with pytest.raises(KeyError), libraries.imported_meanwhile("slow_library"):
        raise KeyError
    assert "slow_library" in sys.modules


@pytest.mark.lengthy
def test_great_expectations_lacks_nothing_that_it_is_asked_for() -> None:
    program = """
import sys
from chotso import libraries
gx = libraries.imported(libraries.GREAT_EXPECTATIONS)
unused = {"scipy.stats", "scipy.stats._stats_py", "altair", "altair.vegalite"} & set(sys.modules)
from great_expectations.expectations.core import (
    expect_column_kl_divergence_to_be_less_than as asked)
print(sorted(unused), asked.stats.entropy([0.5, 0.5], [0.5, 0.5]), asked.alt.Chart.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "0.0", "Chart"], done.stderr
