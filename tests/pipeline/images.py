"""What the images of `docker-compose.yml` bring, from this checkout and this machine.

Ours are what the Dockerfile installs, in environments that `make` makes; the server is the embedded
PostgreSQL, the broker Debian's Redis, the door Debian's sshd.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chotso.sandbox.place import packaged_programs
from tests.pipeline.container import USER, Mount
from tests.worlds.sandbox_homes import PROJECT

SERVICES = PROJECT / ".venv-services"
SUPERSET = PROJECT / ".venv-bi"
_PATH = "/usr/local/bin:/usr/bin:/bin"
_SYSTEM_PATH = f"/usr/local/sbin:/usr/sbin:/sbin:{_PATH}"
# What the official image does before it starts the command.
_MAKE_SERVER = """
if ! [ -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
fi
exec "$@"
"""


@dataclass(frozen=True)
class Image:
    """What an image brings.

    Attributes:
        environment: Its variables.
        mounts: Its files, where they are not this machine's.
        folder: Its working folder.
        user: Id of its user.
        entry: What it starts commands with.
        command: What it starts by default.
        prepared: Commands that make its user and folders.
    """

    environment: Mapping[str, str]
    mounts: Sequence[Mount] = ()
    folder: str = "/"
    user: int = USER
    entry: Sequence[str] = ()
    command: Sequence[str] = ()
    prepared: str = f"useradd --uid {USER} --gid 0 --no-create-home chotso"


def image(name: str) -> Image:
    """The image of a service, by its name with the version."""
    return _IMAGES[name.partition(":")[0]]()


def _ours() -> Image:
    code = Mount(Path("/opt/chotso"), PROJECT, "ro")
    environment = _variables("") | {"HOME": "/var/lib/chotso"}
    mounts = [code, Mount(Path("/opt/venv"), SERVICES, "ro")]
    return Image(environment, mounts, "/opt/chotso", prepared=_prepared(""))


def _superset() -> Image:
    parts = [
        Mount(Path("/opt/chotso") / part, PROJECT / part, "ro") for part in ("bi", "docker/bin")
    ]
    mounts = [*parts, Mount(Path("/opt/venv-bi"), SUPERSET, "ro")]
    return Image(_variables("superset"), mounts, "/opt/chotso", prepared=_prepared("superset"))


def _sftp() -> Image:
    (command,) = re.findall(r'^CMD \["sh", "-c", "(.*)"\]$', _stage("sftp"), re.MULTILINE)
    return Image(
        {"PATH": _SYSTEM_PATH},
        [Mount(Path("/etc/ssh/sshd_config"), PROJECT / "docker" / "sshd_config", "ro")],
        user=0,
        command=["sh", "-c", command],
        prepared=_prepared("sftp"),
    )


def _redis() -> Image:
    return Image({"PATH": _PATH}, folder="/data")


def _postgres() -> Image:
    # `postgres` is root's in the image and steps down; here it is an ordinary user at once.
    environment = {
        "PATH": f"{packaged_programs()}:{_PATH}",
        "PGDATA": "/var/lib/postgresql/18/docker",
    }
    return Image(environment, entry=["sh", "-euc", _MAKE_SERVER, "docker-entrypoint"])


_IMAGES = {
    "chotso": _ours,
    "chotso-superset": _superset,
    "chotso-sftp": _sftp,
    "redis": _redis,
    "postgres": _postgres,
}


def _stage(name: str) -> str:
    """A stage of the Dockerfile; the last one has no name."""
    stages = re.split(r"^FROM ", (PROJECT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    if not name:
        return stages[-1]
    (found,) = (each for each in stages if each.split("\n", 1)[0].endswith(f" AS {name}"))
    return found


def _prepared(stage: str) -> str:
    """The end of the instruction that makes a stage's user."""
    (told,) = re.findall(r"^.*?(useradd .*?[^\\])$", _stage(stage), re.MULTILINE | re.DOTALL)
    return str(told).replace("${CHOTSO_UID}", str(USER))


def _variables(stage: str) -> dict[str, str]:
    (told,) = re.findall(r"^ENV (.*?[^\\])$", _stage(stage), re.MULTILINE | re.DOTALL)
    return dict(each.split("=", 1) for each in told.replace("\\\n", " ").split())
