"""A release in pandas: the values of the files, to the last digit, under types that keep them."""

import contextlib
import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError
from chotso.release.data.canonical import kind_of, render
from chotso.release.data.tables import TABLES
from chotso.reports.data import records
from chotso.reports.frames import read_frame
from tests.worlds import report_worlds as worlds

PAGE = PROJECT_ROOT / "docs" / "marts.md"


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return worlds.province(tmp_path_factory.mktemp("province"))


def _python(value: object, kind: str) -> object:
    """A frame's value as the release renders it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if kind == "date":
        assert isinstance(value, pd.Timestamp)
        return value.date()
    if kind == "instant":
        assert isinstance(value, pd.Timestamp)
        return value.to_pydatetime()
    if kind == "integer":
        assert isinstance(value, int)
    return bool(value) if kind == "boolean" else value


def test_every_file_is_what_its_frame_says(province: Path) -> None:
    specs = [spec for spec in TABLES if (province / spec.path).is_file()]
    assert len(specs) > 10
    for spec in specs:
        header, *lines = records(province / spec.path)
        frame = read_frame(province, spec.name)
        assert not [c for c in frame.columns if pd.api.types.is_float_dtype(frame[c].dtype)]
        columns = [column for column in spec.columns if column.name in header]
        assert len(columns) == len(header)
        for line, (_, row) in zip(lines, frame.iterrows(), strict=True):
            values = {c.name: _python(row[c.name], c.kind) for c in columns}
            for column in columns:
                field = render(values[column.name], kind_of(column, values))
                plain = field[1:-1].replace('""', '"') if field.startswith('"') else field
                said = line[header.index(column.name)]
                assert plain == ("\\N" if said is None else said), (spec.name, column.name)


def test_a_missing_number_makes_no_float_and_a_sum_is_exact(tmp_path: Path) -> None:
    folder = worlds.province(tmp_path)
    path = folder / "data" / "attainment.csv"
    header, first, second, *_ = path.read_text("utf-8").split("\n")
    names = header.split(",")

    def line(template: str, **changed: str) -> str:
        fields = dict(zip(names, template.split(","), strict=True)) | changed
        return ",".join(fields.values())

    large = {"quarantined_money": "9007199254740993", "attainment_ratio": "0.100000000"}
    none = {"quarantined_money": "\\N", "attainment_ratio": "0.200000000"}
    path.write_text("\n".join([header, line(first, **large), line(second, **none), ""]), "utf-8")
    frame = read_frame(folder, "attainment")
    assert frame["quarantined_money"].tolist() == [9007199254740993, pd.NA]
    assert frame["quarantined_money"].sum() == 9007199254740993
    assert frame["attainment_ratio"].sum() == Decimal("0.300000000")
    guessed = pd.read_csv(path, na_values="\\N")["quarantined_money"].sum()
    assert int(guessed) != 9007199254740993, "the naive reader has lost a đồng"


def test_what_is_no_figure_is_refused(tmp_path: Path) -> None:
    folder = worlds.province(tmp_path)
    with pytest.raises(ChotsoError, match=r"no figures 'plan'") as told:
        read_frame(folder, "plan")
    assert "attainment" in str(told.value)
    with pytest.raises(ChotsoError, match="no folder of a release"):
        read_frame(tmp_path / "elsewhere", "attainment")
    path = folder / "data" / "attainment.csv"
    path.write_text(path.read_text("utf-8").replace("2021-12-01", "December", 1), "utf-8")
    with pytest.raises(ChotsoError, match="holds what its columns cannot"):
        read_frame(folder, "attainment")


def test_the_pages_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    made = worlds.province(tmp_path / "made")
    folder = tmp_path / ".chotso" / "releases" / "sprint-2021-q4"
    folder.parent.mkdir(parents=True)
    made.rename(folder)
    monkeypatch.chdir(tmp_path)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(example, str(PAGE), "exec"), {})
    frame = read_frame(folder, "attainment")
    december = frame[frame["month"] == pd.Timestamp(date(2021, 12, 1))]
    name = december[december["is_met"].eq(False)]["agency_name"].iloc[0]
    assert name in shown.getvalue()
