"""The register of labels: `config/labels.yml`. Texts only; no figure depends on them."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from chotso.strict_models import StrictModel

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Label(StrictModel):
    """What people read instead of a code."""

    code: Text
    vi: Text
    en: Text


class LabelRegister(StrictModel):
    """`config/labels.yml`: texts for the codes of each kind, in the order of charts."""

    labels: dict[str, list[Label]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_each_code_once(self) -> Self:
        for kind, labels in self.labels.items():
            codes = [label.code for label in labels]
            if twice := sorted({code for code in codes if codes.count(code) > 1}):
                raise ValueError(f"{kind}: {', '.join(twice)} stand twice")
        return self
