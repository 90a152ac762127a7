"""The base of all registers' models: strict types, and texts for their errors."""

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from chotso.errors import ChotsoError
from chotso.yaml_reader import NotYamlError, read_yaml


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

    @classmethod
    def of_file(cls, path: Path, kept: str) -> Self:
        """The only entry of a YAML file.

        Args:
            path: The file.
            kept: What goes on without it, for the error.

        Raises:
            ChotsoError: The file is missing or does not fit; each fault is named.
        """
        try:
            return cls.of_content(read_yaml(path.read_bytes()))
        except (OSError, NotYamlError, ValidationError) as error:
            raise ChotsoError(
                f"{path} cannot be used: {'; '.join(faults_of(error))}",
                kept=kept,
                next_step="mend the file.",
            ) from error


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
