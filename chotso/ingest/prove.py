"""Proves after publishing that the warehouse holds what the source has, or mends it.

Control totals are compared per feed and month. A month that differs is read whole at once, from the
source or from archived files, and compared again. If it still differs, it is reported, and no build
is exposed to readers until that is settled.
"""

from datetime import date

import psycopg

from chotso.contracts import Contract, TableSource, groups
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import control_totals, ledger, statement_totals
from chotso.ingest.control_totals import Comparison, MonthTotal
from chotso.ingest.extract import land
from chotso.ingest.waiting import GroupReport, process_waiting
from chotso.landing import Landing
from chotso.progress import Progress
from chotso.settings import Settings

# Mending one month can make another differ, if a row moved between them. So months are compared
# again.
_ROUNDS = 3

Months = set[tuple[str, date]]


def prove(
    settings: Settings, conn: psycopg.Connection, report: GroupReport, progress: Progress
) -> None:
    """Compare, mend and compare again. Months that still differ are added to what was stopped."""
    contracts = [contract for contract in groups()[report.group] if contract.control]
    if not contracts:
        return
    mended: Months = set()
    try:
        for rounds_left in reversed(range(_ROUNDS)):
            progress(f"{report.group}: comparing control totals")
            wrong = [c for contract in contracts for c in compare(settings, conn, contract, mended)]
            failpoint(f"compared.{report.group}")
            if not wrong:
                return
            months = {(c.feed, c.month) for c in wrong}
            if not rounds_left or months <= mended:
                break
            mended |= months
            progress(f"{report.group}: reading {len({c.month for c in wrong})} months whole")
            _mend(settings, conn, contracts, report, {c.month for c in wrong}, progress)
    except ChotsoError as error:
        conn.rollback()
        report.stopped.append(str(error))
        return
    report.stopped += [_not_mended(each) for each in wrong]


def compare(
    settings: Settings,
    conn: psycopg.Connection,
    contract: Contract,
    mended: Months | frozenset[tuple[str, date]] = frozenset(),
) -> list[Comparison]:
    """Compare a feed's months and record the result; returns the months that differ."""
    landing = Landing(settings.landing_url)
    batch = ledger.newest_read(conn, contract.feed)
    if batch is None or not _is_whole_night(conn, contract, batch.known_at):
        return []
    if not isinstance(contract.source, TableSource):
        found = statement_totals.compare(conn, landing, contract)
    elif batch.landed.control is not None:
        found = control_totals.compare(conn, landing, contract, batch)
    else:
        return []
    # If a month has rows on neither side any more, its recorded difference is compared, too.
    compared = {each.month for each in found}
    found += [
        Comparison(contract.feed, each.month, MonthTotal(), MonthTotal())
        for each in control_totals.unmended(conn)
        if each.feed == contract.feed and each.month not in compared
    ]
    control_totals.record(conn, batch, found, set(mended))
    return [each for each in found if each.status == "different"]


def _is_whole_night(conn: psycopg.Connection, contract: Contract, known_at: object) -> bool:
    """Whether the feed that gives the rows their month was published from the same snapshot."""
    assert contract.control is not None
    if contract.control.of is None:
        return True
    placing = ledger.newest_read(conn, contract.control.of)
    return placing is not None and placing.known_at == known_at


def _mend(
    settings: Settings,
    conn: psycopg.Connection,
    contracts: list[Contract],
    report: GroupReport,
    months: set[date],
    progress: Progress,
) -> None:
    from_source = [contract for contract in contracts if isinstance(contract.source, TableSource)]
    if from_source:
        landings = land(
            settings,
            conn,
            from_source,
            report.business_date,
            months=sorted(months),
            progress=progress,
        )
        report.stopped += landings.stopped
    for contract in contracts:
        if contract not in from_source:
            statement_totals.land_statements_again(
                conn, Landing(settings.landing_url), contract, months
            )
    failpoint(f"mending.{report.group}")
    process_waiting(settings, conn, report, progress)


def _not_mended(each: Comparison) -> str:
    error = ChotsoError(
        f"Control totals differ and a whole read of the month did not mend it: {each}.",
        kept="what was published, the difference in ops.control_total; no build shows new figures.",
        next_step="compare the month with the source's owner, have doi_soat or the rows set right, "
        "then run the night again.",
    )
    return str(error)
