"""The base of all registers' models: strict types, and texts for their errors."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class StrictModel(BaseModel):
    """An entry of a register: no unknown fields, and no value is converted to another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @classmethod
    def of_content(cls, content: Any) -> Self:
        """The entry, from content that `read_yaml` returned.

        JSON's strict mode reads dates, instants and decimals from text, and converts nothing else.

        Raises:
            pydantic.ValidationError: The content does not fit; see `faults_of`.
        """
        return cls.model_validate_json(json.dumps(content))


def faults_of(error: Exception) -> list[str]:
    """One sentence for each error, which begins with its place."""
    if not isinstance(error, ValidationError):
        return [str(error)]
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()
    ]


def refuse_twice(what: str, codes: list[str]) -> None:
    """Raise ValueError if a code stands twice in a register's list."""
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValueError(f"{what} stands twice: {', '.join(twice)}")
