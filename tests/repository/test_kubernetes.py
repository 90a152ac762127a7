"""deploy/kubernetes without a cluster: its files agree with each other, the image and the lock."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repository.commands import refuse_unknown

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
IMAGE = f"registry.example.vn/chotso:{VERSION}"


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / "chotso.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: pod for each in objects if (pod := _pod(each))}


def _pod(each: dict[str, Any]) -> dict[str, Any] | None:
    spec = each["spec"].get("jobTemplate", each)["spec"]
    found: dict[str, Any] | None = spec.get("template", {}).get("spec")
    return found


def _claims(volumes: list[dict[str, Any]]) -> Iterator[str]:
    for volume in volumes:
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]


def test_the_workloads_are_the_known_ones(pods: dict[str, Any]) -> None:
    assert set(pods) == {"chotso-migrate", "chotso-watch", "chotso-backup"}


def test_nothing_runs_as_root_or_writes_its_image(pods: dict[str, Any]) -> None:
    for name, pod in pods.items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 1000, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in (*pod["initContainers"], *pod["containers"]):
            assert container["image"] == IMAGE, name
            allowed = container["securityContext"]
            assert allowed["allowPrivilegeEscalation"] is False, name
            assert allowed["readOnlyRootFilesystem"] is True, name
            assert allowed["capabilities"] == {"drop": ["ALL"]}, name


def test_volumes_are_mounted_and_claims_exist(
    objects: list[dict[str, Any]], pods: dict[str, Any], values: dict[str, Any]
) -> None:
    made = {o["metadata"]["name"] for o in objects if o["kind"] == "PersistentVolumeClaim"}
    used = {values["logs"]["persistence"]["existingClaim"]}
    parts = [(part["extraVolumes"], part.get("extraInitContainers", []), part["extraVolumeMounts"])
             for part in (values["scheduler"], values["dagProcessor"])]  # fmt: skip
    parts += [
        (pod["volumes"], pod["initContainers"], pod["containers"][0]["volumeMounts"])
        for pod in pods.values()
    ]
    for volumes, inits, mounts in parts:
        used |= set(_claims(volumes))
        mounted = [m["name"] for init in inits for m in init["volumeMounts"]]
        assert {volume["name"] for volume in volumes} == {*mounted, *(m["name"] for m in mounts)}
    assert used == made


def test_secrets_are_referred_to_and_each_file_that_is_named_is_there(
    objects: list[dict[str, Any]], pods: dict[str, Any], values: dict[str, Any]
) -> None:
    assert "Secret" not in {each["kind"] for each in objects}
    page = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    for name, pod in pods.items():
        secret = pod["volumes"][0]["secret"]
        keys = {item["key"] for item in secret["items"]}
        environment = pod["containers"][0]["env"]
        named = {Path(e["value"]).name for e in environment if str(e["value"]).startswith("/run/")}
        assert named == keys, name
        assert re.search(rf"^\| `{secret['secretName']}` \|", page, re.MULTILINE), secret
    told = re.search(r"^\| `chotso` \| (`warehouse_url`.*?) \|", page, re.MULTILINE)
    assert told is not None
    of_tasks = [*values["env"], *values["scheduler"]["env"]]
    named = {Path(e["value"]).name for e in of_tasks if e["value"].startswith("/run/")}
    assert named == set(re.findall(r"`(\w+)`", told[1]))


def test_the_superuser_is_known_to_the_migration_alone(pods: dict[str, Any]) -> None:
    knowing = [name for name, pod in pods.items() if "admin_url" in str(pod)]
    assert knowing == ["chotso-migrate"]


def test_commands_exist(pods: dict[str, Any]) -> None:
    for pod in pods.values():
        refuse_unknown(pod["containers"][0]["command"])


def test_the_chart_runs_our_image_with_the_locked_airflow(values: dict[str, Any]) -> None:
    image = values["images"]["airflow"]
    assert f"{image['repository']}:{image['tag']}" == IMAGE
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert f"\napache-airflow=={values['airflowVersion']} " in lock


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def _ours(names: Iterable[str]) -> set[str]:
    """Variables that every container has in Compose by its image, and here by its manifest."""
    return {name for name in names if name.startswith("CHOTSO_")} | {"TMPDIR", "CHOTSO_HOME"}


def test_tasks_have_what_compose_gives_them(
    values: dict[str, Any], compose: dict[str, Any]
) -> None:
    """Both name the same settings, so that neither is forgotten."""
    there = compose["airflow-scheduler"]["environment"]
    ours = {e["name"] for e in (*values["env"], *values["scheduler"]["env"])}
    assert _ours(there) == {n for n in ours if not n.startswith("AIRFLOW__")}
    for name in ours:
        if name.startswith("AIRFLOW__"):
            assert name in there, name


def test_the_watch_sees_what_a_freeze_will_see(
    pods: dict[str, Any], values: dict[str, Any], compose: dict[str, Any]
) -> None:
    """It tells what the next one would lack: a key, a folder that can be written."""
    (watch,) = pods["chotso-watch"]["containers"]
    given = {each["name"]: each["value"] for each in watch["env"]}
    assert given.keys() == _ours(compose["watch"]["environment"])
    of_tasks = {e["name"]: e["value"] for e in (*values["env"], *values["scheduler"]["env"])}
    for name in given.keys() - {"TMPDIR"}:
        assert given[name] == of_tasks[name], name
    mounted = {m["name"] for m in watch["volumeMounts"]}
    assert mounted == {m["name"] for m in values["scheduler"]["extraVolumeMounts"]}


@pytest.mark.parametrize(
    ("pod", "service", "by_place"),
    [
        # of what services share, the migration and the backup are given what they use
        ("chotso-migrate", "airflow-init", {"CHOTSO_WAREHOUSE_URL_FILE", "CHOTSO_SOURCE_URL_FILE",
                                            "CHOTSO_ADMIN_URL_FILE"}),
        ("chotso-watch", "watch", None),
        ("chotso-backup", "backup", None),
    ],
)  # fmt: skip
def test_the_other_services_have_what_compose_gives_them(
    pods: dict[str, Any],
    compose: dict[str, Any],
    pod: str,
    service: str,
    by_place: set[str] | None,
) -> None:
    (container,) = pods[pod]["containers"]
    there = compose[service]["environment"]
    assert {each["name"] for each in container["env"]} == _ours(by_place or there)
    assert (by_place or set()) <= set(there)
    mounted = {item["key"] for item in pods[pod]["volumes"][0]["secret"]["items"]}
    assert mounted <= set(compose[service]["secrets"])
    if by_place is None:
        assert mounted == set(compose[service]["secrets"])


def test_who_reads_dag_files_knows_airflow_s_secrets_alone(values: dict[str, Any]) -> None:
    """It hands failed runs to the watch by the volume that both have."""
    assert "secret" not in str(values["dagProcessor"])
    assert "/run/chotso" not in str(values["env"])
    claims = _claims(values["dagProcessor"]["extraVolumes"])
    assert list(claims) == ["chotso-home"]


def test_the_watch_is_healthy_while_it_looks(pods: dict[str, Any], compose: dict[str, Any]) -> None:
    (watch,) = pods["chotso-watch"]["containers"]
    assert watch["livenessProbe"]["exec"]["command"] == compose["watch"]["healthcheck"]["test"][1:]


def test_users_and_roles_are_as_with_compose(values: dict[str, Any]) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    there = compose["services"]["airflow-apiserver"]["environment"]["AIRFLOW__CORE__AUTH_MANAGER"]
    assert values["config"]["core"]["auth_manager"] == there
    job = values["createUserJob"]
    python, script, password_file = job["args"]
    init = (ROOT / "docker" / "bin" / "init").read_text(encoding="utf-8")
    assert f"{python} {script} /run/secrets/airflow_admin_password\n" in init
    (volume,), (mount,) = job["extraVolumes"], job["extraVolumeMounts"]
    (item,) = volume["secret"]["items"]
    assert f"{mount['mountPath']}/{item['path']}" == password_file
    page = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    name = volume["secret"]["secretName"]
    assert re.search(rf"^\| `{name}` \|.*`{item['key']}`", page, re.MULTILINE)


def test_the_manifests_are_valid_kubernetes(objects: list[dict[str, Any]]) -> None:
    validator = pytest.importorskip(
        "kubernetes_validate", reason="its schemas are too large to be part of the environment"
    )
    for each in objects:
        validator.validate(each, "1.34", strict=True)
