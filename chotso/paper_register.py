"""Who issues the papers of a release: `config/papers.yml`, as the bundle holds it."""

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from chotso.strict_models import StrictModel

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
PaperLine = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\n]*$")
]


class PaperRegister(StrictModel):
    """`config/papers.yml`: the parts of an official heading that differ from office to office.

    Every field may be left out: releases from before the register have no such file.
    """

    superior_agency: PaperLine | None = None
    """The agency above, as its name stands on papers; left out if there is none."""
    agency: PaperLine | None = None
    """The issuing agency, as its name stands on papers."""
    symbol: PaperLine | None = None
    """What follows the number, as BC-BHXH."""
    place: PaperLine | None = None
    """Where the papers are issued, as in `Tây Ninh, ngày …`."""
    signers: list[PaperLine] = Field(
        default_factory=lambda: ["Người lập", "Người kiểm tra", "Giám đốc"],
        min_length=1,
        max_length=4,
    )
    """Titles over the places to sign, from left to right."""

    def issuers(self) -> tuple[str, str]:
        """The agency above and the issuing one, in capitals; empty where one is not named."""
        return (self.superior_agency or "").upper(), (self.agency or "").upper()

    def place_and_day(self, day: date | None) -> str:
        """`Tây Ninh, ngày 31 tháng 12 năm 2021`; without a day, room to write one."""
        told = "ngày …… tháng …… năm ………"
        if day is not None:
            # the decree wants a zero before days below 10 and before the first two months
            month = f"{day.month:02d}" if day.month < 3 else str(day.month)
            told = f"ngày {day.day:02d} tháng {month} năm {day.year}"
        return f"{self.place}, {told}" if self.place else told
