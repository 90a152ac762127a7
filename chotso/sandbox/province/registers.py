"""The small registers of the source: agencies, officers, employers and their assignments."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from chotso.sandbox.province.employers import HC, KINDS, NS, OFFICE_COUNT, Employers
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.tables import Value
from chotso.sandbox.province.timeline import DAY, Ints, aware, instant_of, iso
from chotso.sandbox.province.units import agencies, offices

_NEVER = np.iinfo(np.int64).max
_EMPLOYERS_PER_OFFICER = 30
_ASSIGNED_SINCE = date(2020, 1, 1)


@dataclass(slots=True)
class RegisterRows:
    """Versions of a register's rows, each with its entity and commit instant."""

    entity: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    rows: list[tuple[Value, ...]] = field(default_factory=list)

    def add(self, entity: int, at: int, *values: Value) -> None:
        """Adds a version; ngay_sua is the commit instant and the last column."""
        self.entity.append(entity)
        self.at.append(at)
        self.rows.append((*values, iso(at)))


@dataclass(frozen=True, slots=True)
class Officers:
    """Officers, and which employers they are in charge of since when."""

    codes: list[str]
    office: list[int]
    employer: Ints  # per assignment
    officer: Ints
    from_day: list[date]
    to_day: list[date | None]
    ended_at: Ints  # instant when the end became known


def make_officers(parameters: Parameters, employers: Employers) -> Officers:
    """Officers by agency; nearly all employers have one, and some officers are replaced."""
    rng = stream(parameters.seed, "officers")
    codes: list[str] = []
    office: list[int] = []
    of_office: list[list[int]] = []
    for ordinal in range(OFFICE_COUNT):
        employers_here = int((employers.office == ordinal).sum())
        wanted = max(2, round(employers_here / _EMPLOYERS_PER_OFFICER))
        of_office.append(list(range(len(codes), len(codes) + wanted)))
        codes += [f"CB{offices()[ordinal].code[1:]}{n:02d}" for n in range(1, wanted + 1)]
        office += [ordinal] * wanted
    rows: list[tuple[int, int, date, date | None, int]] = []
    year_start = parameters.timeline.month_start(0)
    for employer in range(employers.count):
        chance, day = rng.random(), int(rng.integers(30, 420))
        mine = of_office[int(employers.office[employer])]
        first = int(rng.integers(0, len(mine)))
        since = max(_ASSIGNED_SINCE, aware(int(employers.created_at[employer])).date())
        if chance < 0.015:
            continue
        moved = int(employers.moved_at[employer])
        if moved < _NEVER:
            theirs = of_office[int(employers.moved_office[employer])]
            change, successor = moved, theirs[int(rng.integers(0, len(theirs)))]
        elif chance < 0.08:
            change = year_start + day * DAY + 9 * 3_600
            successor = mine[(first + 1) % len(mine)]
        else:
            change, successor = _NEVER, -1
        turn = aware(change).date() if change < _NEVER else None
        if turn is None or turn <= since:
            rows.append((employer, mine[first], since, None, _NEVER))
            continue
        last_day = date.fromordinal(turn.toordinal() - 1)
        rows.append((employer, mine[first], since, last_day, change))
        rows.append((employer, successor, turn, None, _NEVER))
    return Officers(
        codes=codes,
        office=office,
        employer=np.array([row[0] for row in rows], dtype=np.int64),
        officer=np.array([row[1] for row in rows], dtype=np.int64),
        from_day=[row[2] for row in rows],
        to_day=[row[3] for row in rows],
        ended_at=np.array([row[4] for row in rows], dtype=np.int64),
    )


def agency_rows(parameters: Parameters) -> RegisterRows:
    """The eleven agencies, all in force."""
    found = RegisterRows()
    at = parameters.timeline.month_start(-12) + 8 * 3_600
    for entity, agency in enumerate(agencies()):
        found.add(entity, at, agency.code, agency.name, agency.parent_code, agency.level,
                  agency.district_code, agency.valid_from.isoformat(), None)  # fmt: skip
    return found


def officer_rows(parameters: Parameters, officers: Officers) -> RegisterRows:
    """Officers; one of them changes agency in November."""
    found = RegisterRows()
    timeline = parameters.timeline
    at = timeline.month_start(-11) + 9 * 3_600
    for entity, (code, ordinal) in enumerate(zip(officers.codes, officers.office, strict=True)):
        name = f"Cán bộ giả định {entity + 1:03d}"
        found.add(entity, at, code, name, offices()[ordinal].code)
        if entity == len(officers.codes) - 1:
            moved = timeline.month_start(10) + 3 * DAY + 10 * 3_600
            found.add(entity, moved, code, name, offices()[(ordinal + 1) % OFFICE_COUNT].code)
    return found


def employer_rows(employers: Employers) -> RegisterRows:
    """Versions of employers: registered, moved to another agency, closed."""
    found = RegisterRows()
    for entity in range(employers.count):
        kind = int(employers.kind[entity])

        def write(
            at: int, ordinal: int, status: str, entity: int = entity, kind: int = kind
        ) -> None:
            found.add(entity, at, employers.codes[entity], employers.names[entity], KINDS[kind],
                      offices()[ordinal].code, kind in (HC, NS), int(employers.cycle[entity]),
                      status)  # fmt: skip

        write(int(employers.created_at[entity]), int(employers.office[entity]), "HOAT_DONG")
        if employers.moved_at[entity] < _NEVER:
            moved_to = int(employers.moved_office[entity])
            write(int(employers.moved_at[entity]), moved_to, "HOAT_DONG")
        if employers.ended_at[entity] < _NEVER:
            status = employers.end_status[entity]
            write(int(employers.ended_at[entity]), int(employers.office[entity]), status)
    return found


def assignment_rows(employers: Employers, officers: Officers) -> RegisterRows:
    """Assignments: one version when they begin, another when they end."""
    found = RegisterRows()
    for entity, employer in enumerate(officers.employer.tolist()):
        begins, ends = officers.from_day[entity], officers.to_day[entity]
        at = instant_of(begins) + 10 * 3_600
        key = (employers.codes[employer], begins.isoformat())
        officer = officers.codes[int(officers.officer[entity])]
        found.add(entity, at, *key, None, officer)
        if ends:
            found.add(entity, max(int(officers.ended_at[entity]), at + 3_600), *key,
                      ends.isoformat(), officer)  # fmt: skip
    return found
