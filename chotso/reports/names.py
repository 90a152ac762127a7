"""Short names of agencies and metrics, where a chart or a table has no room for whole ones."""

import re
from collections import Counter
from collections.abc import Mapping

_INSURANCE = re.compile(r"^(bảo hiểm xã hội|bhxh)\s+", re.IGNORECASE)
_UNIT = re.compile(r"^(huyện|thị xã|thành phố|quận|tỉnh)\s+", re.IGNORECASE)
_GROUPS = {"person": "Số người tham gia", "vnd": "Số thu", "fraction": "Tỷ lệ nợ"}


def short_name(name: str, is_province: bool = False) -> str:
    """`Dương Minh Châu` of `Bảo hiểm xã hội huyện Dương Minh Châu`; `Toàn tỉnh Tây Ninh`.

    The same rule makes `agency_short_name` in the marts. A name that is left with nothing, or that
    does not begin with the insurance's, is given back as it is.

    Args:
        name: The agency's name.
        is_province: Whether the agency is of the first level.
    """
    place = _INSURANCE.sub("", name)
    unit = _UNIT.match(place)
    if place == name and not unit:
        return name
    bare = _UNIT.sub("", place).strip()
    if not bare:
        return name
    if not is_province:
        return bare
    whole = unit[1].lower() if unit and unit[1].lower() == "thành phố" else "tỉnh"
    return f"Toàn {whole} {bare}"


def short_names(names: Mapping[str, tuple[str, bool]]) -> dict[str, str]:
    """Short names by code; agencies whose short names would be equal keep their unit.

    Args:
        names: By code, the name and whether it is a province.
    """
    short = {code: short_name(*named) for code, named in names.items()}
    times = Counter(short.values())
    return {
        code: said if times[said] == 1 else _INSURANCE.sub("", names[code][0])
        for code, said in short.items()
    }


def metric_group(unit: str) -> str:
    """What metrics of a unit have in common: Số người tham gia, Số thu, Tỷ lệ nợ."""
    return _GROUPS.get(unit, "Khác")


def metric_short_name(name: str, unit: str) -> str:
    """A metric's name without what its group says: `BHXH bắt buộc`, `Tổng`, `Chung`."""
    group = _GROUPS.get(unit, "")
    for begins in (f"{group} ", f"{group} của "):
        if group and name.lower().startswith(begins.lower()):
            rest = name[len(begins) :].strip()
            return rest[:1].upper() + rest[1:]
    if group and name.lower().endswith(f" {group.lower()}"):
        return name[: -len(group)].strip()
    return name
