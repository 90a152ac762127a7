"""A source that holds canaries on one server, a warehouse on another, and what was done there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg

from chotso import PROJECT_ROOT
from chotso.calendar import LOCAL_ZONE
from chotso.sandbox import server
from chotso.sandbox.province import advance, seed
from chotso.sandbox.server import SandboxServer
from tests.canaries import planted
from tests.worlds.sandbox_homes import new_home
from tests.worlds.typed import typed

FIRST_NIGHT = datetime(2021, 11, 2, 1, tzinfo=LOCAL_ZONE)
AFTER_CUTOFF = datetime(2021, 12, 31, 17, 0, 5, tzinfo=LOCAL_ZONE)
# These import every library in a Python of their own; what a library leaves then is scanned, too.
_WITH_ALL_LIBRARIES = ("migrate", "nightly", "freeze")


@dataclass
class Scene:
    """Where everything is; `outputs` holds stdout and stderr of every command, by its words."""

    folder: Path
    source: SandboxServer
    warehouse: SandboxServer
    source_home: Path
    warehouse_home: Path
    outputs: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """`CHOTSO_HOME`: landing, releases, logs and state."""
        return self.folder / "home"

    @property
    def drop(self) -> Path:
        """The drop folder: the sender's, not ours."""
        return self.folder / "drop"

    def chotso(self, *words: str, **variables: str) -> int:
        """Run a command as an operator would, keeping all that it says."""
        environment = self._environment() | variables
        if words[0] in _WITH_ALL_LIBRARIES:
            done = subprocess.run(
                [sys.executable, "-m", "chotso", *words],
                capture_output=True,
                text=True,
                check=False,
                cwd=PROJECT_ROOT,
                env=environment,
            )
        else:
            done = typed(*words, environment=environment)
        name = f"{len(self.outputs)} {' '.join(words)}"
        self.outputs[name] = f"{done.stdout}\n{done.stderr}"
        self.statuses[name] = done.returncode
        return done.returncode

    def _environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith("CHOTSO_")}
        return kept | {
            # What libraries leave in a home or a temporary folder is scanned too.
            "HOME": str(self.folder / "user"),
            "TMPDIR": str(self.folder / "tmp"),
            "CHOTSO_HOME": str(self.home),
            "CHOTSO_WAREHOUSE_URL": self.warehouse.warehouse_url,
            "CHOTSO_ADMIN_URL": self.warehouse.admin_url,
            "CHOTSO_SOURCE_URL": self.source.source_url,
            "CHOTSO_DROP_URL": f"file://{self.drop}",
            "CHOTSO_PSEUDONYM_KEY_FILE": str(self.folder / "pseudonym.key"),
        }

    def at_source(self, statement: str) -> None:
        """Change the source."""
        with psycopg.connect(self.source.source_admin_url) as conn:
            conn.execute(statement.encode())

    def live_until(self, to: datetime) -> None:
        """Let the province live; its state lies outside what is scanned."""
        advance(
            self.source.source_admin_url,
            self.drop,
            to=to,
            state_dir=self.folder / "province",
            progress=lambda _: None,
        )


@contextmanager
def made(folder: Path) -> Iterator[Scene]:
    """Two servers, a small province with canaries in it, and an empty warehouse."""
    with new_home() as source_home, new_home() as warehouse_home:
        scene = Scene(
            folder,
            server.start(source_home),
            server.start(warehouse_home),
            source_home,
            warehouse_home,
        )
        for name in ("home", "drop", "user", "tmp", "province"):
            (folder / name).mkdir()
        key = folder / "pseudonym.key"
        key.write_bytes(b"a key for canaries, of enough bytes in all")
        key.chmod(0o600)
        seed(
            scene.source.source_admin_url,
            scene.drop,
            persons=700,
            employers=30,
            year=2021,
            seed=11,
            defects="none",
            state_dir=folder / "province",
            progress=lambda _: None,
        )
        yield scene


def play(scene: Scene) -> int:
    """Everything that can go well or wrong, by the command line; returns the rows planted."""
    assert scene.chotso("migrate") == 0, scene.outputs
    scene.live_until(FIRST_NIGHT)
    rows = planted.plant_persons(scene.source.source_admin_url)
    agency, employers = _register(scene)
    _deliver_contacts(scene.drop, agency, employers)
    night = ("nightly", "--date", "2021-11-01")
    scene.chotso(*night)
    scene.chotso("quarantine", "list")
    scene.chotso("quarantine", "show", "1")
    _break_the_source(scene)
    # One number is mended; the others are replayed as they are.
    scene.at_source(
        f"update tst.tham_gia set ma_so_bhxh = '{planted.NUMBER_MARK}9999' where ma_qua_trinh = "
        "(select min(ma_qua_trinh) from tst.tham_gia where length(ma_so_bhxh) = 9)"
    )
    scene.chotso("quarantine", "replay")
    scene.chotso("quarantine", "export", "--out", str(scene.home / "workbooks"))
    scene.chotso("quarantine", "waive", "1", "--reason", "biết rồi", "--by", "Trần Thử")
    scene.chotso("extract", "participations", "--date", "2021-11-01", "--full", "--json")
    scene.live_until(AFTER_CUTOFF)
    scene.chotso("freeze", "sprint-2021-q4", "--json")
    scene.chotso("status")
    return rows


def _register(scene: Scene) -> tuple[str, list[str]]:
    with psycopg.connect(scene.source.source_admin_url) as conn:
        agency = conn.execute("select min(ma_co_quan) from tst.co_quan where cap = 2").fetchone()
        employers = conn.execute("select ma_don_vi from tst.don_vi order by 1").fetchall()
    assert agency is not None
    return agency[0], [row[0] for row in employers]


def _deliver_contacts(drop: Path, agency: str, employers: list[str]) -> None:
    """Exports with canaries as contacts: well formed, misshapen, cut short, and shifted."""
    rows = [planted.account(code, n) for n, code in enumerate(employers)]
    planted.write_workbook(drop / "C12_202108_20210901T080000.xlsx", "08/2021", rows, agency)
    csv_name = f"C12_202107_20210801T080000_{agency}.csv"
    planted.write_csv(drop / csv_name, "07/2021", rows, shifted=False)
    shifted = f"C12_202106_20210701T080000_{agency}.csv"
    planted.write_csv(drop / shifted, "06/2021", rows, shifted=True)
    broken = [{**row, "_ck_bhxh": f"nợ {row['nguoilh']}"} for row in rows]
    name = f"C12_202105_20210601T080000_{agency}.csv"
    planted.write_csv(drop / name, "05/2021", broken, shifted=False)
    whole = (drop / "C12_202108_20210901T080000.xlsx").read_bytes()
    (drop / "C12_202104_20210501T080000.xlsx").write_bytes(whole[: len(whole) // 2])
    unknown = (drop / csv_name).read_text(encoding="utf-8").replace(",", ",,,", 30)
    (drop / f"C12_202103_20210401T080000_{agency}.csv").write_text(unknown, encoding="utf-8")


def _break_the_source(scene: Scene) -> None:
    """Schema drift, values without a reading, a read that fails, a source that is away."""
    feed = ("extract", "participations", "--date", "2021-11-01")
    scene.at_source("alter table tst.tham_gia rename column loai to loai_cu")
    scene.chotso(*feed)
    scene.at_source("alter table tst.tham_gia rename column loai_cu to loai")
    scene.at_source("alter table tst.tham_gia alter column den_thang type text")
    scene.at_source(
        "update tst.tham_gia set den_thang = ho_ten, "
        "ngay_sua = (select bay_gio from tst.dong_ho) where den_thang is null"
    )
    scene.chotso(*feed)
    scene.at_source("update tst.tham_gia set den_thang = null where den_thang = ho_ten")
    scene.at_source(
        "alter table tst.tham_gia alter column den_thang type date using den_thang::date"
    )
    scene.at_source("alter table tst.tham_gia add column so_dien_thoai text")
    scene.at_source(f"update tst.tham_gia set so_dien_thoai = '0{planted.NUMBER_MARK}123'")
    scene.chotso(*feed, "--full")
    scene.at_source("revoke select on tst.tham_gia from chotso_source")
    scene.chotso(*feed)
    scene.at_source("grant select on tst.tham_gia to chotso_source")
    scene.chotso(*feed, CHOTSO_SOURCE_URL="postgresql://nobody:x@127.0.0.1:1/tst")
