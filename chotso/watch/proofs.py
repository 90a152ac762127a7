"""Looks at proofs of completeness, rows set aside, refused files and a restored warehouse."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg

from chotso.calendar import local_date
from chotso.contracts import contract_of, contracts
from chotso.ingest import control_totals, drop_register, missing
from chotso.landing import Landing
from chotso.source.drop_entries import INCIDENTS
from chotso.watch.dags import dag_of
from chotso.watch.fault import Fault, listed
from chotso.watch.moment import Moment

_MANY_FILES = 5  # of a feed; more are one incident
_OPEN = "select count(*), min(first_seen) from quarantine.row where status = 'open'"
# Batches of the archive that the ledger does not know and has not read past since.
_UNKNOWN = """
select array_agg(landed.batch_id order by landed.batch_id)
from unnest(%s::text[], %s::timestamptz[]) as landed (batch_id, known_at)
where not exists (select from ops.batch where batch.batch_id = landed.batch_id)
    and not exists (
        select from ops.batch
        where batch.feed = %s and batch.status = 'published' and batch.known_at >= landed.known_at
    )
"""
_STANDS = "select to_regclass('marts.fct_monthly_attainment') is not null"
# Per province and month: đồng set aside that could change its figures to date, and its collection.
_SHARE = """
with figure as (
    select
        fact.agency_code,
        fact.month,
        sum((to_jsonb(fact) ->> 'quarantined_to_date')::numeric) as aside,
        sum(fact.actual_to_date) filter (where fact.metric_code = 'collection_total') as collected
    from marts.fct_monthly_attainment as fact
    inner join marts.dim_agency as agency on fact.agency_key = agency.agency_key
    where fact.metric_code in ('collection_total', 'arrears_ratio_total')
        and agency.level_number = 1
    group by fact.agency_code, fact.month
)

select agency_code, aside, collected
from figure
where collected > 0 and aside > 0 and month = (select max(month) from figure where collected > 0)
order by aside / collected desc
limit 1
"""


def totals(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Months whose control totals differ from the source's, and are not mended."""
    unmended = control_totals.unmended(conn)
    if not unmended:
        return
    differing = [str(each) for each in unmended]
    feed = unmended[0].feed
    dag = dag_of(contract_of(feed).group)
    yield moment.fault(
        kind="control_totals_differ",
        subject="totals",
        what=f"{len(differing)} control totals differ from the source's: {listed(differing)}.",
        kept="no build is shown on them; readers see the figures of the night before.",
        next_step="compare the months in `ops.difference` with the source's owner, then clear "
        f"`land` and all after it in `{dag}`, or run `chotso extract {feed} --date {moment.night} "
        "--full`",
        dag_id=dag,
        task_id="publish",
    )


def registers(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Register rows in force that the source no longer shows."""
    rows = missing.listing(conn)
    if not rows:
        return
    absent = [str(each) for each in rows]
    yield moment.fault(
        kind="register_rows_missing",
        subject="registers",
        what=f"{len(absent)} register rows in force are missing at the source: {listed(absent)}.",
        kept="they stay in force; no freeze is sealed meanwhile.",
        next_step="have them restored at the source, or close them: `chotso missing list` names "
        "them, `chotso missing close` takes key, reason and name",
        dag_id=dag_of(contract_of(rows[0].feed).group),
        task_id="publish",
    )


def files(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Deliveries in the drop folder that were refused or cannot be read.

    Many of one feed are one fault. Those that were told before they were many stay open as long as
    they are there, and no other of them opens one (`may_heal`).
    """
    of_feeds: dict[str | None, list[Fault]] = {}
    for entry in drop_register.not_taken(conn):
        is_refused = entry["batch_id"] is not None
        if is_refused or (entry["feed"] is not None and entry["kind"] in INCIDENTS):
            of_feeds.setdefault(entry["feed"], []).append(_refused(moment, entry))
    for feed, faults in of_feeds.items():
        if len(faults) <= _MANY_FILES:
            yield from faults
        else:
            yield _many_refused(moment, feed, faults)
            yield from (replace(each, may_heal=True) for each in faults)


def _refused(moment: Moment, entry: dict[str, Any]) -> Fault:
    is_refused = entry["batch_id"] is not None
    batch = f" ({entry['batch_id']})" if is_refused else ""
    return moment.fault(
        kind="file_refused",
        subject=entry["name"],
        what=f"{entry['name']}{batch} was not taken: {entry['reason']}",
        kept="it, as it came; the other files went on.",
        next_step=f"have {entry['name']} delivered again, or take it out of the drop folder; "
        "the next night reads it"
        + (
            f"; or `chotso quarantine waive {entry['batch_id']} --reason … --by …`"
            if is_refused
            else ""
        ),
        dag_id=dag_of(contract_of(entry["feed"]).group) if entry["feed"] else None,
        task_id="land",
        about=frozenset({entry["name"], *filter(None, [entry["feed"], entry["batch_id"]])}),
    )


def _many_refused(moment: Moment, feed: str | None, faults: list[Fault]) -> Fault:
    names = listed([each.subject for each in faults])
    return moment.fault(
        kind="file_refused",
        subject=f"files of {feed or 'no feed'}",
        what=f"{len(faults)} files of {feed or 'no feed'} were not taken: {names}. The first: "
        f"{faults[0].what}",
        kept="them, as they came; the other files went on.",
        next_step="have them delivered again, or take them out of the drop folder; the next night "
        "reads it; their reasons stand in `ops.drop_entry` and `ops.batch`",
        dag_id=faults[0].dag_id,
        task_id="land",
        about=frozenset().union(*(each.about for each in faults)),
    )


def quarantine(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Rows that are set aside for long, or for more money than a freeze allows."""
    row = conn.execute(_OPEN).fetchone()
    rows, oldest = row if row else (0, None)
    if not rows:
        return
    days = (local_date(moment.now) - local_date(oldest)).days
    look = "see `chotso quarantine list`: have them mended at the source, replay or waive them"
    if days > moment.limits.quarantine.oldest_days:
        yield Fault(
            kind="quarantine_old",
            subject="quarantine",
            business_date=moment.night,
            what=f"{rows:,} rows are set aside, the oldest for {days} days; "
            f"{moment.limits.quarantine.oldest_days} are allowed.",
            kept="the rows, whole; what could belong to a figure is shown beside it.",
            next_step=look,
        )
    yield from _too_much(moment, conn, look)


def restored(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Batches in the archive that the ledger does not know: the warehouse came from a backup."""
    first = next(iter(contracts()))  # read in every night
    landed = Landing(moment.settings.landing_url).newest_batches(first)
    row = conn.execute(_UNKNOWN, [list(landed), list(landed.values()), first]).fetchone()
    unknown = row[0] if row else None
    if not unknown:
        return
    yield moment.fault(
        kind="warehouse_restored",
        subject="warehouse",
        what=f"The archive holds batches that the ledger does not know: {listed(unknown)}. The "
        f"warehouse is older than its archive.",
        kept="the archive, which is never overwritten; sealed releases and their roots.",
        next_step=f"run `chotso migrate`, then `chotso nightly --date {moment.night}`, which reads "
        "all that changed since; then compare the releases (`chotso verify FOLDER --database`)",
    )


def _too_much(moment: Moment, conn: psycopg.Connection, look: str) -> Iterator[Fault]:
    stands = conn.execute(_STANDS).fetchone()
    if not moment.open_periods or stands != (True,):
        return
    row = conn.execute(_SHARE).fetchone()
    period = moment.open_periods[0]
    limit = period.limits.get("quarantined_money_share_of_collection")
    if row is None or limit is None or row[1] <= limit * row[2]:
        return
    yield moment.fault(
        kind="quarantine_money",
        subject="quarantine",
        what=f"{row[1]:,.0f} đồng are set aside in {row[0]}, {row[1] / row[2]:.2%} of what was "
        f"collected to date; {period.id} allows {limit:.2%}.",
        kept="the rows, whole; no figure counts them.",
        next_step=look,
        period_id=period.id,
    )
