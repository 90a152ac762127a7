"""The services of `docker-compose.yml` as containers of this machine, one by one.

Commands, environment, secrets, volumes, rights and health checks are read from the file; what
images bring is in `images.py`.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pipeline.container import USER, Box, Container, Mount
from tests.pipeline.images import image
from tests.worlds.sandbox_homes import PROJECT

_READY_S = 600.0


def what_is_missing(*programs: str, environment: Path | None = None) -> str | None:
    """Why services cannot be started here; None if they can."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return "namespaces need root and util-linux"
    for program in programs:
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: redis-server, openssh-server)"
    if environment is not None and not environment.exists():
        return f"there is no {environment.name}: `make celery-proof` makes it"
    return None


@dataclass
class Composed:
    """A project of Compose, with its volumes and secrets in a folder.

    Attributes:
        folder: For everything that it keeps.
        dotenv: What would stand in `.env`.
        changed: Variables that differ from the file's, with the reason at the caller.
    """

    folder: Path
    dotenv: Mapping[str, str]
    changed: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, Container] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        written = yaml.safe_load((PROJECT / "docker-compose.yml").read_text("utf-8"))
        text = re.sub(
            r"\$\{(\w+):-([^}]*)\}",
            lambda found: self.dotenv.get(found[1], found[2]),
            json.dumps(written),
        )
        self.file: dict[str, Any] = json.loads(text.replace("$$", "$"))
        for name in ("logs", "secrets", *(f"volumes/{each}" for each in self.file["volumes"])):
            place = self.folder / name
            place.mkdir(parents=True)
            os.chown(place, USER, 0)

    def secret(self, name: str) -> Path:
        """A secret's file."""
        return self.folder / "secrets" / name

    def volume(self, name: str) -> Path:
        """A volume's folder."""
        return self.folder / "volumes" / name

    def draw_secrets(self, source_url: str) -> None:
        """`docker/make-secrets`, as its user."""
        self.secret("source_url").write_text(source_url, encoding="utf-8")
        script = [PROJECT / "docker" / "make-secrets", self.folder / "secrets"]
        subprocess.run(script, check=True, capture_output=True)
        for path in self.secret("").iterdir():
            os.chown(path, USER, 0)
            path.chmod(0o600)

    def up(self, service: str, number: int = 1) -> Container:
        """Start one service, after those that it waits for, and wait until it is healthy."""
        self._prepare(service)
        name = service if number == 1 else f"{service}-{number}"
        container = Container.start(self._box(service, name), self.folder / f"logs/{name}.log")
        self.running[name] = container
        check = self.file["services"][service]["healthcheck"]
        deadline = time.monotonic() + _READY_S
        while not _is_healthy(container, check):
            assert container.is_running, f"{name} ended: {container.text()}"
            assert time.monotonic() < deadline, f"{name} is not healthy: {container.text()}"
            time.sleep(1)
        return container

    def run(self, service: str, *command: str) -> str:
        """Run a service to its end, as `docker compose run --rm` does; what it printed."""
        self._prepare(service)
        log = self.folder / f"logs/{service}.log"
        log.unlink(missing_ok=True)
        container = Container.start(self._box(service, service, command), log)
        status = container.process.wait(_READY_S)
        assert status == 0, f"{service} ended with {status}: {container.text()}"
        return log.read_text("utf-8")

    def down(self) -> None:
        """End everything."""
        for container in reversed(self.running.values()):
            container.kill()
        self.running.clear()

    def _prepare(self, service: str) -> None:
        for other, how in self.file["services"][service].get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                if other not in self.ended:
                    self.run(other)
                    self.ended.add(other)
            elif other not in self.running:
                self.up(other)

    def _box(self, service: str, name: str, command: Sequence[str] = ()) -> Box:
        told = self.file["services"][service]
        brought = image(told["image"])
        environment = {**brought.environment, **told.get("environment", {})}
        environment |= {key: self.changed[key] for key in environment if key in self.changed}
        given = command or told.get("command", brought.command)
        user, _, _ = str(told.get("user", brought.user)).partition(":")
        return Box(
            name=name,
            command=[*brought.entry, *told.get("entrypoint", []), *given],
            environment=environment | {"HOSTNAME": name},
            mounts=[*brought.mounts, *self._mounts(told)],
            hosts=self._hosts(),
            user=int(user),
            prepared=brought.prepared,
            folder=brought.folder,
            rights=[each.lower() for each in told.get("cap_add", [])],
            is_read_only=told["read_only"],
        )

    def _mounts(self, told: dict[str, Any]) -> list[Mount]:
        found = []
        for each in told.get("tmpfs", []):
            place, _, options = each.partition(":")
            found.append(Mount(Path(place), options=options))
        for each in told.get("volumes", []):
            name, place, *options = each.split(":")
            found.append(Mount(Path(place), self.volume(name), *options))
        for name in told.get("secrets", []):
            found.append(Mount(Path("/run/secrets") / name, self.secret(name), "ro"))
        for each in told.get("configs", []):
            source = PROJECT / self.file["configs"][each["source"]]["file"]
            found.append(Mount(Path(each["target"]), source, "ro"))
        return found

    def _hosts(self) -> dict[str, str]:
        """An address for each service, and for the second of those that may have several."""
        names = [*self.file["services"], "airflow-worker-2"]
        return {name: f"127.0.1.{place}" for place, name in enumerate(names, 1)}


def _is_healthy(container: Container, check: dict[str, Any]) -> bool:
    if check.get("disable"):
        return container.is_running
    kind, *command = check["test"]
    asked = ["sh", "-c", *command] if kind == "CMD-SHELL" else command
    return container.run(asked, timeout_s=float(check["timeout"].removesuffix("s")))
