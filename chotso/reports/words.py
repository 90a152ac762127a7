"""How figures and codes are written in Vietnamese: 1.234.567 đồng, 98,25 %, 31/12/2021 17:00."""

import unicodedata
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from chotso.calendar import LOCAL_ZONE
from chotso.reports.data import FigureValue

REHEARSAL = "DIỄN TẬP – KHÔNG CÓ GIÁ TRỊ"
NOTHING = "–"
UNITS = {"vnd": "đồng", "person": "người", "fraction": "%"}
GROUPS = {"si": "BHXH", "ui": "BHTN", "hi": "BHYT", "total": "Chung", "voluntary": "BHXH tự nguyện"}
VARIANTS = {
    "total_receivable": "Nợ ÷ phải thu lũy kế",
    "total_plan": "Nợ ÷ kế hoạch năm",
    "interest_bearing_receivable": "Nợ tính lãi ÷ phải thu lũy kế",
    "interest_bearing_plan": "Nợ tính lãi ÷ kế hoạch năm",
}
PLAN_STATUSES = {
    "in_force": "Đang có hiệu lực",
    "zero": "Kế hoạch bằng 0",
    "not_yet": "Chưa có hiệu lực",
    "none": "Chưa giao",
}
PLAN_OF_ZERO = "KH 0"
PLAN_OF_ZERO_LEGEND = (
    f"{PLAN_OF_ZERO}: kế hoạch được giao bằng 0, thực hiện bao nhiêu cũng là đạt; không có tỷ lệ "
    "so với kế hoạch."
)
PLAN_OF_ZERO_RANKED = (
    f"{PLAN_OF_ZERO}: chỉ tiêu có kế hoạch được giao bằng 0 là đạt, nhưng không có gì để chấm "
    "điểm, nên theo thể lệ của đợt không được xét."
)
_WITHOUT_VERDICT = {
    "none": "Chưa giao KH", "not_yet": "KH chưa hiệu lực", "zero": f"– ({PLAN_OF_ZERO})",
}  # fmt: skip
PARTICIPANTS = {"agency": "Đơn vị", "officer": "Cán bộ thu"}
KINDS = {
    "original": "Bản chốt chính thức",
    "corrigendum": "Bản đính chính",
    "rehearsal": "Bản diễn tập – không có giá trị",
}
STATUSES = {
    "active": "Đang hoạt động",
    "suspended": "Tạm dừng",
    "dissolved": "Giải thể",
    "bankrupt": "Phá sản",
}
DEBT_CLASSES = {
    "none": "Không nợ",
    "late": "Chậm đóng",
    "overdue": "Nợ quá hạn",
    "long_overdue": "Nợ kéo dài",
    "unknown_age": "Nợ chưa rõ số tháng",
    "hard_to_collect": "Nợ khó thu",
}
STAKES = {"collection": "số thu", "arrears": "số nợ", "plan": "kế hoạch thu"}
_WIDE = Context(prec=200)


def number(figure: int | Decimal, decimals: int = 0) -> str:
    """1.234.567 or, with decimals, 1.234,50; halves are rounded away from zero."""
    exact = Decimal(figure).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)
    if exact == 0:
        exact = abs(exact)
    return f"{exact:,f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def percent(ratio: Decimal | int, beside: FigureValue = None) -> str:
    """98,25 %, with a non-breaking space.

    Args:
        ratio: The fraction.
        beside: The fraction that it is compared with. If both differ but look equal with two
            decimals, more decimals are shown, so that nobody sees 0,90 % compared with 0,90 %.
    """
    said = ""
    for decimals in (2, 4, 7):
        said = _percent(Decimal(ratio), decimals)
        if not isinstance(beside, int | Decimal) or ratio == beside:
            break
        if said != _percent(Decimal(beside), decimals):
            break
    return said


def _percent(ratio: Decimal, decimals: int) -> str:
    return f"{number(ratio.scaleb(2, _WIDE), decimals)}\u00a0%"


def figure(
    amount: FigureValue, unit: str, with_unit: bool = True, beside: FigureValue = None
) -> str:
    """A metric's figure: đồng and persons whole, fractions in per cent, null as a dash."""
    if not isinstance(amount, int | Decimal) or isinstance(amount, bool):
        return NOTHING
    if unit == "fraction":
        return percent(amount, beside)
    return f"{number(amount)}\u00a0{UNITS.get(unit, unit)}" if with_unit else number(amount)


def day(moment: date) -> str:
    """31/12/2021."""
    return f"{moment.day:02d}/{moment.month:02d}/{moment.year:04d}"


def month(moment: date) -> str:
    """12/2021."""
    return f"{moment.month:02d}/{moment.year:04d}"


def instant(moment: datetime) -> str:
    """17:00 ngày 31/12/2021, in Vietnamese time; seconds only if they are not zero."""
    local = moment.astimezone(LOCAL_ZONE)
    seconds = f":{local.second:02d}" if local.second else ""
    return f"{local.hour:02d}:{local.minute:02d}{seconds} ngày {day(local)}"


def verdict(is_met: FigureValue, plan_status: FigureValue = None) -> str:
    """Whether a plan was met, in words; without a plan, why there is nothing to say.

    A plan of 0 is said the same way wherever a verdict stands: it is met, as by any figure.

    Args:
        is_met: As the figures say; None if there is no plan or no figure.
        plan_status: The plan's status code, where it is known.
    """
    if isinstance(is_met, bool):
        said = "Đạt" if is_met else "Không đạt"
        return f"{said} ({PLAN_OF_ZERO})" if plan_status == "zero" else said
    return _WITHOUT_VERDICT.get(str(plan_status), NOTHING)


def in_fours(digest: str, a_line: int = 16) -> str:
    """A hash in groups of four characters, for reading aloud, `a_line` characters per line."""
    groups = [digest[start : start + 4] for start in range(0, len(digest), 4)]
    lines = [groups[start : start + a_line] for start in range(0, len(groups), a_line)]
    return "\n".join(" ".join(line) for line in lines)


def shown(text: str, longest: int | None = None) -> str:
    """A text made safe to show: controls and direction marks become U+FFFD; long texts are cut.

    Args:
        text: Anything.
        longest: The maximum number of characters; the last one is an ellipsis if text was cut.
    """
    clean = "".join(_visible(letter) for letter in text)
    return clean if longest is None or len(clean) <= longest else clean[: longest - 1] + "…"


def _visible(letter: str) -> str:
    if letter in "\n\t":
        return letter
    is_hidden = unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
    return "\ufffd" if is_hidden else letter
