"""The same figures give the same root wherever, and by whomever, the release is made."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from tests.worlds import freeze_world as world
from tests.worlds.product import product

pytestmark = [pytest.mark.long, pytest.mark.warehouse]

PROGRAM = """
import os, sys
os.umask(int(sys.argv[2], 8))
from chotso.settings import Settings
from tests.worlds import freeze_world as w
{naive}
settings = Settings.model_validate_json(sys.argv[1])
print(w.freeze(settings, w.PERIODS[0], parts=w.PARTS).root_sha256)
"""
# What a careless writer does: lets the machine's clock and folder into a file under the root.
NAIVE = """
import time
from pathlib import Path
from chotso.release.bundle import papers
honest = papers.add_reports
def add_reports(folder, manifest):
    honest(folder, manifest)
    with (folder / "report.pdf").open("a") as paper:  # of papers the seal knows no other form
        paper.write(time.strftime("%H:%M %Z") + str(folder))
papers.add_reports = add_reports
"""


@dataclass(frozen=True)
class Place:
    """Where a release is made: the process's environment, and what the database defaults to."""

    environment: dict[str, str] = field(default_factory=dict)
    database: dict[str, str] = field(default_factory=dict)
    umask: str = "022"
    folder: str = "releases"


PLACES = {
    "utc": Place({"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}),
    "far east": Place(
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"},
        {"timezone": "America/St_Johns", "datestyle": "German"},
    ),
    "ascii": Place(
        {"TZ": "Asia/Ho_Chi_Minh", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "99"},
        {"datestyle": "SQL, DMY", "extra_float_digits": "-15", "bytea_output": "escape"},
        umask="077",
    ),
    "another folder": Place(
        {"TZ": "America/New_York", "LANG": "vi_VN.UTF-8", "HOME": "/nonexistent"},
        {"intervalstyle": "sql_standard", "client_encoding": "latin1"},
        folder="Bản chốt $HOME của tỉnh",
    ),
    "many workers": Place(
        {"OMP_NUM_THREADS": "8", "PYTHONHASHSEED": "random"},
        {
            "max_parallel_workers_per_gather": "4",
            "parallel_setup_cost": "0",
            "parallel_tuple_cost": "0",
            "min_parallel_table_scan_size": "0",
        },
    ),
    "one worker": Place(
        {"OMP_NUM_THREADS": "1", "SOURCE_DATE_EPOCH": "1", "PYTHONOPTIMIZE": "1"},
        {
            "max_parallel_workers_per_gather": "0",
            "enable_hashjoin": "off",
            "enable_sort": "off",
            "lc_numeric": "C",
            "standard_conforming_strings": "on",
        },
        umask="000",
    ),
}


def root_at(running: SandboxServer, place: Place, folder: Path, naive: str = "") -> str:
    """The root of the same release, made in a process and a database of its own."""
    with product(running, f"place_{time.monotonic_ns()}", folder) as made:
        world.prepare(made.settings, made.source_admin_url)
        with psycopg.connect(made.admin_url, autocommit=True) as conn:
            for name, value in place.database.items():
                conn.execute(
                    sql.SQL("alter database {} set {} = {}").format(
                        sql.Identifier(conn.info.dbname), sql.Identifier(name), sql.Literal(value)
                    )
                )
        releases = folder / place.folder
        settings = made.settings.model_copy(update={"releases_dir": releases})
        return in_a_process(settings, place, folder, naive)


def in_a_process(settings: Settings, place: Place, cwd: Path, naive: str) -> str:
    program = PROGRAM.format(naive=naive)
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(world.PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", program, settings.model_dump_json(), place.umask],
        capture_output=True, text=True, cwd=cwd, env={**own, **place.environment}, timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_six_places_give_one_root(running: SandboxServer, tmp_path: Path) -> None:
    roots = {
        name: root_at(running, place, tmp_path / f"place {number}")
        for number, (name, place) in enumerate(PLACES.items())
    }
    assert len(set(roots.values())) == 1, roots
    assert len(next(iter(roots.values()))) == 64


def test_a_careless_writer_gives_another_root_in_every_place(
    running: SandboxServer, tmp_path: Path
) -> None:
    places = (PLACES["utc"], PLACES["far east"])
    roots = [
        root_at(running, place, tmp_path / f"naive {number}", NAIVE)
        for number, place in enumerate(places)
    ]
    assert roots[0] != roots[1]
