"""`signature.pdf`: the page that people sign, with the root as text and as a QR code."""

import io
from pathlib import Path
from typing import Any

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.platypus import Paragraph

from chotso.reports.data import ReleaseFacts
from chotso.reports.heading import OfficialHeading
from chotso.reports.markup import escaped
from chotso.reports.page import (
    BOLD,
    HEIGHT,
    MARGIN,
    MM,
    REGULAR,
    WIDTH,
    NumberedCanvas,
    fitted,
    load_fonts,
    style,
    watermark,
)
from chotso.reports.words import KINDS, in_fours, instant, shown

_QR_SIDE = 46 * MM


def qr_text(release_id: str, root: str) -> str:
    """The text of the QR code: the format, the release and its root, separated by spaces."""
    return f"chotso-bundle/1 {release_id} {root}"


def write_signature(path: Path, root: str, facts: ReleaseFacts) -> None:
    """Write the page.

    Args:
        path: The file to write.
        root: The release's root, 64 hexadecimal digits.
        facts: What the manifest says.
    """
    load_fonts()
    memory = io.BytesIO()
    canvas = NumberedCanvas(memory, facts, f"Trang ký xác nhận {facts.release_id}")
    watermark(canvas, facts)
    top = _title(canvas, facts, _heading(canvas, facts))
    top = _facts(canvas, facts, top)
    top = _root(canvas, facts, root, top)
    top = _check(canvas, root, top)
    _boxes(canvas, top, facts.heading.signers)
    canvas.showPage()
    canvas.save()
    path.write_bytes(memory.getvalue())


def _paragraph(canvas: Any, text: str, top: float, looks: Any, left: float = MARGIN,
               width: float = WIDTH - 2 * MARGIN) -> float:  # fmt: skip
    """Draw a paragraph below a height; returns the height below the paragraph."""
    paragraph = Paragraph(text, looks)
    _, height = paragraph.wrap(width, HEIGHT)
    paragraph.drawOn(canvas, left, top - height)
    return float(top - height)


def _heading(canvas: Any, facts: ReleaseFacts) -> float:
    """The official heading, with the day left to whoever signs."""
    heading = OfficialHeading(facts, is_dated=False)
    _, height = heading.wrapOn(canvas, WIDTH - 2 * MARGIN, HEIGHT)
    heading.drawOn(canvas, MARGIN, HEIGHT - 19 * MM - height)
    return float(HEIGHT - 19 * MM - height)


def _title(canvas: Any, facts: ReleaseFacts, top: float) -> float:
    said = "TRANG KÝ XÁC NHẬN SỐ LIỆU CHỐT"
    top = _paragraph(canvas, said, top - 4 * MM, style(16, True, alignment=1))
    name = escaped(shown(facts.period_name, 200))
    return _paragraph(canvas, name, top - 1 * MM, style(11, alignment=1)) - 6 * MM


def _facts(canvas: Any, facts: ReleaseFacts, top: float) -> float:
    lines = [
        ("Mã bản chốt", shown(facts.release_id, 120)),
        ("Mã đợt thi đua", shown(facts.period_id, 120)),
        ("Loại", KINDS.get(facts.kind, facts.kind)),
        ("Thời điểm chốt", instant(facts.cutoff_at)),
        ("Dữ liệu ghi nhận đến", instant(facts.as_known_at)),
    ]
    if facts.kind == "corrigendum":
        lines += [
            ("Thay cho bản", shown(facts.corrects or "", 120)),
            ("Lý do đính chính", shown(facts.reason or "", 300)),
            ("Người lập đính chính", shown(facts.author or "", 120)),
        ]
    for title, told in lines:
        _paragraph(canvas, title, top, style(9.5, True))
        left = MARGIN + 44 * MM
        width = WIDTH - MARGIN - left
        top = _paragraph(canvas, escaped(told), top, style(9.5), left, width) - 1.2 * MM
    return top - 4 * MM


def _root(canvas: Any, facts: ReleaseFacts, root: str, top: float) -> float:
    side = _QR_SIDE + 6 * MM
    canvas.setLineWidth(1)
    canvas.rect(MARGIN, top - side, WIDTH - 2 * MARGIN, side)
    _qr(canvas, qr_text(facts.release_id, root), MARGIN + 3 * MM, top - side + 3 * MM)
    left = MARGIN + side + 4 * MM
    canvas.setFont(BOLD, 9.5)
    canvas.drawString(left, top - 8 * MM, "Mã gốc của bản chốt (SHA-256)")
    _digits(canvas, root, left, top - 15 * MM, 13, 27 * MM)
    canvas.setFont(BOLD, 8)
    canvas.drawString(left, top - 41 * MM, "Mã dữ liệu (in ở chân mỗi trang báo cáo)")
    canvas.setFont(REGULAR, 7)
    for line, groups in enumerate(in_fours(facts.data_root, 8).split("\n")):
        canvas.drawString(left, top - (45 + 3.6 * line) * MM, groups)
    return top - side - 5 * MM


def _digits(canvas: Any, root: str, left: float, top: float, size: float, step: float) -> None:
    """Draw the root in four lines of four groups, each at a fixed position."""
    canvas.setFont(BOLD, size)
    for position, group in enumerate(in_fours(root).split(" ")):
        line, column = divmod(position, 4)
        canvas.drawString(left + column * step, top - line * 6.4 * MM, group)


def _qr(canvas: Any, text: str, left: float, bottom: float) -> None:
    """Draw the QR code; neighbouring modules are joined so that no gaps show between them."""
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    count = code.getModuleCount()
    module = _QR_SIDE / count
    for row in range(count):
        column = 0
        while column < count:
            start = column
            while column < count and code.isDark(row, column):
                column += 1
            if column > start:
                canvas.rect(
                    left + start * module, bottom + (count - 1 - row) * module,
                    (column - start) * module, module * 1.01, stroke=0, fill=1,
                )  # fmt: skip
            column += 1


def _check(canvas: Any, root: str, top: float) -> float:
    said = (
        "<b>Cách kiểm tra.</b> Mã gốc trên trang này là điểm tựa: mọi tệp của bản chốt được tính "
        "vào đó, nên sửa bất kỳ số nào cũng cho mã khác. Trên máy bất kỳ có Python 3, không cần "
        "mạng và không cần cơ sở dữ liệu, hãy chạy trong thư mục của bản chốt:"
    )
    top = _paragraph(canvas, said, top, style(9.5))
    command = f"python3 -I verify.py . --anchor {root}"
    top = _paragraph(canvas, command, top - 1.5 * MM, style(7.6, True), MARGIN + 4 * MM)
    said = (
        "Kết quả phải là <b>verified</b>. Đối chiếu mã gốc bằng mắt hoặc quét mã QR; mã lấy từ "
        "chính thư mục được kiểm tra không chứng minh được gì."
    )
    return _paragraph(canvas, said, top - 1.5 * MM, style(9.5)) - 6 * MM


def _boxes(canvas: Any, top: float, titles: list[str]) -> None:
    gap = 4 * MM
    width = (WIDTH - 2 * MARGIN - gap * (len(titles) - 1)) / len(titles)
    height = min(58 * MM, top - 20 * MM)
    for position, title in enumerate(titles):
        left = MARGIN + position * (width + gap)
        canvas.setLineWidth(0.6)
        canvas.rect(left, top - height, width, height)
        canvas.setFont(BOLD, 9.5)
        title = fitted(title, width - 4 * MM, 9.5, True)
        canvas.drawCentredString(left + width / 2, top - 6 * MM, title)
        canvas.setFont(REGULAR, 7.5)
        note = fitted("(ký, ghi rõ họ tên)", width - 4 * MM, 7.5)
        canvas.drawCentredString(left + width / 2, top - 10 * MM, note)
        canvas.drawString(left + 3 * MM, top - height + 4 * MM, "Ngày …… tháng …… năm ………")
