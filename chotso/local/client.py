"""A small typed client of Airflow's REST API: unpause, create runs, wait for them, read states."""

import secrets
import time
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_incrementing

from chotso.errors import ChotsoError

FINISHED = frozenset({"success", "failed"})
PAGE = 100
TIMEOUT_S = 30.0
READ_TRIES = 3


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG.

    Attributes:
        state: `queued`, `running`, `success` or `failed`.
        partition_key: The business date, `YYYY-MM-DD`; None for a run without one.
        run_type: `manual` (by API or hand), `scheduled`, `asset_triggered` or `backfill`.
    """

    dag_id: str
    run_id: str
    state: str
    partition_key: str | None
    run_type: str


@dataclass(frozen=True)
class Task:
    """One task of a run; `state` is None while it has not been scheduled."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int
    pid: int | None
    seconds: float | None


class _Login(httpx.Auth):
    """A token for the user's name and password; a new one is requested if it is refused."""

    requires_response_body = True

    def __init__(self, user: str, password: str) -> None:
        self._named = {"username": user, "password": password}
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for _ in range(2):
            if self._token is None:
                answer = yield httpx.Request(
                    "POST", request.url.join("/auth/token"), json=self._named
                )
                self._token = str(answer.raise_for_status().json()["access_token"])
            request.headers["Authorization"] = f"Bearer {self._token}"
            if (yield request).status_code != httpx.codes.UNAUTHORIZED:
                return
            self._token = None  # expired: a token is valid for a day


@dataclass
class AirflowClient:
    """A client of one API server for one user.

    Args:
        url: Address of the API server, e.g. `http://127.0.0.1:8080`.
        user: Name of the user.
        password: The user's password; exchanged for a token, which is renewed when it expires.
        while_waiting: Called repeatedly while this client waits.
    """

    url: str
    user: str
    password: str = field(repr=False)
    while_waiting: Callable[[], None] = field(default=lambda: None, repr=False)

    def is_healthy(self) -> bool:
        """Whether database, scheduler and DAG processor all report that they are healthy."""
        try:
            health = self._request("GET", "/api/v2/monitor/health", authenticated=False)
        except ChotsoError:
            return False
        return all(
            health.get(part, {}).get("status") == "healthy"
            for part in ("metadatabase", "scheduler", "dag_processor")
        )

    def dag_ids(self) -> list[str]:
        """The DAGs that Airflow knows now."""
        return [str(dag["dag_id"]) for dag in self._pages("/api/v2/dags", "dags")]

    def import_errors(self) -> dict[str, str]:
        """Files with DAGs that Airflow could not import, with the traceback."""
        found = self._pages("/api/v2/importErrors", "import_errors")
        return {str(error["filename"]): str(error["stack_trace"]) for error in found}

    def wait_for_dags(self, dag_ids: Collection[str], timeout_s: float = 60) -> None:
        """Wait until the DAG processor has delivered all these DAGs.

        Raises:
            ChotsoError: Some are missing; the import errors are named.
        """

        def missing() -> list[str]:
            return sorted(set(dag_ids) - set(self.dag_ids()))

        if not self._wait(lambda: not missing(), timeout_s):
            errors = "\n".join(f"{name}:\n{text}" for name, text in self.import_errors().items())
            raise ChotsoError(
                f"Airflow does not know {', '.join(missing())} after {timeout_s:.0f} s. {errors}",
                next_step="mend what the errors name; `.venv/bin/pytest tests/dags/test_dags.py` "
                "shows the same errors faster.",
            )

    def unpause(self, dag_ids: Iterable[str]) -> None:
        """Unpause these DAGs; a paused DAG does not run, and assets do not trigger it."""
        for dag_id in dag_ids:
            self._request("PATCH", f"/api/v2/dags/{_quoted(dag_id)}", {"is_paused": False})

    def create_run(
        self, dag_id: str, business_date: date | None = None, conf: dict[str, Any] | None = None
    ) -> DagRun:
        """Create a run; for a business date if the DAG is partitioned by it.

        The run's id begins with the date: Airflow's lists show the first characters only.
        """
        body: dict[str, Any] = {"logical_date": None, "conf": conf or {}}
        if business_date is not None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            body["partition_key"] = business_date.isoformat()
            body["dag_run_id"] = f"manual__{business_date}__{now}__{secrets.token_hex(4)}"
        return _run(self._request("POST", f"/api/v2/dags/{_quoted(dag_id)}/dagRuns", body))

    def runs(self, dag_id: str, business_date: date | None = None) -> list[DagRun]:
        """Runs of a DAG, oldest first; only those of a business date if it is given."""
        path = f"/api/v2/dags/{_quoted(dag_id)}/dagRuns"
        runs = [_run(found) for found in self._pages(path, "dag_runs", order_by="id")]
        if business_date is None:
            return runs
        return [run for run in runs if run.partition_key == business_date.isoformat()]

    def run(self, run: DagRun) -> DagRun:
        """The current state of a run."""
        path = f"/api/v2/dags/{_quoted(run.dag_id)}/dagRuns/{_quoted(run.run_id)}"
        return _run(self._request("GET", path))

    def tasks(self, run: DagRun) -> list[Task]:
        """The tasks of a run."""
        path = f"/api/v2/dags/{_quoted(run.dag_id)}/dagRuns/{_quoted(run.run_id)}/taskInstances"
        return [_task(found) for found in self._pages(path, "task_instances")]

    def wait_for_run(
        self,
        dag_id: str,
        business_date: date,
        *,
        timeout_s: float,
        known: Collection[str] = (),
    ) -> DagRun:
        """Wait until something else (an asset) has created a run, and until it has ended.

        Args:
            dag_id: The DAG.
            business_date: The run's partition.
            timeout_s: How long to wait in all, in seconds.
            known: Ids of runs that do not count.

        Raises:
            ChotsoError: No such run was created in time, or it did not end in time.
        """
        deadline = time.monotonic() + timeout_s
        run = self.wait_until_created(dag_id, business_date, timeout_s=timeout_s, known=known)
        if run is None:
            raise ChotsoError(
                f"No run of {dag_id} for {business_date} was created within {timeout_s:.0f} s.",
                next_step=f"look at the assets of {dag_id} in {self.url}; "
                "`reconcile_warehouse` finds dates that an event was lost for.",
            )
        return self.wait([run], timeout_s=deadline - time.monotonic())[0]

    def wait_until_created(
        self,
        dag_id: str,
        business_date: date,
        *,
        timeout_s: float,
        known: Collection[str] = (),
    ) -> DagRun | None:
        """Wait until something else has created a run; None if nothing does in time.

        Args:
            dag_id: The DAG.
            business_date: The run's partition.
            timeout_s: How long to wait, in seconds.
            known: Ids of runs that do not count.
        """
        found: list[DagRun] = []

        def is_there() -> bool:
            found[:] = [r for r in self.runs(dag_id, business_date) if r.run_id not in known]
            return bool(found)

        return found[-1] if self._wait(is_there, timeout_s) else None

    def wait(self, runs: Iterable[DagRun], *, timeout_s: float) -> list[DagRun]:
        """Wait until the runs have ended, with success or failure.

        Raises:
            ChotsoError: Some have not ended within `timeout_s` seconds.
        """
        latest = list(runs)

        def is_over() -> bool:
            # One run at a time is enough: the first that still runs delays the answer anyway.
            for place, run in enumerate(latest):
                if run.state not in FINISHED:
                    latest[place] = self.run(run)
                    if latest[place].state not in FINISHED:
                        return False
            return True

        if not self._wait(is_over, timeout_s):
            late = ", ".join(f"{r.dag_id} ({r.state})" for r in latest if r.state not in FINISHED)
            raise ChotsoError(
                f"Not finished within {timeout_s:.0f} s: {late}.",
                next_step=f"look at these runs in {self.url}.",
            )
        return latest

    def clear(self, run: DagRun, task_ids: Collection[str]) -> None:
        """Clear tasks of a run, so that they run again."""
        self._request(
            "POST",
            f"/api/v2/dags/{_quoted(run.dag_id)}/clearTaskInstances",
            {
                "dry_run": False,
                "dag_run_id": run.run_id,
                "task_ids": sorted(task_ids),
                "include_downstream": True,
                "only_failed": False,
                "reset_dag_runs": True,
            },
        )

    def _wait(self, condition: Callable[[], bool], seconds: float, pause_s: float = 0.5) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.while_waiting()
            time.sleep(pause_s)
        return True

    def _pages(self, path: str, name: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            paging = {**query, "limit": str(PAGE), "offset": str(len(found))}
            answer = self._request("GET", path, query=paging)
            found += answer[name]
            if not answer[name] or len(found) >= int(answer["total_entries"]):
                return found

    @cached_property
    def _http(self) -> httpx.Client:
        # Proxies of the environment are not used, because the server is on this machine.
        return httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False)

    @cached_property
    def _login(self) -> _Login:
        return _Login(self.user, self.password)

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        authenticated: bool = True,
    ) -> Any:
        # A busy server may be slow; only requests that change nothing are retried.
        tries = READ_TRIES if method == "GET" and authenticated else 1
        login = self._login if authenticated else None
        retrying = Retrying(
            stop=stop_after_attempt(tries),
            wait=wait_incrementing(1, 1),
            retry=retry_if_exception_type(httpx.TransportError),
            reraise=True,
        )
        try:
            answer = retrying(self._http.request, method, path, json=body, params=query, auth=login)
            answer.raise_for_status()
        except httpx.TransportError as error:
            raise ChotsoError(
                f"Airflow does not answer at {self.url}: {error}",
                next_step="start it with `make up`, or read its logs if it runs.",
            ) from error
        except httpx.HTTPStatusError as error:
            refused = error.response
            raise ChotsoError(
                f"Airflow answered {refused.status_code} to {method} {path}: {refused.text}",
                next_step=f"look at {self.url} and at the log of the API server.",
            ) from error
        return answer.json() if answer.content else None


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _run(found: dict[str, Any]) -> DagRun:
    return DagRun(
        dag_id=found["dag_id"],
        run_id=found["dag_run_id"],
        state=found["state"],
        partition_key=found.get("partition_key"),
        run_type=found["run_type"],
    )


def _task(found: dict[str, Any]) -> Task:
    return Task(
        dag_id=found["dag_id"],
        run_id=found["dag_run_id"],
        task_id=found["task_id"],
        map_index=found["map_index"],
        state=found["state"],
        try_number=found["try_number"],
        pid=found["pid"],
        seconds=found["duration"],
    )
