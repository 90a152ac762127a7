"""Compose's Superset: started by its very command after a first night, it shows the dashboards."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from chotso.calendar import night_of
from chotso.sandbox import place
from chotso.sandbox import server as sandbox
from tests.pipeline.composed import Composed, what_is_missing
from tests.pipeline.container import private_network
from tests.pipeline.images import SERVICES, SUPERSET
from tests.pipeline.running import advance_province, seed_province

URL = "http://127.0.0.1:8088"
DAY = date(2021, 12, 28)
EVERYBODYS = {"tien-do-thi-dua", "don-doc-no"}
ENGINEERS = {"chat-luong-du-lieu", "van-hanh"}
MISSING = what_is_missing(environment=SERVICES) or what_is_missing(environment=SUPERSET)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.pipeline,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


@pytest.fixture(scope="module")
def services() -> Iterator[Composed]:
    folder = Path(tempfile.mkdtemp(prefix="chotso-bi-", dir="/var/tmp"))
    folder.chmod(0o755)
    home = folder / "source"
    made = Composed(folder / "compose", {"COMPOSE_PROFILES": "bi"})
    with private_network():
        try:
            source = sandbox.start(home)
            drop = made.volume("drop")
            seed_province(source, home, drop)
            advance_province(source, home, drop, night_of(DAY))
            for path in drop.rglob("*"):
                path.chmod(0o644)
            made.draw_secrets(source.source_url)
            made.up("postgres")
            made.run("airflow-init")
            made.run("chotso", "nightly", "--date", DAY.isoformat())
            made.up("superset")  # after airflow-init once more, as docs/bi.md says
            yield made
        finally:
            made.down()
            sandbox.stop(home)
            shutil.rmtree(place.relocation_of(home.resolve()), ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


def logged_in(services: Composed, user: str) -> httpx.Client:
    """A session of a user, by the password that the service drew."""
    lines = (services.volume("bi") / "passwords.txt").read_text("utf-8").splitlines()
    drawn = dict(line.split() for line in lines if line and not line.startswith("#"))
    client = httpx.Client(base_url=f"{URL}/api/v1", timeout=120)
    named = {"username": user, "password": drawn[user], "provider": "db"}
    answer = client.post("/security/login", json=named)
    assert answer.is_success, answer.text
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    token = client.get("/security/csrf_token/").json()["result"]
    client.headers.update({"X-CSRFToken": token, "Referer": URL})
    return client


def asked(client: httpx.Client, statement: str) -> list[dict[str, Any]]:
    """Rows of a statement in SQL Lab."""
    (database,) = client.get("/database/").json()["result"]
    body = {"database_id": database["id"], "sql": statement, "runAsync": False}
    answer = client.post("/sqllab/execute/", json=body)
    assert answer.is_success, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def test_each_user_finds_his_dashboards(services: Composed) -> None:
    for user, slugs in (("giamdoc", EVERYBODYS), ("kysu", EVERYBODYS | ENGINEERS)):
        listed = logged_in(services, user).get("/dashboard/").json()["result"]
        assert {each["slug"] for each in listed} == slugs, user


def test_figures_are_the_marts(services: Composed) -> None:
    statement = (
        "select sum(actual_to_date) as collected from marts.fct_monthly_attainment "
        "where metric_code = 'collection_total' and not is_province"
    )
    url = services.secret("admin_url").read_text("utf-8").replace("@postgres:", "@127.0.0.1:")
    with psycopg.connect(url) as connection:
        expected = connection.execute(statement.encode()).fetchone()
    assert expected is not None
    assert expected[0] > 0
    (shown,) = asked(logged_in(services, "kysu"), statement)
    assert int(shown["collected"]) == expected[0]


def test_the_service_knows_no_superuser(services: Composed) -> None:
    """Its logins are its users', and each has only what his groups may read."""
    held = "".join(
        path.read_text("utf-8", errors="replace")
        for path in services.volume("bi").rglob("*")
        if path.is_file()
    )
    for name in ("postgres_password", "warehouse_url"):
        assert services.secret(name).read_text("utf-8") not in held, name
    refused = logged_in(services, "giamdoc").post("/sqllab/execute/", json={"sql": "select 1"})
    assert refused.status_code in (401, 403)
