"""`chotso verify --deep` as it is asked for and answered; what it finds is tested elsewhere."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chotso.cli.app import app
from chotso.release.check import deep
from chotso.verifier.verify import Finding
from tests.worlds import bundles

FOUND = Finding("made-again", "data/attainment.csv", "another one when made again", 3)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """The archives and bundles that were asked about; a row is found in each."""
    calls: list[tuple[str, Path]] = []

    def verify_deep(landing_url: str, bundle: Path, **_: object) -> deep.Rebuilt:
        calls.append((landing_url, bundle))
        return deep.Rebuilt("0" * 64, [FOUND], bundle, ["payments/2021-12-01/a"], [])

    monkeypatch.setattr(deep, "verify_deep", verify_deep)
    return calls


def test_what_is_found_fails_and_names_the_row(
    tmp_path: Path, asked: list[tuple[str, Path]]
) -> None:
    root = bundles.write(tmp_path, bundles.all_files(), bundles.manifest_of(bundles.all_files()))
    asking = ["verify", str(tmp_path), "--deep", "--landing", "/copy", "--json"]
    for anchor in ([], ["--anchor", root]):
        answer = CliRunner().invoke(app, [*asking, *anchor])
        assert answer.exit_code == 1
        told = json.loads(answer.stdout)
        assert told["status"] == "failed"
        assert [(each["path"], each["row"]) for each in told["findings"]] == [(FOUND.path, 3)]
        assert any("payments/2021-12-01/a" in note for note in told["notes"])
    assert asked == [("/copy", tmp_path)] * 2
    # A bundle that is not whole is not worth a build.
    (tmp_path / "data/attainment.csv").write_bytes(b"")
    assert CliRunner().invoke(app, asking).exit_code == 1
    assert len(asked) == 2


def test_wrong_usage_is_said(tmp_path: Path, asked: list[tuple[str, Path]]) -> None:
    for arguments in (["--deep"], ["--landing", "/copy"]):
        assert CliRunner().invoke(app, ["verify", str(tmp_path), *arguments]).exit_code == 2
    assert asked == []
