"""Seeded random ledgers: accounts and payments so small and so near that they often agree.

Unlike `worlds`, amounts are a few đồng, so that differences coincide: with what was recorded after
an export, with a neighbouring month, with an adjustment, and with nothing at all.
"""

from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.oracle.hostile.c12_files import write_statement
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.oracle.hostile.turn import CUTOFF, EDGES, TICK, UNKNOWN_AGENCY, ZONE, Rows
from tests.oracle.literal import LONG_AGO, agency
from tests.oracle.model import C12, Observation, Statement

CLOCKS = (
    (datetime(2021, 12, 30, 1, 0, 3, 1, ZONE), date(2021, 12, 29)),
    (CUTOFF + timedelta(seconds=7), date(2021, 12, 31)),
    (datetime(2022, 1, 3, 1, tzinfo=ZONE), date(2022, 1, 2)),
)
MONTHS = (date(2020, 12, 1), date(2021, 10, 1), date(2021, 11, 1), date(2021, 12, 1))
OFFICES = ("07201", "07202")
EMPLOYERS = ("TA0001A", "TB0002B", "TC0003C", "TD0004D", "TE0005E", "T00006F")
UNREGISTERED = "TZ9901Z"
SWINGING = "TS0001S"
"""Allocated 2, −2 and 2 in three months, and never pays: a pair of them takes itself back."""
FUNDS = ("HTTT", "ODTS", "TNLD", "BHTN", "BHYT", "BHXHTN")
GROUPS = (("bhxh", "bh"), ("bhyt", "yt"), ("bhtn", "tn"))
LAST_OF_2020 = datetime(2020, 12, 31, 23, 59, 59, 999_999, ZONE)
SMALL = (-2, 0, 0, 1, 1, 2, 3)
STATUSES = ("HOAT_DONG", "TAM_DUNG", "GIAI_THE", "PHA_SAN")


class Ledgers:
    """A province of two offices through three extracts; as `World`, with or without a source.

    Attributes:
        observations: What the extracts so far could know.
    """

    def __init__(
        self, source_url: str | None, drop: Path, seed: int, reader: str | None = None
    ) -> None:
        self._rng = Random(f"ledgers {seed}")
        self._source_url = source_url
        self._drop = drop
        self._employers: Rows = {}
        self._documents: Rows = {}
        self._lines: Rows = {}
        self._truth: dict[tuple[date, str], tuple[str, dict[str, Any]]] = {}
        self._statements: list[Statement] = []
        self.observations: list[Observation] = []
        if source_url:
            with psycopg.connect(source_url) as connection:
                create_schema(connection, reader)

    def advance(self) -> tuple[datetime, date]:
        """Live until the next extract; its clock and the date that it publishes."""
        clock, business_date = CLOCKS[len(self.observations)]
        previous = CLOCKS[len(self.observations) - 1][0] if self.observations else None
        self._change_registers(clock)
        statements = self._state(previous or clock - timedelta(days=9), clock)
        self._statements += statements
        self._change_documents(clock)
        for _ in range(60 if previous is None else 25):
            self._pay(clock)
        tables = {
            "co_quan": self._agencies(clock),
            "can_bo": [],
            "don_vi": deepcopy(list(self._employers.values())),
            "phan_cong": [],
            "chung_tu": deepcopy(list(self._documents.values())),
            "phan_bo": deepcopy(list(self._lines.values())),
            "tham_gia": [],
        }
        if self._source_url:
            with psycopg.connect(self._source_url) as connection:
                write_snapshot(connection, tables, clock)
        aside = {
            "chung_tu": frozenset(
                (row["so_chung_tu"],)
                for row in tables["chung_tu"]
                if row["ma_co_quan"] == UNKNOWN_AGENCY
            ),
            C12: frozenset(
                (statement.name, UNKNOWN_AGENCY, row["madvi"])
                for statement in self._statements
                for row in statement.sheets.get(UNKNOWN_AGENCY, ())
                if not self._is_restated(statement, row["madvi"])
            ),
        }
        self.observations.append(Observation(clock, business_date, tables, statements, (), aside))
        return clock, business_date

    def _agencies(self, clock: datetime) -> list[dict[str, Any]]:
        rows = [agency("072", None, cap=1), *(agency(code) for code in OFFICES)]
        described = {"ten": "Cơ quan thử", "ma_huyen": None, "ngay_sua": CLOCKS[0][0]}
        return [row | described | {"hieu_luc_tu": LONG_AGO} for row in rows]

    def _change_registers(self, clock: datetime) -> None:
        for code in EMPLOYERS:
            row = self._employers.get((code,))
            if row is None or self._rng.random() < 0.3:
                self._employers[code,] = {
                    "ma_don_vi": code,
                    "ten": f"Công ty {code}",
                    "ma_khoi": "DN",
                    "ma_co_quan": OFFICES[0],
                    "ngan_sach": False,
                    "chu_ky_dong": 1,
                    "trang_thai": self._rng.choice(STATUSES),
                    "ngay_sua": clock,
                }

    def _state(self, since: datetime, clock: datetime) -> list[Statement]:
        """Change some accounts of each month, then state both offices; one sheet is nobody's."""
        rng = self._rng
        made = []
        for month in MONTHS:
            # the cutoff's month is stated each time, so that an export can know what came too late
            if self.observations and month != MONTHS[-1] and rng.random() < 0.3:
                continue
            for employer in (*EMPLOYERS, UNREGISTERED):
                drawn = rng.random()
                if drawn < 0.1:
                    self._truth.pop((month, employer), None)
                elif drawn < 0.4 or not self.observations:
                    self._truth[month, employer] = (rng.choice(OFFICES), self._account(employer))
            swing = self._account(SWINGING)
            swing["_ck_bhyt"] = swing["_ck_bhyt"] + swing["_dt_bhyt"] - 2 * (-1) ** month.month
            swing["_dt_bhyt"] = 2 * (-1) ** month.month
            self._truth.setdefault((month, SWINGING), (OFFICES[0], swing))
            sheets: dict[str, list[dict[str, Any]]] = {code: [] for code in OFFICES}
            for (of_month, _), (office, row) in self._truth.items():
                if of_month == month:
                    sheets[office].append(dict(row))
            made.append(self._deliver(month, self._instant(since, clock), sheets))
        if not self.observations:
            month = rng.choice(MONTHS)
            employer = rng.choice(EMPLOYERS)
            self._truth.pop((month, employer), None)
            rows = {UNKNOWN_AGENCY: [self._account(employer)]}
            made.append(self._deliver(month, self._instant(since, clock), rows))
        return made

    def _deliver(
        self, month: date, stated_at: datetime, sheets: dict[str, list[dict[str, Any]]]
    ) -> Statement:
        statement = Statement(f"{month:%Y%m} {stated_at.isoformat()}", month, stated_at, sheets)
        write_statement(self._rng, self._drop, statement, as_csv=self._rng.random() < 0.3)
        return statement

    def _is_restated(self, aside: Statement, employer: str) -> bool:
        """Whether a newer statement has the account on a sheet that counts."""
        return any(
            employer == row["madvi"]
            for statement in self._statements
            if statement.month == aside.month and statement.stated_at > aside.stated_at
            for office in OFFICES
            for row in statement.sheets.get(office, ())
        )

    def _instant(self, since: datetime, clock: datetime) -> datetime:
        taken = {statement.stated_at for statement in self._statements}
        wanted = [CUTOFF, CUTOFF + timedelta(hours=6)]
        fresh = [i for i in wanted if since < i <= clock and i not in taken]
        if fresh and self._rng.random() < 0.5:
            return self._rng.choice(fresh)
        seconds = int((clock - since).total_seconds())
        instant = since + timedelta(seconds=self._rng.randint(2, seconds - 1))
        return instant.replace(microsecond=0)

    def _account(self, employer: str) -> dict[str, Any]:
        rng = self._rng
        row: dict[str, Any] = {"madvi": employer, "makhoi": "DN", "tendvi": "Công ty đá"}
        for long, short in GROUPS:
            payable, up, down = rng.choice((0, 2, 5)), rng.choice((0, 0, 1, 3)), rng.choice((0, 1))
            allocated, closing = rng.choice(SMALL), rng.choice((-4, -1, 0, 0, 1, 3, 6))
            row[f"_dk_{long}"] = closing - payable - up + down + allocated
            row[f"_ps_{short}"], row[f"_bst_{short}"], row[f"_bsg_{short}"] = payable, up, down
            row[f"_dt_{long}"], row[f"_ck_{long}"] = allocated, closing
        opening, one, two, three, paid = (rng.randint(0, 9) for _ in range(5))
        row |= {"_dk_lai": opening, "_lai1_ps": one, "_lai2_ps": two, "_lai3_ps": three}
        row |= {"_dt_lai": paid, "_ck_lai": opening + one + two + three - paid}
        row |= {"sld": rng.randint(0, 9), "sldtn": rng.choice((None, 1)), "_tql": 7, "_tqlyt": 8}
        row |= {"_tqltn": rng.choice((None, 9)), "sothang": rng.choice((None, 0, 0.5, 1, 2.5, 3))}
        return row

    def _pay(self, clock: datetime) -> None:
        rng = self._rng
        code = f"UNC-{len(self._documents):05d}"
        recorded, credited = self._instants(clock)
        self._documents[code,] = {
            "so_chung_tu": code,
            "ma_don_vi": rng.choice((*EMPLOYERS, UNREGISTERED)),
            "ma_co_quan": rng.choice((*OFFICES, *OFFICES, "072", UNKNOWN_AGENCY)),
            "hinh_thuc": "UNC",
            "ngay_ghi_co": credited,
            "so_tien": 0,
            "trang_thai": "HUY" if rng.random() < 0.05 else "HIEU_LUC",
            "ngay_nhap": recorded,
            "ngay_sua": clock,
        }
        for number in range(1, rng.choice((1, 2, 2, 3, 5))):
            self._lines[code, number] = {
                "so_chung_tu": code,
                "so_dong": number,
                "quy": rng.choice(FUNDS),
                "thang": date(2021, 12, 1),
                "tien_goc": rng.choice((-1, 1, 1, 2, 3)),
                "tien_lai": rng.choice((0, 0, 4)),
                "ngay_sua": clock,
            }
        self._settle(code)

    def _instants(self, clock: datetime) -> tuple[datetime, datetime]:
        """When recorded and credited: around the month's own export, its end, the cutoff."""
        rng = self._rng
        if clock > CUTOFF and rng.random() < 0.3:
            credited = CUTOFF + rng.choice((-1, 0, 1)) * TICK
            return max(credited, self._mark(clock)), credited
        if rng.random() < 0.5:
            statement = rng.choice(self._statements)
            recorded = statement.stated_at + rng.choice((-1, 0, 1)) * TICK
            begun = [e for e in EDGES if e <= recorded and _is_in(statement.month, e)]
            return recorded, rng.choice(begun or [LAST_OF_2020])
        recorded = self._mark(clock)
        begun = [e for e in EDGES if e <= recorded and any(_is_in(m, e) for m in MONTHS)]
        return recorded, rng.choice([LAST_OF_2020, *begun])

    def _mark(self, clock: datetime) -> datetime:
        marks = [s.stated_at + n * TICK for s in self._statements for n in (-1, 0, 1)]
        marks += [e for e in EDGES if e.astimezone(ZONE).month in (11, 12)]
        return self._rng.choice([m for m in marks if m <= clock])

    def _settle(self, code: str) -> None:
        lines = [line for (document, _), line in self._lines.items() if document == code]
        total = sum(line["tien_goc"] + line["tien_lai"] for line in lines)
        self._documents[code,]["so_tien"] = total

    def _change_documents(self, clock: datetime) -> None:
        for row in self._documents.values():
            drawn = self._rng.random()
            if drawn < 0.8:
                continue
            row["ngay_sua"] = clock
            if drawn < 0.84:
                row["trang_thai"] = "HUY"
            elif drawn < 0.9:
                # set aside where nobody knows the agency, while the version before stays in force
                row["ma_co_quan"] = self._rng.choice((*OFFICES, UNKNOWN_AGENCY))
            else:
                begun = [e for e in EDGES if e <= row["ngay_nhap"]]
                row["ngay_ghi_co"] = self._rng.choice(begun)


def _is_in(month: date, instant: datetime) -> bool:
    return instant.astimezone(ZONE).date().replace(day=1) == month
