"""The schemas that editors read are those of the models, and they fit what is written."""

import json
from typing import Any

import jsonschema
import pytest

from chotso import PROJECT_ROOT
from chotso.yaml_reader import read_yaml
from tests.repository.register_schemas import FOLDER, REGISTERS, schema_path, schema_text

PAGE = PROJECT_ROOT / "docs" / "maintaining.md"
WRITTEN = [
    (name, path)
    for name, (_, pattern) in REGISTERS.items()
    for path in sorted(PROJECT_ROOT.glob(pattern))
]


def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(schema_path(name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", REGISTERS)
def test_the_schema_is_that_of_the_model(name: str) -> None:
    message = "run `python -m tests.repository.register_schemas`"
    assert schema_path(name).read_text(encoding="utf-8") == schema_text(name), message


def test_every_schema_is_of_a_register_and_every_register_has_one() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(REGISTERS)
    described = {path for _, path in WRITTEN}
    written = {*PROJECT_ROOT.glob("config/**/*.yml"), PROJECT_ROOT / "expectations/register.yml"}
    assert described == written


@pytest.mark.parametrize(("name", "path"), WRITTEN, ids=lambda each: getattr(each, "stem", each))
def test_what_is_written_fits_its_schema(name: str, path: Any) -> None:
    assert list(_validator(name).iter_errors(read_yaml(path.read_bytes()))) == []


@pytest.mark.parametrize(("name", "path"), WRITTEN, ids=lambda each: getattr(each, "stem", each))
def test_an_editor_sees_a_field_that_is_none(name: str, path: Any) -> None:
    content = read_yaml(path.read_bytes()) | {"unknown_field": 1}
    (fault,) = _validator(name).iter_errors(content)
    assert "unknown_field" in fault.message


def test_an_editor_sees_a_value_that_is_none() -> None:
    content = read_yaml((PROJECT_ROOT / "config/metrics.yml").read_bytes())
    content["metrics"][0]["kind"] = "shares"
    (fault,) = _validator("metrics").iter_errors(content)
    assert fault.json_path == "$.metrics[0].kind"


def test_the_page_has_an_editors_settings_for_every_schema() -> None:
    page = PAGE.read_text(encoding="utf-8")
    settings = json.loads(page.split("```json\n", 1)[1].split("```", 1)[0])
    assert settings == {
        "yaml.schemas": {
            f"./config/schemas/{name}.json": pattern for name, (_, pattern) in REGISTERS.items()
        }
    }
