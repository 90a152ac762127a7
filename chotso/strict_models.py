"""What all registers have in common: a model that bends no value, and how its faults are told."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class StrictModel(BaseModel):
    """An entry of a register: no unknown field, no value bent into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @classmethod
    def of_content(cls, content: Any) -> Self:
        """The entry from content as `read_yaml` gives it.

        JSON's strict mode takes dates, instants and decimals from text, and bends nothing else.

        Raises:
            pydantic.ValidationError: The content does not fit; see `faults_of`.
        """
        return cls.model_validate_json(json.dumps(content))


def faults_of(error: Exception) -> list[str]:
    """What is wrong, one sentence for each fault, headed by its place."""
    if not isinstance(error, ValidationError):
        return [str(error)]
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()
    ]
