"""Every command and query of the runbooks is run, in the situation that its page is about.

What cannot run here (containers, a running Airflow) is looked up: it exists as it is written.
"""

import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from string import Template
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from chotso import PROJECT_ROOT
from chotso.sandbox.server import SandboxServer
from tests.repository.commands import fenced_in
from tests.watch.runbook_scenes import NIGHTS, SEALED, Scene
from tests.worlds import freeze_world
from tests.worlds.product import product
from tests.worlds.quarantine_world import DAY, SHORT_NUMBER, QuarantineWorld
from tests.worlds.typed import typed
from tests.worlds.watched import a_night_built, environment

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(600)]

FOLDER = PROJECT_ROOT / "docs" / "runbooks"
PAGES = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
# The commands that are not run, and why; a new one is noticed by failing.
NOT_RUN = {
    "docker compose": "no containers here: its services are looked up",
    "curl -s http://127.0.0.1:8080": "no Airflow runs here: its address is looked up",
    "make up": "tests/demo and tests/live run it: the target is looked up",
    "chotso sandbox": "tests/sandbox runs it on servers of its own",
    "chotso freeze sprint-2021-q4 --rehearse": "tests/release rehearses months before a cutoff",
}
# A night takes long: it is run on these pages alone; on the others it is the same command.
MENDED_BY_A_NIGHT = {"night-not-begun", "night-not-ended"}
LOGINS = {"CHOTSO_WAREHOUSE_URL", "CHOTSO_ADMIN_URL"}


@pytest.fixture(scope="module")
def night(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A night that is built, with a row set aside."""

    def also(made: QuarantineWorld) -> None:
        made.spell(1, SHORT_NUMBER)

    with a_night_built(running, "runbooks", tmp_path_factory.mktemp("runbooks"), also) as made:
        yield made


@pytest.fixture(scope="module")
def sealed(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A sealed release."""
    with product(running, "runbooks_sealed", tmp_path_factory.mktemp("sealed")) as made:
        freeze_world.prepare(made.settings, made.source_admin_url)
        freeze_world.seal(made.settings)
        yield QuarantineWorld(made)


def test_each_page_has_its_situation() -> None:
    assert set(NIGHTS) | set(SEALED) == PAGES


@pytest.mark.parametrize("page", NIGHTS)
def test_a_page_about_nights_says_what_is_so(page: str, night: QuarantineWorld) -> None:
    _live(page, Scene(night, _shell(night), {"2021-12-31": DAY.isoformat()}))


@pytest.mark.parametrize("page", SEALED)
def test_a_page_about_releases_says_what_is_so(page: str, sealed: QuarantineWorld) -> None:
    _live(page, Scene(sealed, _shell(sealed)))


def _shell(world: QuarantineWorld) -> dict[str, str]:
    return environment(world) | {"CHOTSO_ADMIN_URL": world.warehouse.admin_url}


def _live(page: str, scene: Scene) -> None:
    """Make the situation, look as the page says, mend it, and do as the page says."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    look, do = text.split("**Do**")
    life = (NIGHTS | SEALED)[page](scene)
    next(life)
    try:
        queries = _queries(look, scene)
        _commands(page, look, scene)
        next(life)
        queries += _queries(do, scene)
        _commands(page, do, scene)
    finally:
        for _ in life:
            pass
    for (statement, found), wanted in zip(queries, scene.rows, strict=True):
        assert wanted is None or any(wanted in row for row in found), (statement, found)


def _queries(text: str, scene: Scene) -> list[tuple[str, list[str]]]:
    """Each statement with what it shows, by the login that the page names."""
    found = []
    for block in fenced_in(text, "sql"):
        named = re.match(r'-- psql "\$(\w+)"\n', block)
        assert named is None or named[1] in LOGINS
        with _login(scene, named[1] if named else None) as conn:
            for statement in re.sub("^--.*$", "", block, flags=re.MULTILINE).split(";"):
                if statement.strip():
                    rows = conn.execute(_filled(statement, scene).encode()).fetchall()
                    found.append((statement, [_shown(row) for row in rows]))
    return found


def _shown(row: dict[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items())


def _login(scene: Scene, variable: str | None) -> psycopg.Connection[dict[str, object]]:
    """A session of that login; of a person in `chotso_auditor` where the page names none."""
    world = scene.world
    if variable == "CHOTSO_WAREHOUSE_URL":
        url = world.settings.warehouse_url
    elif variable == "CHOTSO_ADMIN_URL":
        url = world.warehouse.admin_url
    else:
        url = _auditor(world)
    return psycopg.connect(url, autocommit=True, row_factory=dict_row)


def _auditor(world: QuarantineWorld) -> str:
    name, password = f"reader_{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(world.warehouse.admin_url) as admin:
        create = sql.SQL("create role {} login password {} in role chotso_auditor")
        admin.execute(create.format(sql.Identifier(name), sql.Literal(password)))
    parts = urlsplit(world.warehouse.admin_url)
    place = f"{name}:{password}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=place))


def _commands(page: str, text: str, scene: Scene) -> None:
    for block in fenced_in(text, "sh"):
        for line in block.splitlines():
            command = shlex.join(shlex.split(line, comments=True)) if line.strip() else ""
            if command and not _is_looked_up(command):
                _run(page, _without_remark(line), scene)


def _without_remark(line: str) -> str:
    return re.sub(r"\s+#.*$", "", line)


def _run(page: str, line: str, scene: Scene) -> None:
    command = _filled(line, scene)
    wanted = next((code for start, code in scene.exits.items() if command.startswith(start)), 0)
    if command.startswith("chotso nightly") and page not in MENDED_BY_A_NIGHT:
        return
    if command.startswith("chotso "):
        done = typed(*shlex.split(command)[1:], environment=scene.env)
    else:
        done = subprocess.run(
            ["bash", "-c", command], env=scene.env | {"PATH": _path()}, cwd=PROJECT_ROOT,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == wanted, (command, done.returncode, done.stdout, done.stderr)


def _path() -> str:
    return f"{PROJECT_ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"


def _filled(text: str, scene: Scene) -> str:
    """With the incident's own values in place of the page's examples."""
    text = text.replace("$CHOTSO_HOME/releases", "$CHOTSO_RELEASES_DIR")
    for example, value in scene.values.items():
        text = value.join(re.split(rf"(?<![\w-]){re.escape(example)}(?![\w-])", text))
    return Template(text).safe_substitute(scene.env) if text.startswith("chotso ") else text


def _is_looked_up(command: str) -> bool:
    """Whether a command is one of those that are not run; then it exists."""
    start = next((each for each in NOT_RUN if command.startswith(each)), None)
    if start == "docker compose":
        _look_up_services(shlex.split(command))
    elif start == "make up":
        assert re.search(r"^up:", (PROJECT_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    elif start is not None and start.startswith("curl"):
        _look_up_address(command)
    return start is not None


def _look_up_services(words: list[str]) -> None:
    text = (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    words = words[2:]
    if words[0] == "--profile":
        assert any(words[1] in each.get("profiles", []) for each in services.values()), words
        words = words[2:]
    assert words[0] in ("ps", "logs", "up"), words
    named = [word for word in words[1:] if not word.startswith("-") and not word.isdigit()]
    assert set(named) <= set(services), words


def _look_up_address(command: str) -> None:
    from airflow.api_fastapi.core_api.routes.public.monitor import monitor_router

    paths = {f"/api/v2{route.path}" for route in monitor_router.routes}  # type: ignore[attr-defined]
    assert urlsplit(command.split()[-1]).path in paths
