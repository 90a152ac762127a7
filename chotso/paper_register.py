"""Who issues the papers of a release: `config/papers.yml`, as the bundle holds it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from chotso.strict_models import StrictModel

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\n]*$")
]


class PaperRegister(StrictModel):
    """`config/papers.yml`: the parts of an official heading that differ from office to office.

    Every field may be left out: releases from before the register have no such file.
    """

    superior_agency: Line | None = None
    """The agency above, as its name stands on papers; left out if there is none."""
    agency: Line | None = None
    """The issuing agency, as its name stands on papers."""
    symbol: Line | None = None
    """What follows the number, as BC-BHXH."""
    place: Line | None = None
    """Where the papers are issued, as in `Tây Ninh, ngày …`."""
    signers: list[Line] = Field(
        default_factory=lambda: ["Người lập", "Người kiểm tra", "Giám đốc"],
        min_length=1,
        max_length=4,
    )
    """Titles over the places to sign, from left to right."""
