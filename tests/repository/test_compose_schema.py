"""docker-compose.yml without an engine: the specification's schema, and what it cannot say."""

import base64
import importlib.resources
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
LONG_RUNNING = {
    "postgres",
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
    "broker",
    "sftp",
    "superset",
    "wal",
    "watch",
}
ONE_SHOT = {"airflow-init", "backup", "chotso"}
FOREIGN = {"postgres", "broker"}  # images that are not ours
IMAGES = {"superset": "chotso-superset", "sftp": "chotso-sftp"}
# Of an environment that services share, what one of them never reads.
NOT_MOUNTED = {("airflow-init", "CHOTSO_PSEUDONYM_KEY_FILE")}
EMPTY = {"alert_webhook"}  # what a person may fill in, and is nothing until then
UNWATCHED = {"wal": "its process ends where the stream does"}
# What a service may do beyond nothing, and why.
CAPABILITIES = {"sftp": "locks sessions up in a folder and takes their user's rights"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The Compose specification's own schema, as the check-jsonschema wheel ships it."""
    shipped = importlib.resources.files("check_jsonschema") / "builtin_schemas/vendor"
    loaded: dict[str, Any] = json.loads((shipped / "compose-spec.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `docker/make-secrets` drew everything it can."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "source_url").write_text("postgresql://reader:x@source:5432/tst")
    done = _make_secrets(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_file_is_valid_compose(compose: dict[str, Any], schema: dict[str, Any]) -> None:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(_interpolated(compose))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("postgres", "helthcheck", {"test": ["CMD", "true"]}),
        ("postgres", "depends_on", {"x": {"condition": "service_ready"}}),
        ("chotso", "read_only", [True]),
        ("chotso", "ports", {"8080": 80}),
    ],
)
def test_the_schema_can_fail(
    compose: dict[str, Any], schema: dict[str, Any], service: str, key: str, value: object
) -> None:
    broken = _interpolated(compose)
    broken["services"][service][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(broken)


def test_the_services_are_the_known_ones(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == LONG_RUNNING | ONE_SHOT


def test_what_is_depended_on_exists_and_can_reach_its_condition(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} depends on {other}, which is no service"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{other} can never be healthy"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[other]["restart"] == "no", f"{other} would never be completed"


def test_no_service_waits_for_itself(compose: dict[str, Any]) -> None:
    waits = {name: set(s.get("depends_on", {})) for name, s in compose["services"].items()}
    while ready := [name for name, others in waits.items() if not others & waits.keys()]:
        for name in ready:
            del waits[name]
    assert not waits, f"a circle of dependencies: {sorted(waits)}"


def test_long_running_services_are_watched_and_restarted(compose: dict[str, Any]) -> None:
    for name in LONG_RUNNING:
        service = compose["services"][name]
        assert service["restart"] == "unless-stopped", name
        if name in UNWATCHED:
            assert service["healthcheck"] == {"disable": True}
            continue
        assert {"test", "interval", "timeout", "retries"} <= service["healthcheck"].keys(), name


def test_health_checks_use_programs_that_the_image_has(compose: dict[str, Any]) -> None:
    for name in LONG_RUNNING:
        if name in UNWATCHED:
            continue
        kind, program, *arguments = compose["services"][name]["healthcheck"]["test"]
        if kind == "CMD-SHELL":
            assert re.search(r"\b(celery|redis-cli)\b", program), program
            continue
        assert kind == "CMD"
        assert program in {"pg_isready", "python", "airflow", "chotso", "bash"}, program
        for argument in arguments:
            _assert_in_repository(argument)


def test_the_watch_is_healthy_while_it_looks(compose: dict[str, Any], tmp_path: Path) -> None:
    """And not because a warehouse is there, or because a task's round has looked."""
    _, program, script, path = compose["services"]["watch"]["healthcheck"]["test"]
    assert (program, path) == ("python", "/var/lib/chotso/watch/loop")
    looked = tmp_path / "loop"

    def is_healthy() -> bool:
        command = [sys.executable, ROOT / script.removeprefix("/opt/chotso/"), looked]
        return subprocess.run(command, capture_output=True).returncode == 0

    assert not is_healthy()
    looked.touch()
    assert is_healthy()
    os.utime(looked, (0, time.time() - 301))
    assert not is_healthy()
    os.utime(looked, (0, time.time() + 30))
    assert is_healthy(), "clocks of two machines"
    os.utime(looked, (0, time.time() + 3_600))
    assert not is_healthy(), "a clock that was wrong makes nobody alive"


def test_every_secret_is_mounted_declared_and_made(compose: dict[str, Any], drawn: Path) -> None:
    mounted = {
        secret for service in compose["services"].values() for secret in service.get("secrets", [])
    }
    assert mounted == set(compose["secrets"])
    for name, secret in compose["secrets"].items():
        assert secret == {"file": f"docker/secrets/{name}"}
        example = ROOT / "docker" / "secrets" / f"{name}.example"
        if name == "sftp_host_key" and shutil.which("ssh-keygen") is None:
            continue
        assert (drawn / name).exists(), f"docker/make-secrets does not draw {name}"
        assert ((drawn / name).stat().st_size > 0) != (name in EMPTY), name
        if name == "source_url":
            assert example.read_text().startswith("postgresql://")


def test_drawn_secrets_are_private_and_stay(drawn: Path) -> None:
    before = {path.name: path.read_bytes() for path in drawn.iterdir()}
    for path in drawn.iterdir():
        if path.name != "source_url":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert _make_secrets(drawn).returncode == 0
    assert {path.name: path.read_bytes() for path in drawn.iterdir()} == before


def test_drawn_secrets_fit_their_readers(drawn: Path) -> None:
    fernet_key = (drawn / "airflow_fernet_key").read_bytes()
    assert len(base64.urlsafe_b64decode(fernet_key)) == 32
    assert len((drawn / "pseudonym_key").read_bytes()) == 64
    assert re.fullmatch("[0-9a-f]{24}", (drawn / "airflow_admin_password").read_text())
    password = (drawn / "postgres_password").read_text()
    assert f":{password}@postgres:5432/" in (drawn / "admin_url").read_text()
    broker = (drawn / "broker_password").read_text()
    assert (drawn / "broker_url").read_text() == f"redis://:{broker}@broker:6379/0"
    assert ":5432/" in (drawn / "backup_url").read_text()
    for name in ("anchors", "alert_routes", "sftp_keys"):  # a person's to fill in
        assert [x for x in (drawn / name).read_text().splitlines() if not x.startswith("#")] == []


def test_without_the_source_the_next_step_is_said(tmp_path: Path) -> None:
    done = _make_secrets(tmp_path)
    assert done.returncode == 1
    assert "source_url.example" in done.stderr


def test_files_that_variables_name_are_mounted(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            named = re.match(r"/run/secrets/(\w+)$|.*/docker/bin/secret (\w+)$", str(value))
            if named and (name, variable) not in NOT_MOUNTED:
                assert (named[1] or named[2]) in service["secrets"], f"{name}: {variable}"


def test_no_secret_stands_in_the_environment(compose: dict[str, Any]) -> None:
    secret_like = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|WEBHOOK|ROUTES|_CONN|_URL")
    harmless = re.compile(
        r"_FILE$|_CMD$|BASE_URL$|API_SERVER_URL$|_DROP_URL$|_LANDING_URL$|AIRFLOW_URL$|OPENLINEAGE_URL$"
    )
    for name, service in compose["services"].items():
        for variable in service.get("environment", {}):
            if secret_like.search(variable):
                assert harmless.search(variable), f"{name}: {variable}"


def test_the_superuser_is_known_to_the_migration_alone(compose: dict[str, Any]) -> None:
    knowing = {n for n, s in compose["services"].items() if "admin_url" in s.get("secrets", [])}
    assert knowing == {"airflow-init"}


def test_airflow_knows_every_option_set_for_it(compose: dict[str, Any]) -> None:
    import airflow

    template = Path(airflow.__path__[0]) / "config_templates" / "config.yml"
    options = yaml.safe_load(template.read_text(encoding="utf-8"))
    seen = set()
    for service in compose["services"].values():
        for variable in service.get("environment", {}):
            if not variable.startswith("AIRFLOW__"):
                continue
            _, section, option = variable.lower().split("__")
            command = option.endswith("_cmd")
            if section == "celery":  # of a provider in the image alone: docker/requirements.in
                assert option in {"broker_url_cmd", "worker_concurrency"}
                continue
            known = options[section]["options"][option.removesuffix("_cmd")]
            if command:
                assert known.get("sensitive") is True, f"{variable}: _CMD works for secrets alone"
            seen.add(option)
    assert {"sql_alchemy_conn_cmd", "fernet_key_cmd", "jwt_secret_cmd"} <= seen


def test_project_services_are_one_image_with_no_more_rights_than_needed(
    compose: dict[str, Any],
) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service.get("cap_add") is None or name in CAPABILITIES, name
        if name not in FOREIGN:
            assert service["image"] == f"{IMAGES.get(name, 'chotso')}:{version}", name
            assert service["build"]["context"] == ".", name
        if name != "postgres":
            assert service["cap_drop"] == ["ALL"], name


def test_logs_are_bounded(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}, name


def test_drafts_stand_on_a_volume(compose: dict[str, Any]) -> None:
    """What is being read is as large as a feed, and `/tmp` is memory."""
    for name, service in compose["services"].items():
        place = service.get("environment", {}).get("TMPDIR")
        mounted = [volume.split(":")[1] for volume in service.get("volumes", [])]
        assert place is None or place in mounted, name
        if "pseudonym_key" in service.get("secrets", []):
            assert place == "/var/lib/chotso/drafts", f"{name} reads the source"


def test_who_looks_reaches_the_routes(compose: dict[str, Any]) -> None:
    for name in ("airflow-scheduler", "airflow-worker", "watch"):
        service = compose["services"][name]
        for route in ("alert_routes", "alert_webhook"):
            variable = f"CHOTSO_{route.upper()}_FILE"
            assert service["environment"][variable] == f"/run/secrets/{route}"
            assert route in service["secrets"], name
        assert "outer" in service["networks"], name


def test_who_reads_dag_files_knows_airflow_s_secrets_alone(compose: dict[str, Any]) -> None:
    """It hands failed runs to the watch by the volume that both have (tests/watch/test_telling)."""
    for name in ("airflow-dag-processor", "airflow-triggerer", "airflow-apiserver"):
        service = compose["services"][name]
        ours = {secret for secret in service["secrets"] if not secret.startswith("airflow_")}
        assert ours == {"broker_url"}, name
        named = {variable for variable in service["environment"] if variable.startswith("CHOTSO_")}
        assert named == {"CHOTSO_SCHEDULES"}, name
    for name in ("airflow-dag-processor", "watch"):
        assert "watch:/var/lib/chotso/watch" in compose["services"][name]["volumes"]
    assert "home:/var/lib/chotso" not in compose["services"]["airflow-dag-processor"]["volumes"]


def test_who_checks_releases_has_the_anchors_and_cannot_write_them(compose: dict[str, Any]) -> None:
    for name in ("airflow-scheduler", "airflow-worker", "watch", "chotso"):
        service = compose["services"][name]
        assert service["environment"]["CHOTSO_ANCHOR_FILE"] == "/run/secrets/anchors"
        assert "anchors" in service["secrets"], name


def test_the_watch_sees_what_a_freeze_will_see(compose: dict[str, Any]) -> None:
    """It tells what the next one would lack: a key, a folder that can be written."""
    watch, worker = (compose["services"][name] for name in ("watch", "airflow-worker"))
    logs = {"logs:/var/log/airflow", "logs:/var/log/airflow:ro"}
    assert set(watch["volumes"]) - logs == set(worker["volumes"]) - logs
    ours = {"warehouse_url", "source_url", "pseudonym_key", "anchors"}
    ours |= {"alert_routes", "alert_webhook"}
    assert set(watch["secrets"]) == ours <= set(worker["secrets"])


def test_a_worker_is_a_scheduler_without_the_scheduling(compose: dict[str, Any]) -> None:
    worker, scheduler = (compose["services"][f"airflow-{n}"] for n in ("worker", "scheduler"))
    for key in ("environment", "secrets", "volumes", "networks", "image"):
        assert worker[key] == scheduler[key], key


def test_backups_know_no_key_and_no_other_login(compose: dict[str, Any]) -> None:
    for name in ("backup", "wal"):
        assert compose["services"][name]["secrets"] == ["backup_url"]
    written = {v.split(":")[0] for v in compose["services"]["backup"]["volumes"] if v[-3:] != ":ro"}
    assert written == {"backup"}
    rules = (ROOT / "docker" / "pg_hba.conf").read_text().splitlines()
    used = [line.split() for line in rules if line and not line.startswith("#")]
    assert [rule[2] for rule in used if rule[1] == "replication"] == ["chotso_backup"]
    assert {rule[-1] for rule in used} == {"peer", "scram-sha-256"}, "nobody is trusted"


def test_the_second_lock_agrees_with_the_first() -> None:
    """The image installs both; the second one is what services on more than one machine add."""
    pins = [
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text("utf-8"), re.MULTILINE))
        for path in (ROOT / "requirements.lock", ROOT / "docker" / "requirements.lock")
    ]
    first, second = pins
    assert {"apache-airflow-providers-celery", "apache-airflow-providers-fab"} <= second.keys()
    assert {name: second[name] for name in first if name in second} == {
        name: first[name] for name in first if name in second
    }
    text = (ROOT / "docker" / "requirements.lock").read_text("utf-8")
    assert not re.search(r"https?:|file:|^-|@ ", text, re.MULTILINE)


def test_the_host_sees_the_web_interfaces_alone(compose: dict[str, Any]) -> None:
    ports = {n: s["ports"] for n, s in compose["services"].items() if "ports" in s}
    assert ports == {
        "airflow-apiserver": ["127.0.0.1:8080:8080"],
        "superset": ["127.0.0.1:8088:8088"],
        "sftp": ["2222:2222"],  # for those who deliver files, from elsewhere
    }


def test_volumes_and_networks_are_declared_and_used(compose: dict[str, Any]) -> None:
    for kind in ("volumes", "networks"):
        used = {
            entry.split(":")[0]
            for service in compose["services"].values()
            for entry in service.get(kind, [])
        }
        assert used == set(compose[kind]), kind


def test_commands_are_those_of_the_native_run(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for word in [*service.get("entrypoint", []), *service.get("command", [])][:1]:
            if word.startswith("/opt/chotso/"):
                _assert_in_repository(word)
            else:
                assert word in {"airflow", "chotso", "postgres", "sh"}, f"{name}: {word}"


def test_container_scripts_are_executable_shell() -> None:
    for script in (*(ROOT / "docker" / "bin").iterdir(), ROOT / "docker" / "make-secrets"):
        if script.suffix != ".py" and script.is_file():
            assert os.access(script, os.X_OK), script
            shell = script.read_text().splitlines()[0].split("/")[-1].split()[-1]
            checked = subprocess.run([shell, "-n", script], capture_output=True, text=True)
            assert checked.returncode == 0, checked.stderr


def test_the_image_installs_what_the_lock_pins_and_no_secret_enters_it() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.startswith("#")
    assert "--require-hashes --no-deps -r /build/requirements.lock" in dockerfile
    assert "--require-hashes --no-deps -r /build/services.lock" in dockerfile
    assert re.search(r"^FROM python:3\.11-slim", dockerfile, re.MULTILINE)
    assert re.search(r"^USER \$\{CHOTSO_UID\}:0$", dockerfile, re.MULTILINE), "a number"
    context = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in context if line and not line.startswith("#")) == "*"
    assert {line for line in context if line.startswith("!docker")} == {
        "!docker/bin", "!docker/requirements.lock", "!docker/sshd_config"
    }  # fmt: skip


def _interpolated(compose: dict[str, Any]) -> dict[str, Any]:
    """A copy of the file as Compose sees it: `${NAME:-default}` replaced by the default."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", json.dumps(compose))
    copied: dict[str, Any] = json.loads(text)
    return copied


def _assert_in_repository(argument: str) -> None:
    if argument.startswith("/opt/chotso/"):
        path = ROOT / argument.removeprefix("/opt/chotso/")
        assert path.is_file(), f"{argument} is not in the repository"


def _make_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "docker" / "make-secrets", folder], capture_output=True, text=True, timeout=30
    )
