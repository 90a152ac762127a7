"""The register of planted faults, `faults.yml`: what is replaced, and who must notice it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from chotso.yaml_reader import read_yaml

REGISTER = Path(__file__).with_name("faults.yml")


class Fault(BaseModel):
    """One fault of the product.

    Attributes:
        id: Its name.
        kind: What it is about, e.g. `figures`.
        does: One sentence.
        file: The file it is planted in.
        text: What is replaced; it stands in the file exactly once.
        by: What replaces it.
        noticed_by: Tests that must notice it, as pytest takes them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: str
    does: str
    file: str
    text: str
    by: str
    noticed_by: list[str]

    def planted(self, content: str) -> str:
        """The file's content with the fault.

        Raises:
            ValueError: The text does not stand there exactly once.
        """
        if content.count(self.text) != 1:
            raise ValueError(f"{self.id}: {content.count(self.text)} times in {self.file}")
        return content.replace(self.text, self.by)


def read_faults(path: Path = REGISTER) -> list[Fault]:
    """All faults, in the register's order."""
    return [Fault.model_validate(entry) for entry in read_yaml(path.read_bytes())["faults"]]
