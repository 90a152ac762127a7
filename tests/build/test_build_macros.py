"""What a build leaves out of dbt: macros that nothing reaches, and lines for debugging."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chotso.build import log
from chotso.build.macros import drop_unused


def _macro(package: str, path: str, *calls: str) -> Any:
    return SimpleNamespace(
        package_name=package, original_file_path=path, depends_on=SimpleNamespace(macros=calls)
    )


def test_only_what_the_project_reaches_stays_of_the_families() -> None:
    test = SimpleNamespace(depends_on=SimpleNamespace(macros=["dbt.test_unique"]))
    macros = {
        "ours": _macro("chotso", "macros/exact.sql", "dbt.cast", "dbt.gone"),
        "dbt.cast": _macro("dbt", "macros/utils/cast.sql", "dbt.default__cast"),
        "dbt.default__cast": _macro("dbt", "macros/utils/cast.sql"),
        "dbt.hash": _macro("dbt", "macros/utils/hash.sql"),
        "dbt.snapshot": _macro("dbt", "macros/materializations/snapshots/snapshot.sql"),
        "dbt.kind_of_test": _macro("dbt", "macros/materializations/tests/test.sql"),
        "dbt.list_relations": _macro("dbt", "macros/adapters/metadata.sql"),
        "dbt.test_unique": _macro("dbt", "tests/generic/builtin.sql"),
    }
    manifest = SimpleNamespace(
        macros=macros,
        nodes={"test": test},
        unit_tests={},
    )
    drop_unused(manifest)
    assert set(macros) - set(manifest.macros) == {"dbt.hash", "dbt.snapshot"}


def test_the_log_keeps_what_is_told_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_CHOTSO_PASSWORD", "hush")
    at = SimpleNamespace(ToJsonString=lambda: "1970-01-01T00:00:01Z")

    def event(level: str, text: str) -> Any:
        return SimpleNamespace(info=SimpleNamespace(level=level, msg=text, ts=at))

    path = tmp_path / "logs" / "dbt.log"
    with log.kept_in(path) as keep:
        keep(event("debug", "a thousand of these"))
        keep(event("info", "1 of 98 OK"))
        keep(event("error", "a model failed: hush"))
    assert path.read_text("utf-8").splitlines() == [
        "1970-01-01T00:00:01Z [info] 1 of 98 OK",
        "1970-01-01T00:00:01Z [error] a model failed: *****",
    ]
