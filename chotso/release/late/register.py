"""What became known after a release and would have counted at its cutoff; never applied.

The figures are built twice at the same cutoff and under the release's configuration: as known at
the release, and as known now. The differences are explained by cause, as in `chotso explain`. The
release itself does not change; only the register of late changes grows.
"""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from chotso.calendar import local_instant
from chotso.contracts import groups
from chotso.errors import ChotsoError
from chotso.explain.figure import FIGURES
from chotso.explain.since import Between
from chotso.explain.states import State, drop_old_states, holding, make_state
from chotso.progress import Progress, silent
from chotso.provenance import code_version
from chotso.registers import Registers, load_registers, parse_registers
from chotso.release import state
from chotso.release.bundle import inputs
from chotso.release.late.facts import REASONS, Fact, facts_of, reason_of
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold

Figures = dict[str, Decimal | None]


@dataclass(frozen=True)
class Cell:
    """A figure of the release that would be different, by columns of `frozen.attainment`.

    `parts` are by reason. They add up to `would_be` minus `frozen` in every column; a missing
    figure counts as 0.
    """

    agency_code: str
    month: date
    metric_code: str
    frozen: Figures
    would_be: Figures
    parts: dict[str, dict[str, Decimal]]


@dataclass(frozen=True)
class Late:
    """What became known late for a release, up to an instant.

    Attributes:
        cells: Figures that would differ, and figures whose parts cancel each other out.
        changes: The register, whole, in the order in which it became known.
        recorded: How many changes this run added to it.
    """

    release_id: str
    cutoff_at: datetime
    as_known_at: datetime
    known_until: datetime
    cells: list[Cell]
    changes: list[dict[str, Any]]
    recorded: int


def late(settings: Settings, period_id: str, progress: Progress = silent) -> Late:
    """List what became known late for a period's current release, and record what is new.

    Args:
        settings: Where the warehouse is.
        period_id: A period with a sealed release.
        progress: Called with what is being done.

    Raises:
        ChotsoError: Nothing is sealed; or this code computes other figures than those that were
            sealed; or a model failed. Nothing is recorded then.
    """
    with holding(settings) as conn:
        release = _release(conn, period_id)
        newest = newest_knowledge(settings)
        states = _States(settings, conn, release, progress)
        start = states.built(release.as_known_at)
        _refuse_other_figures(conn, release, start, states.last_month)
        cells, recorded = [], 0
        if newest > release.as_known_at:
            end = states.built(newest)
            progress("telling what differs, by reason")
            cells = list(cells_of(conn, start, end, states.last_month))
            recorded = _bring_up(states, end)
        conn.commit()
        changes = register(conn, release.release_id)
        drop_old_states(settings, conn, states.used)
    return Late(
        release.release_id, release.cutoff_at, release.as_known_at, newest, cells, changes, recorded
    )


def late_facts(
    settings: Settings, period_id: str, until: datetime, progress: Progress = silent
) -> list[Fact]:
    """What became known late for a period's current release, for a corrigendum.

    Each fact is the whole change since the release, even if the register recorded it in several
    steps. The register is updated, too.

    Args:
        settings: Where the warehouse is.
        period_id: A period with a sealed release.
        until: Not newer than what is published.
        progress: Told what is being done.

    Raises:
        ChotsoError: Nothing is sealed, or a model failed. Nothing is recorded then.
    """
    with holding(settings) as conn:
        release = _release(conn, period_id)
        if until <= release.as_known_at:
            return []
        states = _States(settings, conn, release, progress)
        start, end = states.built(release.as_known_at), states.built(until)
        found = states.facts(start, end)
        _bring_up(states, end)
        conn.commit()
        drop_old_states(settings, conn, states.used)
    return found


class _States:
    """The figures at a release's cutoff and configuration, by what was known at other instants.

    A state has every month up to its instant. `last_month` is the last month that is compared: a
    corrigendum made in January still ends with December, like the release that it corrects.
    """

    def __init__(
        self,
        settings: Settings,
        conn: psycopg.Connection,
        release: state.Current,
        progress: Progress,
    ) -> None:
        self.conn, self.release, self.used = conn, release, list[State]()
        self.last_month = _last_month(conn, release)
        self._settings, self._progress = settings, progress
        self._registers = _configuration(conn, release.release_id)

    def built(self, instant: datetime) -> State:
        """The state as known at an instant; it is built if it does not exist."""
        release = self.release
        self._progress(
            f"building {release.release_id}'s cutoff as known at {local_instant(instant)}"
        )
        found = make_state(self._settings, self.conn, instant, self._registers, release.cutoff_at)
        self.used.append(found)
        return found

    def facts(self, start: State, end: State) -> list[Fact]:
        """Every late fact between two states, in the months of the release."""
        return facts_of(self.conn, Between(self.conn, start, start, end), start, end,
                        self.last_month)  # fmt: skip


def _bring_up(states: _States, end: State) -> int:
    """Update the register to a state; returns the number of new changes."""
    conn, release = states.conn, states.release
    reached = _reached(conn, release)
    if end.as_known_at <= reached:
        return 0
    start = states.built(reached)
    found = states.facts(start, end)
    return _record(conn, release.release_id, reached, end.as_known_at, found)


def newest_knowledge(settings: Settings) -> datetime:
    """What is published, after waiting for deliveries that are being processed."""
    with connect(settings) as conn, ExitStack() as locks:
        for group in groups():
            locks.enter_context(hold(conn, f"extract of {group}", wait_seconds=600))
        with conn.transaction():
            return inputs.newest_knowledge(conn)[0]


def register(conn: psycopg.Connection, release_id: str) -> list[dict[str, Any]]:
    """All late changes of a release, in the order in which they became known."""
    names = (
        "known_at", "reason_code", "feed", "item_key", "agency_code", "metric_code", "month",
        "last_month", "unit_code", "amount", "base_amount", "batch_id", "file_name",
    )  # fmt: skip
    rows = conn.execute(
        sql.SQL(
            "select {} from frozen.late_change where release_id = %s order by known_until, "
            'known_at, feed, item_key collate "C", agency_code, metric_code, month, reason_code'
        ).format(sql.SQL(", ").join(map(sql.Identifier, names))),
        [release_id],
    ).fetchall()
    conn.commit()
    return [dict(zip(names, row, strict=True)) for row in rows]


def cells_of(
    conn: psycopg.Connection, start: State, end: State, last_month: date
) -> Iterable[Cell]:
    """Figures that differ between two states at one cutoff, until a month, each with its parts.

    Figures whose parts cancel out are among them.
    """
    between = Between(conn, start, start, end)
    for agency_code, month, metric_code in _candidates(conn, between, start, end, last_month):
        since = between.explain(agency_code, metric_code, month)
        parts: dict[str, dict[str, Decimal]] = {}
        for part in since.parts:
            found = parts.setdefault(reason_of(part.cause), dict.fromkeys(FIGURES, Decimal(0)))
            for name in FIGURES:
                found[name] += part.change[name]
        if parts:
            ordered = {reason: parts[reason] for reason in REASONS if reason in parts}
            yield Cell(agency_code, month, metric_code, since.before, since.after, ordered)


def _candidates(
    conn: psycopg.Connection, between: Between, start: State, end: State, last_month: date
) -> list[tuple[str, date, str]]:
    """Figures that differ, and figures at which a differing item may count."""
    touched = {
        kind: sorted(between.provinces_of(agencies)) for kind, agencies in between.touched().items()
    }
    planned = sorted(between.planned())
    rows = conn.execute(
        sql.SQL(
            """
            select after.agency_code, after.month, after.metric_code
            from {end}.fct_monthly_attainment as after
            inner join {end}.dim_metric as metric on after.metric_code = metric.metric_code
            left join {start}.fct_monthly_attainment as before
                on
                    after.agency_code = before.agency_code
                    and after.month = before.month
                    and after.metric_code = before.metric_code
            where
                after.month <= %(last_month)s
                and (
                    row({before}) is distinct from row({after})
                    or after.agency_code = any(%(planned)s)
                    or (metric.kind_code = 'flow' and after.agency_code = any(%(flow)s))
                    or (metric.kind_code = 'stock' and after.agency_code = any(%(stock)s))
                    or (metric.kind_code = 'ratio' and after.agency_code = any(%(ratio)s))
                )
            order by after.agency_code collate "C", after.month, after.metric_code collate "C"
            """
        ).format(
            start=sql.Identifier(start.schema),
            end=sql.Identifier(end.schema),
            before=_listed("before"),
            after=_listed("after"),
        ),
        {"last_month": last_month, "planned": planned, **touched},
    ).fetchall()
    return [(agency, month, metric) for agency, month, metric in rows]


def _listed(alias: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in FIGURES)


def _release(conn: psycopg.Connection, period_id: str) -> state.Current:
    release = state.current(conn, period_id)
    if release is None:
        load_registers().period(period_id)  # an unknown period is told as such
        raise ChotsoError(
            f"{period_id} has no sealed release: nothing can be late for it.",
            kept="nothing was built or recorded.",
            next_step=f"run `chotso freeze {period_id}` at the cutoff.",
        )
    return release


def _reached(conn: psycopg.Connection, release: state.Current) -> datetime:
    """The instant up to which the register is complete."""
    row = conn.execute(
        "select max(known_until) from frozen.late_run where release_id = %s", [release.release_id]
    ).fetchone()
    conn.commit()
    return release.as_known_at if row is None or row[0] is None else row[0]


def _last_month(conn: psycopg.Connection, release: state.Current) -> date:
    month = state.last_month(conn, release.release_id)
    assert month is not None, "no release is without figures"
    return month


def _configuration(conn: psycopg.Connection, release_id: str) -> Registers:
    """The configuration under which the release was built, as its build stored it."""
    row = conn.execute(
        """
        select build.config, build.build_id
        from ops."freeze" as made
        inner join ops.build as build
            on
                made.target_schema = build.target_schema
                and made.as_known_at = build.as_known_at
                and made.cutoff_at = build.event_cutoff
        where made.release_id = %s and build.status = 'built'
        order by build.build_id desc
        limit 1
        """,
        [release_id],
    ).fetchone()
    conn.commit()
    if row is None:
        raise ChotsoError(
            f"The ledger has no build that {release_id} was sealed from.",
            kept="nothing was built or recorded.",
            next_step="restore ops.build and ops.freeze from a backup; the release itself stands.",
        )
    return parse_registers(row[0], source=f"the configuration of build {row[1]}")


def _refuse_other_figures(
    conn: psycopg.Connection, release: state.Current, start: State, last_month: date
) -> None:
    """Refuse to compare if the earlier state is not equal to the sealed figures."""
    row = conn.execute(
        sql.SQL(
            """
            select count(*), min(coalesce(sealed.agency_code, built.agency_code) || ' '
                || coalesce(sealed.metric_code, built.metric_code) || ' '
                || to_char(coalesce(sealed.month, built.month), 'YYYY-MM'))
            from (select * from frozen.attainment where release_id = %s) as sealed
            full join (
                select * from {}.fct_monthly_attainment where month <= %s
            ) as built
                on
                    sealed.agency_code = built.agency_code
                    and sealed.month = built.month
                    and sealed.metric_code = built.metric_code
            where row({}) is distinct from row({})
            """
        ).format(sql.Identifier(start.schema), _listed("sealed"), _listed("built")),
        [release.release_id, last_month],
    ).fetchone()
    conn.commit()
    if row and row[0]:
        raise ChotsoError(
            f"{row[0]} figures of {release.release_id} are others when this code makes them of the "
            f"same knowledge, the first at {row[1]}.",
            kept="the release and the register, as they are.",
            next_step=f"run it with the code that sealed the release ({release.code_version}); if "
            "that says the same, see `chotso verify --database`.",
        )


def _record(
    conn: psycopg.Connection, release_id: str, reached: datetime, until: datetime,
    facts: list[Fact],
) -> int:  # fmt: skip
    """Insert what became known since the last update, in one transaction."""
    changes = [
        {
            **{name: getattr(fact, name) for name in Fact.TEXTS},
            "month": fact.month.isoformat(),
            "last_month": fact.last_month.isoformat(),
            "amount": str(fact.amount),
            "base_amount": str(fact.base_amount),
            "known_at": fact.known_at.isoformat(),
        }
        for fact in facts
    ]
    row = conn.execute(
        "select frozen.record_late(%s, %s, %s, %s, %s)",
        [release_id, reached, until, code_version(), Jsonb(changes, dumps=_dumps)],
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0])


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
