"""The recorded facts of the embedded server: `$CHOTSO_HOME/sandbox.json`, mode 600."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.sandbox.account import give_to_owner

HOST = "127.0.0.1"
FILE_NAME = "sandbox.json"


@dataclass(frozen=True)
class SandboxServer:
    """Where the embedded PostgreSQL listens and has its data, and how to log in.

    The URLs are `postgresql://login:password@host:port/database`. They have passwords, so the
    object's printed form does not show them.

    Attributes:
        data_dir: The cluster's data directory; it can be outside the home, see `place.py`.
        log_file: The server's log.
        admin_url: Superuser `postgres` on database `warehouse`.
        source_url: Login `chotso_source` on `tst`, which can only read schema `tst`.
        source_admin_url: Superuser on `tst`; it is used to make and advance the source.
        warehouse_url: Login `chotso_etl` on `warehouse`.
        airflow_url: Login `airflow`, owner of database `airflow`.
    """

    host: str
    port: int
    data_dir: Path
    log_file: Path
    admin_url: str = field(repr=False)
    source_url: str = field(repr=False)
    source_admin_url: str = field(repr=False)
    warehouse_url: str = field(repr=False)
    airflow_url: str = field(repr=False)

    @classmethod
    def new(cls, *, port: int, data_dir: Path, log_file: Path) -> "SandboxServer":
        """A new server, with passwords generated at random."""
        admin, source, etl, airflow = (secrets.token_hex(24) for _ in range(4))
        at = f"{HOST}:{port}"
        return cls(
            host=HOST,
            port=port,
            data_dir=data_dir,
            log_file=log_file,
            admin_url=f"postgresql://postgres:{admin}@{at}/warehouse",
            source_url=f"postgresql://chotso_source:{source}@{at}/tst",
            source_admin_url=f"postgresql://postgres:{admin}@{at}/tst",
            warehouse_url=f"postgresql://chotso_etl:{etl}@{at}/warehouse",
            airflow_url=f"postgresql://airflow:{airflow}@{at}/airflow",
        )

    def on_port(self, port: int) -> "SandboxServer":
        """The same server and passwords on another port."""
        old, new = f"@{self.host}:{self.port}/", f"@{self.host}:{port}/"
        return replace(
            self,
            port=port,
            admin_url=self.admin_url.replace(old, new),
            source_url=self.source_url.replace(old, new),
            source_admin_url=self.source_admin_url.replace(old, new),
            warehouse_url=self.warehouse_url.replace(old, new),
            airflow_url=self.airflow_url.replace(old, new),
        )


def read(home: Path) -> SandboxServer | None:
    """The recorded server of this home, running or not; None if none was ever made.

    Raises:
        ChotsoError: The file cannot be read, or was not written by `write`.
    """
    path = home / FILE_NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return SandboxServer(
            **{
                **found,
                "port": int(found["port"]),
                "data_dir": Path(found["data_dir"]),
                "log_file": Path(found["log_file"]),
            }
        )
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise ChotsoError(
            f"{path} belongs to another user and cannot be read.",
            next_step="run this as that file's owner, or name a CHOTSO_HOME of your own.",
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise ChotsoError(
            f"{path} is damaged: {error!r}.",
            kept="the databases themselves.",
            next_step=f"restore it from a copy, or delete {home} to begin with an empty server.",
        ) from error


def write(home: Path, server: SandboxServer) -> None:
    """Replace `sandbox.json` atomically: a reader sees the old content or the new."""
    content = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(server).items()
    }
    draft = home / f".{FILE_NAME}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(json.dumps(content, indent=2) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    give_to_owner(draft, home)
    os.replace(draft, home / FILE_NAME)
