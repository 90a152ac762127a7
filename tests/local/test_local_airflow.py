"""The local Airflow's folder and processes: secrets once and private, started and ended by id."""

import configparser
import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError
from chotso.local import airflow as local
from chotso.local import airflow_home, processes
from chotso.local.airflow_home import AirflowHome
from chotso.sandbox import state

SECRETS = (("core", "fernet_key"), ("api", "secret_key"), ("api_auth", "jwt_secret"))


@pytest.fixture
def home(tmp_path: Path) -> AirflowHome:
    server = state.SandboxServer.new(port=1, data_dir=tmp_path / "d", log_file=tmp_path / "l")
    state.write(tmp_path, server)
    return AirflowHome(tmp_path)


def config_of(home: AirflowHome) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    assert config.read(home.config_file)
    return config


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_secrets_are_drawn_once_and_private(home: AirflowHome) -> None:
    airflow_home.prepare(home)
    first = {place: config_of(home).get(*place) for place in SECRETS}
    password = home.password()
    airflow_home.prepare(home)
    assert {place: config_of(home).get(*place) for place in SECRETS} == first
    assert home.password() == password
    assert len(set(first.values())) == len(SECRETS)
    for path in (home.config_file, home.password_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_tasks_find_the_api_wherever_its_port_is(home: AirflowHome) -> None:
    airflow_home.prepare(home)
    config = config_of(home)
    base_url = config["api"]["base_url"]
    assert base_url == f"http://127.0.0.1:{config['api']['port']}" == home.url()
    assert config["core"]["execution_api_server_url"] == f"{base_url}/execution/"
    assert config["api"]["host"] == "127.0.0.1"
    assert config["database"]["sql_alchemy_conn"].startswith("postgresql+psycopg2://airflow:")


def test_a_dag_vanishes_only_after_several_failed_readings(home: AirflowHome) -> None:
    airflow_home.prepare(home)
    config = config_of(home)
    between = config.getint("dag_processor", "min_file_process_interval")
    limit = config.getint("dag_processor", "dag_file_processor_timeout")
    assert config.getint("core", "dagbag_import_timeout") < limit
    assert config.getint("dag_processor", "stale_dag_threshold") >= 3 * (between + limit)
    # With Airflow's own threshold, the first reading that is killed takes the DAGs away.
    assert between + limit > 50


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("core", "default_timezone"),
        ("core", "dagbag_import_timeout"),
        ("dag_processor", "min_file_process_interval"),
        ("dag_processor", "dag_file_processor_timeout"),
        ("dag_processor", "stale_dag_threshold"),
        ("dag_processor", "refresh_interval"),
    ],
)
def test_the_containers_are_set_up_alike(home: AirflowHome, section: str, option: str) -> None:
    airflow_home.prepare(home)
    compose = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text("utf-8"))
    variable = f"AIRFLOW__{section.upper()}__{option.upper()}"
    assert compose["x-airflow-environment"][variable] == config_of(home)[section][option]


def test_only_our_own_variables_reach_the_programs(
    home: AirflowHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("CHOTSO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "SomebodyElses")
    monkeypatch.setenv("PGPASSWORD", "somebody-elses")
    monkeypatch.setenv("CHOTSO_ALERT_WEBHOOK", "http://127.0.0.1:1/")
    env = airflow_home.environment(home, schedules=False)
    assert not {"AIRFLOW__CORE__EXECUTOR", "PGPASSWORD"} & set(env)
    assert env["CHOTSO_ALERT_WEBHOOK"] == "http://127.0.0.1:1/"
    assert env["CHOTSO_SCHEDULES"] == "off"
    assert env["CHOTSO_HOME"] == str(home.chotso_home)
    monkeypatch.setenv("CHOTSO_SCHEDULES", "on")
    assert airflow_home.environment(home, schedules=False)["CHOTSO_SCHEDULES"] == "on"


def test_without_a_database_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChotsoError, match="chotso sandbox start"):
        airflow_home.prepare(AirflowHome(tmp_path))
    assert local.stop(tmp_path) is False


def test_a_process_is_ended_with_all_that_it_left_in_its_session(tmp_path: Path) -> None:
    # The child outlives its parent, as a worker outlives a scheduler that was killed.
    code = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    part = processes.start(
        "part", [sys.executable, "-c", code], {}, tmp_path / "part.log", tmp_path / "run"
    )
    assert part.is_running
    assert processes.recorded("part", tmp_path / "run") == part
    wait_until(lambda: len(processes.session_members(part)) == 2)
    os.kill(part.pid, signal.SIGKILL)
    wait_until(lambda: not part.is_running)
    assert len(processes.session_members(part)) == 1
    processes.stop(part, tmp_path / "run", patience_s=5)
    assert processes.session_members(part) == []
    assert processes.recorded("part", tmp_path / "run") is None


def test_a_stranger_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    run = tmp_path / "run"
    part = processes.start("part", ["sleep", "60"], {"PATH": os.defpath}, tmp_path / "log", run)
    stranger = processes.Component("part", part.pid, part.started_ticks + 1)
    assert not stranger.is_running
    processes.stop(stranger, run, patience_s=1)
    assert part.is_running
    processes.stop(part, run, patience_s=5)
    assert not part.is_running
