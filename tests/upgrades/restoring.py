"""A warehouse of an older version, with its source and its files, on a server of its own."""

import hashlib
import lzma
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from chotso.sandbox import place
from chotso.sandbox.account import account_for
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from tests.worlds.own_server import own_server
from tests.worlds.product import Product

FOLDER = Path(__file__).parent
VERSIONS = sorted(path.parent.name for path in FOLDER.glob("*/warehouse.sql.xz"))
_KEY = b"the key of an invented province, for tests of upgrades"


@contextmanager
def restored(version: str, folder: Path) -> Iterator[Product]:
    """The warehouse of a version as its code left it, with its roles and rights."""
    kept = FOLDER / version
    with own_server() as (server, home):
        with psycopg.connect(server.admin_url, dbname="postgres", autocommit=True) as admin:
            admin.execute("drop database warehouse with (force)")
            admin.execute("drop database tst with (force)")
        # Some roles exist on every server, so not every statement succeeds.
        _run_sql(server, home, (kept / "roles.sql").read_bytes())
        for name in ("warehouse", "source"):
            text = lzma.decompress((kept / f"{name}.sql.xz").read_bytes())
            _run_sql(server, home, text, "--set=ON_ERROR_STOP=1")
        with tarfile.open(kept / "files.tar.xz") as files:
            files.extractall(folder)
        key_file = folder / "pseudonym.key"
        key_file.write_bytes(_KEY)
        key_file.chmod(0o600)
        settings = Settings(
            home=folder,
            warehouse_url=server.warehouse_url,
            admin_url=server.admin_url,
            source_url=server.source_url,
            drop_url=str(folder / "drop"),
            landing_url=str(folder / "landing"),
            releases_dir=folder / "releases",
            pseudonym_key_file=key_file,
            embedded=False,
        )
        yield Product(settings, server.source_admin_url, server.admin_url, folder / "drop")


def root_of(release: Path) -> str:
    """What its signed page says: the hash of its manifest."""
    return hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest()


def _run_sql(server: SandboxServer, home: Path, text: bytes, *options: str) -> None:
    programs = place.programs(home.resolve(), account_for(home.resolve(), server.data_dir))
    url = server.admin_url.rpartition("/")[0] + "/postgres"
    done = subprocess.run(
        [programs / "psql", "--no-psqlrc", "--quiet", *options, url],
        input=text,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
