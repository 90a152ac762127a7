"""Settings from `CHOTSO_*` variables, Airflow Connections, and the embedded default.

A variable wins over a Connection. `CHOTSO_<NAME>_FILE` names a file with the value (a mounted
secret). Values that are set nowhere come from the embedded PostgreSQL's `sandbox.json`.
"""

import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chotso.ambient import scrub
from chotso.errors import ChotsoError
from chotso.urls import parameters

CONNECTIONS = {
    "source_url": "chotso_source",
    "drop_url": "chotso_drop",
    "warehouse_url": "chotso_warehouse",
}
KEY_BYTES = 32


class Settings(BaseModel):
    """The resolved settings; URLs are `postgresql://…` without a driver suffix."""

    model_config = ConfigDict(frozen=True)

    home: Path
    warehouse_url: str
    admin_url: str | None
    certifier_url: str | None = None
    backup_url: str | None = None
    source_url: str
    drop_url: str
    landing_url: str
    releases_dir: Path
    pseudonym_key_file: Path
    embedded: bool
    anchor_file: Path | None = None
    airflow_url: str | None = None
    alert_webhook: str | None = None
    alert_routes_file: Path | None = None

    def pseudonym_key(self) -> bytes:
        """The raw key for persons' numbers (bytes, never decoded or stripped).

        Raises:
            ChotsoError: The key is missing, too short, or readable by others.
        """
        return _read_key(self.pseudonym_key_file, create=self.embedded)


class _Home(BaseSettings):
    """The home alone, for programs that start before there are other settings."""

    model_config = SettingsConfigDict(env_prefix="CHOTSO_", env_ignore_empty=True)

    home: Path = Path(".chotso")

    @property
    def absolute(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()


class _Named(_Home):
    """Settings of the environment: a variable, else a mounted secret, else Airflow's Connection."""

    warehouse_url: str | None = None
    admin_url: str | None = None
    certifier_url: str | None = None
    backup_url: str | None = None
    source_url: str | None = None
    drop_url: str | None = None
    landing_url: str | None = None
    releases_dir: Path | None = None
    pseudonym_key_file: Path | None = None
    anchor_file: Path | None = None
    airflow_url: str | None = None
    alert_webhook: str | None = None
    alert_routes_file: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A variable wins over a file, and a file over a Connection."""
        return env_settings, _SecretFiles(settings_cls), _Connections(settings_cls)


class Places(BaseModel):
    """Folders, files and the login for backups; they are known before there is a warehouse."""

    model_config = ConfigDict(frozen=True)

    home: Path
    drop_url: str
    landing_url: str
    releases_dir: Path
    pseudonym_key_file: Path
    backup_url: str | None = None
    embedded: bool


class _EachField(PydanticBaseSettingsSource):
    """A source that reads field by field; fields that an earlier source has are skipped."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The field's value in this source; None if there is none."""
        return self.find(field_name), field_name, False

    def find(self, name: str) -> str | None:
        """A field's value; None if this source has none."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        """All values of this source."""
        wanted = [name for name in self.settings_cls.model_fields if name not in self.current_state]
        found = {name: self.find(name) for name in wanted}
        return {name: value for name, value in found.items() if value}


class _SecretFiles(_EachField):
    """`CHOTSO_<NAME>_FILE` names a file with the value."""

    def find(self, name: str) -> str | None:
        """The file's text.

        Raises:
            ChotsoError: The file cannot be read.
        """
        variable = _variable(name)
        path = os.environ.get(f"{variable}_FILE")
        if not path:
            return None
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ChotsoError(
                f"{variable}_FILE names {path}, which cannot be read: {error.strerror}.",
                next_step=f"mount the secret there, or set {variable}.",
            ) from error


class _Connections(_EachField):
    """Airflow's Connections, in a running task."""

    def find(self, name: str) -> str | None:
        """The Connection's URL or path."""
        return _airflow_connection(CONNECTIONS[name]) if name in CONNECTIONS else None


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        ChotsoError: A URL is missing or malformed; the next step names the variable.
    """
    scrub()  # every command and task begins here
    named = _Named()
    places = _places(named)
    sandbox = _sandbox(places.home)
    admin = named.admin_url or (None if named.warehouse_url else sandbox.get("admin_url"))
    return Settings(
        **dict(places),
        warehouse_url=_url("warehouse_url", named.warehouse_url or sandbox.get("warehouse_url")),
        admin_url=_url("admin_url", admin) if admin else None,
        certifier_url=_url("certifier_url", named.certifier_url) if named.certifier_url else None,
        source_url=_url("source_url", named.source_url or sandbox.get("source_url")),
        anchor_file=named.anchor_file.resolve() if named.anchor_file else None,
        airflow_url=named.airflow_url,
        alert_webhook=named.alert_webhook,
        alert_routes_file=named.alert_routes_file,
    )


def load_home() -> Path:
    """The folder of this process's state, `CHOTSO_HOME`, absolute."""
    return _Home().absolute


def load_places() -> Places:
    """Where this process's files are, whether or not a server has been made."""
    scrub()
    return _places(_Named())


def _places(named: _Named) -> Places:
    home = named.absolute
    own = None if named.warehouse_url else _sandbox(home).get("admin_url")
    backup = named.backup_url or own
    return Places(
        home=home,
        drop_url=named.drop_url or str(home / "drop"),
        landing_url=named.landing_url or str(home / "landing"),
        releases_dir=(named.releases_dir or home / "releases").resolve(),
        pseudonym_key_file=named.pseudonym_key_file or home / "pseudonym.key",
        backup_url=_url("backup_url", backup) if backup else None,
        embedded=named.warehouse_url is None,
    )


def plain_postgres_url(url: str) -> str:
    """The URL without a driver suffix (`postgresql+psycopg://` becomes `postgresql://`)."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme.split("+")[0] in ("postgresql", "postgres"):
        return f"postgresql://{rest}"
    return url


def _variable(name: str) -> str:
    return f"CHOTSO_{name.upper()}"


def _airflow_connection(conn_id: str) -> str | None:
    if "AIRFLOW_CTX_DAG_ID" not in os.environ:  # set by Airflow while a task runs
        return None
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = Connection.get(conn_id)
    except AirflowNotFoundException:
        return None
    if connection.conn_type in ("file", "fs"):
        return str(connection.extra_dejson.get("path") or connection.host)
    # extras of a Connection are for Airflow; they are not parameters of the driver
    return str(connection.get_uri()).split("?__extra__")[0]


def _sandbox(home: Path) -> dict[str, Any]:
    path = home / "sandbox.json"
    if not path.exists():
        return {}
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _url(name: str, value: str | None) -> str:
    variable = _variable(name)
    if not value:
        raise ChotsoError(
            f"{variable} is not set and no embedded PostgreSQL has been made.",
            next_step=f"run `chotso sandbox start`, or set {variable}.",
        )
    if "://" not in value:
        raise ChotsoError(
            f"{variable} is not a database URL.",
            next_step=f"set {variable} to postgresql://user:password@host:port/database.",
        )
    url = plain_postgres_url(value)
    if url.startswith("postgresql://"):
        parameters(url, variable)  # parsed now, so that an error names the variable
    return url


def _read_key(path: Path, *, create: bool) -> bytes:
    if not path.exists():
        if not create:
            raise ChotsoError(
                f"The pseudonym key file {path} does not exist.",
                next_step=f"put at least {KEY_BYTES} random bytes there with mode 600 and name it "
                "in CHOTSO_PSEUDONYM_KEY_FILE.",
            )
        _make_key(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ChotsoError(
            f"The pseudonym key file {path} can be read by others (mode {mode:o}).",
            next_step=f"run `chmod 600 {path}`.",
        )
    key = path.read_bytes()
    if len(key) < KEY_BYTES:
        raise ChotsoError(
            f"The pseudonym key file {path} holds {len(key)} bytes; at least {KEY_BYTES} needed.",
            next_step="restore the key that earlier extracts were made with.",
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(secrets.token_bytes(64))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        os.link(draft, path)  # fails if another process was first; then its key is used
    except FileExistsError:
        pass
    finally:
        draft.unlink()
