"""Who may do what in Airflow: each role's user asks for it over the API of Compose's API server."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from chotso.local.airflow_home import ADMIN
from tests.pipeline.composed import Composed, what_is_missing
from tests.pipeline.container import private_network
from tests.pipeline.images import SERVICES

URL = "http://127.0.0.1:8080"
ROLES = ("Watcher", "Operator", "Sealer")
NIGHTLY, SEALING = ("extract_registers", "build_warehouse"), ("freeze_results", "verify_releases")
PASSWORD = "a password of a person in a test"
MISSING = what_is_missing(environment=SERVICES)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.pipeline,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


@dataclass(frozen=True)
class Office:
    """The services, and each user's way into them."""

    services: Composed
    users: dict[str, httpx.Client]
    runs: dict[str, str]  # by DAG: a run to work on; no scheduler takes it up

    def asks(self, role: str, method: str, path: str, json: object = None) -> int:
        """The status that a user of this role is answered."""
        return self.users[role].request(method, path, json=json).status_code


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    folder = Path(tempfile.mkdtemp(prefix="chotso-roles-", dir="/var/tmp"))
    folder.chmod(0o755)
    services = Composed(folder / "compose", {}, changed={"CHOTSO_SCHEDULES": "off"})
    with private_network():
        try:
            services.draw_secrets("postgresql://nobody:x@source:5432/tst")
            api_server = services.up("airflow-apiserver")
            assert api_server.run(["airflow", "dags", "reserialize"], 600), api_server.text()
            for role in ROLES:
                name = role.lower()
                create = f"airflow users create --role {role} --username {name}"
                person = f"--firstname {role} --lastname X --email {name}@example.vn"
                command = [*create.split(), *person.split(), "--password", PASSWORD]
                assert api_server.run(command, 600), api_server.text()
            yield _opened(services)
        finally:
            services.down()
            shutil.rmtree(folder, ignore_errors=True)


def _opened(services: Composed) -> Office:
    drawn = services.secret("airflow_admin_password").read_text("utf-8")
    users = {role: _client(role.lower(), PASSWORD) for role in ROLES} | {
        "Admin": _client(ADMIN, drawn)
    }
    admin = users["Admin"]
    runs = {}
    for dag_id in (*NIGHTLY, *SEALING):
        made = admin.post(f"/dags/{dag_id}/dagRuns", json=new_run(dag_id))
        assert made.is_success, made.text
        runs[dag_id] = made.json()["dag_run_id"]
    return Office(services, users, runs)


def new_run(dag_id: str) -> dict[str, object]:
    """What a person fills in to trigger a DAG."""
    conf = {"period_id": "sprint-2021-q4"} if dag_id == "freeze_results" else {}
    return {"logical_date": None, "conf": conf}


def token(user: str, password: str) -> httpx.Response:
    named = {"username": user, "password": password}
    return httpx.post(f"{URL}/auth/token", json=named, timeout=300)


def _client(user: str, password: str) -> httpx.Client:
    answer = token(user, password)
    assert answer.is_success, answer.text
    held = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=f"{URL}/api/v2", headers=held, timeout=300)


# Role: what it may change.
MAY_CHANGE = {
    "Watcher": (),
    "Operator": NIGHTLY,
    "Sealer": SEALING,
    "Admin": (*NIGHTLY, *SEALING),
}


@pytest.mark.parametrize("role", MAY_CHANGE)
def test_everybody_sees_dags_runs_and_assets(office: Office, role: str) -> None:
    paths = ["/dags", "/assets"]
    for dag_id, run_id in office.runs.items():
        run = f"/dags/{dag_id}/dagRuns/{run_id}"
        paths += [f"/dags/{dag_id}/details", run, f"{run}/taskInstances"]
    assert {path: office.asks(role, "GET", path) for path in paths} == dict.fromkeys(paths, 200)


@pytest.mark.parametrize("role", MAY_CHANGE)
def test_each_role_changes_its_dags_and_no_other(office: Office, role: str) -> None:
    answered, expected = {}, {}
    for dag_id, run_id in office.runs.items():
        dag, run = f"/dags/{dag_id}", f"/dags/{dag_id}/dagRuns/{run_id}"
        asked = {
            "trigger": ("POST", f"{dag}/dagRuns", new_run(dag_id)),
            "clear": ("POST", f"{dag}/clearTaskInstances", {"dag_run_id": run_id, "dry_run": True}),
            "mark": ("PATCH", run, {"state": "failed"}),
            "pause": ("PATCH", dag, {"is_paused": True}),
        }
        for what, (method, path, body) in asked.items():
            answered[dag_id, what] = office.asks(role, method, path, body)
            expected[dag_id, what] = 200 if dag_id in MAY_CHANGE[role] else 403
    assert answered == expected


@pytest.mark.parametrize("role", MAY_CHANGE)
def test_connections_and_users_are_an_admins(office: Office, role: str) -> None:
    users = f"{URL}/auth/fab/v1/users"
    answered = [office.asks(role, "GET", path) for path in ("/connections", "/variables", users)]
    assert answered == [200 if role == "Admin" else 403] * 3


def test_a_stranger_and_a_wrong_password_are_refused(office: Office) -> None:
    assert httpx.get(f"{URL}/api/v2/dags", timeout=300).status_code == 401
    assert [token(ADMIN, "admin").status_code, token("nobody", PASSWORD).status_code] == [401, 401]


def test_the_database_holds_hashes_and_init_leaves_users_as_they_are(office: Office) -> None:
    url = office.services.secret("airflow_db_url").read_text("utf-8")
    drawn = office.services.secret("airflow_admin_password").read_text("utf-8")

    def users() -> dict[str, str]:
        local = url.replace("+psycopg2", "").replace("@postgres:", "@127.0.0.1:")
        with psycopg.connect(local) as connection:
            return dict(connection.execute("select username, password from ab_user").fetchall())

    before = users()
    assert set(before) == {ADMIN, *(role.lower() for role in ROLES)}
    assert not [kept for kept in before.values() if drawn in kept or PASSWORD in kept]
    office.services.secret("airflow_admin_password").write_text("another", encoding="utf-8")
    office.services.run("airflow-init")
    assert users() == before


def test_another_jwt_secret_ends_every_login(office: Office) -> None:
    """docs/rotation.md: people log in again. The last test, for the API server starts anew."""
    services = office.services
    services.secret("airflow_jwt_secret").write_text("another " * 8, encoding="utf-8")
    assert office.asks("Operator", "GET", "/dags") == 200  # read once, when a service starts
    services.running.pop("airflow-apiserver").kill()
    services.up("airflow-apiserver")
    refused = office.users["Operator"].get("/dags")
    assert (refused.status_code, refused.json()["detail"]) == (403, "Invalid JWT token")
    assert _client("operator", PASSWORD).get("/dags").status_code == 200
