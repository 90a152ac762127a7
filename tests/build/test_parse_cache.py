"""The dbt project as an earlier process parsed it: used while it stands, never for a release."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dbt.parser.manifest import ManifestLoader

from chotso.build import runner
from chotso.build.dbt import build_variables
from chotso.registers import load_registers
from chotso.settings import Settings

pytestmark = pytest.mark.lengthy

SILENT = ["--log-level", "none", "--log-level-file", "none", "--no-write-json"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    return Settings(
        home=home,
        warehouse_url=nowhere,
        admin_url=nowhere,
        source_url=nowhere,
        drop_url=str(home),
        landing_url=str(home / "landing"),
        releases_dir=home / "releases",
        pseudonym_key_file=home / "pseudonym.key",
        embedded=False,
    )


@pytest.fixture(autouse=True)
def parsed_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Another process has parsed nothing yet; notes which kinds of files are parsed."""
    monkeypatch.setattr(runner, "_PARSED", {})
    parse, seen = ManifestLoader.parse_project, list[str]()

    def noted(self: Any, project: Any, files: Any, kinds: Any) -> None:
        seen.extend(files)
        parse(self, project, files, kinds)

    monkeypatch.setattr(ManifestLoader, "parse_project", noted)
    return seen


def nodes(settings: Settings, hour: int, *, is_parsed_anew: bool = False) -> set[str]:
    """The project's nodes as one process finds them, for a build of some instant."""
    instant = datetime(2021, 12, 31, hour, tzinfo=UTC)
    variables = build_variables(load_registers(), instant, instant)
    schema = f"explain_{hour}"
    manifest = runner._manifest(settings, schema, variables, SILENT, is_parsed_anew, [])
    assert {node.schema for node in manifest.nodes.values()} == {schema}
    return set(manifest.nodes)


def test_a_later_process_parses_nothing_whatever_its_instants(
    settings: Settings, parsed_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nodes(settings, 1)
    parsed_files.clear()
    monkeypatch.setattr(runner, "_PARSED", {})
    assert nodes(settings, 2) == first
    assert parsed_files == []


def test_a_release_parses_anew(settings: Settings, parsed_files: list[str]) -> None:
    first = nodes(settings, 3)
    parsed_files.clear()
    assert nodes(settings, 4, is_parsed_anew=True) == first
    assert parsed_files != []


def test_a_damaged_cache_is_passed_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = nodes(settings, 5)
    cache: Path = settings.home / "dbt" / "parsed" / "partial_parse.msgpack"
    cache.write_bytes(cache.read_bytes()[:1000])
    monkeypatch.setattr(runner, "_PARSED", {})
    assert nodes(settings, 6) == first


def test_the_manifest_is_written_whole_when_it_is_missing_or_the_project_has_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settings.home / "dbt" / "marts_build" / "target" / "manifest.json"
    nodes(settings, 6)
    manifest = json.loads(path.read_text("utf-8"))
    assert manifest["exposures"]
    assert manifest["nodes"]["model.chotso.fct_contribution"]["schema"] == "marts_build"
    path.write_text("kept")
    monkeypatch.setattr(runner, "_PARSED", {})
    nodes(settings, 7)
    assert path.read_text() == "kept"
    cache = settings.home / "dbt" / "parsed" / "partial_parse.msgpack"
    later = path.stat().st_mtime + 1
    os.utime(cache, (later, later))  # as if dbt had written it for a changed project
    monkeypatch.setattr(runner, "_PARSED", {})
    nodes(settings, 8)
    assert path.read_text() != "kept"


def test_a_manifest_that_cannot_be_written_stops_nothing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    target = settings.home / "dbt" / "marts_build" / "target"
    for path in target.glob("*"):
        path.unlink()
    target.rmdir()
    target.write_text("a file in its place")
    assert nodes(settings, 9)
    assert "manifest.json could not be written" in caplog.text
