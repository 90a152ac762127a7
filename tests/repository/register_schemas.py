"""The JSON Schema of each register, for editors: made from the models that read them.

`python -m tests.repository.register_schemas` writes `config/schemas/*.json` anew.
"""

import json
from pathlib import Path

from chotso import PROJECT_ROOT
from chotso.contracts import Contract, HelperTable
from chotso.ingest.exemptions import ExemptionRegister
from chotso.ingest.rule_models import RuleRegister
from chotso.label_register import LabelRegister
from chotso.orchestration.countdown import Countdown
from chotso.paper_register import PaperRegister
from chotso.registers import MeasureRegister, MetricRegister, PeriodRegister
from chotso.release.bundle.signers import SignerRegister
from chotso.strict_models import StrictModel
from chotso.watch.limits import Limits

FOLDER = PROJECT_ROOT / "config" / "schemas"
# Schema by name: the model, and the files that it describes, as a pattern under the project.
REGISTERS: dict[str, tuple[type[StrictModel], str]] = {
    "exemptions": (ExemptionRegister, "config/exemptions.yml"),
    "feed": (Contract, "config/feeds/*.yml"),
    "helper": (HelperTable, "config/helpers/*.yml"),
    "labels": (LabelRegister, "config/labels.yml"),
    "measures": (MeasureRegister, "config/measures.yml"),
    "metrics": (MetricRegister, "config/metrics.yml"),
    "papers": (PaperRegister, "config/papers.yml"),
    "periods": (PeriodRegister, "config/periods.yml"),
    "refresh": (Countdown, "config/operations/refresh.yml"),
    "rules": (RuleRegister, "expectations/register.yml"),
    "signers": (SignerRegister, "config/signers.yml"),
    "watch": (Limits, "config/operations/watch.yml"),
}


def schema_text(name: str) -> str:
    """The schema as its file holds it."""
    model, _ = REGISTERS[name]
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_path(name: str) -> Path:
    """Where the schema lies."""
    return FOLDER / f"{name}.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in REGISTERS:
        schema_path(each).write_text(schema_text(each), encoding="utf-8")
    print(f"{FOLDER}: {len(REGISTERS)} schemas")
