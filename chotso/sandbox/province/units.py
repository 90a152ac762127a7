"""The province's agencies: real district names and GSO codes, from `units.csv` beside this file."""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

PROVINCE_CODE = "072"
PROVINCE_NAME = "Tây Ninh"

# Approximate shares of the population by district, in the order of the GSO codes; invented.
POPULATION_SHARES = (0.115, 0.086, 0.118, 0.1, 0.119, 0.122, 0.132, 0.058, 0.15)
# Districts that became thị xã on this date; their agencies' names changed with it.
TOWNSHIP_DATE = date(2020, 2, 1)
FOUNDED_DATE = date(1995, 10, 1)


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency: the province (level 1), the provincial office or a district office (level 2)."""

    code: str
    name: str
    parent_code: str | None
    level: int
    district_code: str | None
    valid_from: date
    communes: tuple[str, ...]


def _district_name(name: str, kind: str) -> str:
    return f"{kind.lower()} {name.removeprefix(kind).strip()}"


@cache
def agencies() -> tuple[Agency, ...]:
    """The eleven agencies, `072` first, then `07200`..`07209`."""
    text = files(__package__).joinpath("units.csv").read_text(encoding="utf-8")
    districts: dict[str, tuple[str, str, list[str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        empty: list[str] = []
        entry = (row["district_name"], row["district_type"], empty)
        districts.setdefault(row["district_code"], entry)[2].append(row["commune_name"])
    found = [
        Agency(PROVINCE_CODE, f"Bảo hiểm xã hội tỉnh {PROVINCE_NAME}", None, 1, None,
               FOUNDED_DATE, ()),
        Agency("07200", f"Văn phòng Bảo hiểm xã hội tỉnh {PROVINCE_NAME}", PROVINCE_CODE, 2, None,
               FOUNDED_DATE, ()),
    ]  # fmt: skip
    for ordinal, (code, (name, kind, communes)) in enumerate(sorted(districts.items()), start=1):
        since = TOWNSHIP_DATE if kind == "Thị xã" else FOUNDED_DATE
        title = f"Bảo hiểm xã hội {_district_name(name, kind)}"
        found.append(
            Agency(f"072{ordinal:02d}", title, PROVINCE_CODE, 2, code, since, tuple(communes))
        )
    return tuple(found)


def offices() -> tuple[Agency, ...]:
    """The ten agencies that have employers and sheets: `07200`..`07209`, index 0..9."""
    return agencies()[1:]
