"""What a shell, a console or a folder's name holds decides nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chotso import calendar
from chotso.ambient import scrub
from chotso.cli.console import OUTPUT
from chotso.landing import Landing

SLIPS = ["20211231", "2021-W52-5", "2021-365", "2021-12-31 ", "2021-12-3", "٢٠٢١-١٢-٣١", ""]


def test_variables_that_change_a_result_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {  # of dbt, libpq and Great Expectations
        "DBT_RESOURCE_TYPES": "model", "DBT_EMPTY": "1", "DBT_TARGET_PATH": "/x",
        "PGHOSTADDR": "::1",
        "PGOPTIONS": "-c search_path=evil", "PGTZ": "UTC+7", "GX_HOME": "/x", "PGSERVICE": "other",
    }  # fmt: skip
    kept = {"PGPASSFILE": "/p", "PGSSLROOTCERT": "/c", "PGSSLMODE": "verify-full", "CHOTSO_X": "1"}
    for name, value in (bad | kept).items():
        monkeypatch.setenv(name, value)
    assert set(bad) <= set(scrub())
    assert not set(bad) & set(os.environ)
    assert set(kept) <= set(os.environ)
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


@pytest.mark.parametrize("encoding", ["ascii", "cp1258", "latin-1", "utf-8"])
def test_no_console_ends_a_command(encoding: str) -> None:
    program = (
        "from chotso.ambient import print_anything; print_anything(); "
        "from chotso.cli.console import OUTPUT, ERRORS; "
        "text = 'nợ đọng \\ufeff \\U0001f4a9 [x] ─'; OUTPUT.print(text); ERRORS.print(text)"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"[x]" in done.stdout, "no markup is read in it"
    twin = subprocess.run(
        [sys.executable, "-c", program.replace("print_anything(); ", "", 1)],
        env={**environment, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False,
    )  # fmt: skip
    assert twin.returncode != 0, "without it the first diacritic ends the command"


@pytest.mark.parametrize("slip", SLIPS)
def test_only_one_form_of_a_date_is_taken(slip: str) -> None:
    with pytest.raises(ValueError, match="is not YYYY-MM-DD"):
        calendar.parse_date(slip)
    if slip and not slip.startswith("2021-12-3"):
        with pytest.raises(ValueError, match="YYYY-MM-DD"):
            calendar.parse_instant(slip)


def test_markup_is_never_read() -> None:
    with OUTPUT.capture() as captured:
        OUTPUT.print("/home/[red]/[1] of 07201")
    assert captured.get() == "/home/[red]/[1] of 07201\n"


@pytest.mark.parametrize("name", ["a [1]", "b *?", "c #%20", "d {x,y}", "e !$&'"])
def test_an_archive_is_found_whatever_its_folder_is_called(name: str, tmp_path: Path) -> None:
    landing = Landing(str(tmp_path / name))
    assert list(landing.manifests()) == []
    assert landing.act("one") is None
    landing.write_manifest("c12/2021-12-31/b1", {"feed": "c12"})
    landing.keep_act("acts/2021-12/one.json", b"{}")
    assert list(landing.manifests()) == [("c12/2021-12-31/b1", {"feed": "c12"})]
    assert landing.act("one") == b"{}"
