"""Payment documents and their allocation lines."""

from random import Random
from typing import Any

from tests.oracle.hostile.registers import Registers
from tests.oracle.hostile.turn import UNKNOWN_AGENCY, Rows, Turn

FUNDS = ("HTTT", "ODTS", "TNLD", "BHTN", "BHYT", "BHXHTN")


class Documents:
    """Tables `chung_tu` and `phan_bo` as they stand."""

    def __init__(self, rng: Random, registers: Registers, is_planting: bool) -> None:
        self._rng = rng
        self._registers = registers
        self._is_planting = is_planting
        self.documents: Rows = {}
        self.lines: Rows = {}

    def begin(self, turn: Turn) -> None:
        """Documents of the year so far."""
        for _ in range(self._rng.randint(15, 40)):
            self._add(turn)
        if self._is_planting:
            self._add(turn, UNKNOWN_AGENCY)

    def evolve(self, turn: Turn) -> None:
        """Record new documents; void, correct and allocate older ones."""
        for _ in range(self._rng.randint(2, 6)):
            # A document filed under an agency still unknown is left alone until released.
            document = self._rng.choice(list(self.documents.values()))
            if document["ma_co_quan"] != UNKNOWN_AGENCY:
                self._correct(turn, document)
        for _ in range(self._rng.randint(3, 10)):
            self._add(turn)
        if self._is_planting:
            self._release(turn)
            self._add(turn, UNKNOWN_AGENCY)

    def _add(self, turn: Turn, agency: str | None = None) -> None:
        rng = self._rng
        code = f"{rng.choice(('UNC', 'bl', 'Đ'))}-{len(self.documents):05d}"
        recorded_at = turn.transaction_at("chung_tu")
        self.documents[(code,)] = {
            "so_chung_tu": code,
            "ma_don_vi": rng.choice(self._registers.employer_codes),
            "ma_co_quan": agency or rng.choice(self._registers.agency_codes),
            "hinh_thuc": rng.choice(("UNC", "TIEN_MAT", "BIEN_LAI")),
            "ngay_ghi_co": turn.credited_by(recorded_at),
            "so_tien": 0,
            "trang_thai": "HUY" if agency is None and turn.chance(0.08) else "HIEU_LUC",
            "ngay_nhap": recorded_at,
            "ngay_sua": recorded_at,
        }
        sign = -1 if turn.chance(0.12) else 1
        for number in range(1, rng.randint(1, 6)):
            self._add_line(turn, code, number, sign)
        self._settle(turn, self.documents[(code,)])

    def _add_line(self, turn: Turn, code: str, number: int, sign: int) -> None:
        rng = self._rng
        principal = rng.choice((0, 1, rng.randint(2, 5_000), rng.randint(10**6, 10**10)))
        interest = rng.choice((0, 0, 0, rng.randint(1, 10**6)))
        self.lines[code, number] = {
            "so_chung_tu": code,
            "so_dong": number,
            "quy": rng.choice(FUNDS),
            "thang": turn.month.replace(day=1, month=rng.randint(1, 12)),
            "tien_goc": sign * principal,
            "tien_lai": sign * interest,
            "ngay_sua": self.documents[(code,)]["ngay_sua"],
        }

    def _settle(self, turn: Turn, document: dict[str, Any]) -> None:
        """The document's amount is what its lines allocate, and often a rest."""
        lines = self._lines_of(document)
        allocated = sum(line["tien_goc"] + line["tien_lai"] for line in lines)
        rest = self._rng.randint(1, 10**7) if turn.chance(0.3) else 0
        document["so_tien"] = allocated if allocated < 0 else allocated + rest

    def _lines_of(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        return [r for (code, _), r in self.lines.items() if code == document["so_chung_tu"]]

    def _correct(self, turn: Turn, document: dict[str, Any]) -> None:
        document["ngay_sua"] = turn.transaction_at("chung_tu")
        kind = self._rng.choice(("void", "lines", "lines", "credit", "agency", "touch", "all"))
        if kind in ("void", "all"):
            document["trang_thai"] = "HUY" if kind == "void" else document["trang_thai"]
        if kind in ("lines", "all"):
            self._rewrite(turn, document)
        if kind in ("credit", "all"):
            document["ngay_ghi_co"] = turn.credited_by(turn.clock)
        if kind in ("agency", "all"):
            document["ma_co_quan"] = self._rng.choice(self._registers.agency_codes)

    def _rewrite(self, turn: Turn, document: dict[str, Any]) -> None:
        """Some lines vanish, some change, some appear; those left alone keep their `ngay_sua`."""
        code = document["so_chung_tu"]
        for line in self._lines_of(document):
            if turn.chance(0.3):
                del self.lines[code, line["so_dong"]]
            elif turn.chance(0.4):
                line["tien_goc"] += self._rng.choice((-1, 1, 10**6))
                line["quy"] = self._rng.choice((line["quy"], *FUNDS))
                line["ngay_sua"] = document["ngay_sua"]
        for number in range(1, 8):
            if (code, number) not in self.lines and turn.chance(0.2):
                self._add_line(turn, code, number, 1)
        self._settle(turn, document)

    def _release(self, turn: Turn) -> None:
        """Now and then a document filed under the unknown agency is corrected to a known one."""
        for document in self.documents.values():
            if document["ma_co_quan"] == UNKNOWN_AGENCY and turn.chance(0.2):
                document["ngay_sua"] = turn.transaction_at("chung_tu")
                document["ma_co_quan"] = self._rng.choice(self._registers.agency_codes)
