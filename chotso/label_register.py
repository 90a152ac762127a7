"""What people read instead of a code: `config/labels.yml`. No figure depends on it."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from chotso.strict_models import StrictModel, refuse_twice

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Label(StrictModel):
    """What people read instead of a code."""

    code: Annotated[str, StringConstraints(min_length=1)]
    vi: Text
    en: Text


class LabelRegister(StrictModel):
    """`config/labels.yml`: texts for the codes of each kind, in the order of charts."""

    labels: dict[str, list[Label]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_each_code_once(self) -> Self:
        for kind, labels in self.labels.items():
            refuse_twice(kind, [label.code for label in labels])
        return self
