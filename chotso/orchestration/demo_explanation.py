"""The last thing `make demo` shows: why a figure that was sealed is another one a night later."""

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console

from chotso.cli.explain import tell
from chotso.errors import ChotsoError
from chotso.explain import explain
from chotso.orchestration.demo_report import MONTH
from chotso.settings import Settings
from chotso.warehouse.connect import connect

METRIC = "collection_total"
LINES = 3


def show_explanation(console: Console, settings: Settings, period_id: str) -> None:
    """Explain the agency whose collection moved most since the seal, by cause and down to lines.

    Raises:
        ChotsoError: No agency's figure moved, or its change does not add up.
    """
    agency_code, sealed_at = _most_moved(settings, period_id)
    since = sealed_at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).isoformat()
    command = f"chotso explain {agency_code} {METRIC} --month {MONTH:%Y-%m} --since {since}"
    console.print(f"\n[bold]Vì sao – why it moved[/bold]   {command}", highlight=False)
    told = explain(settings, agency_code, METRIC, MONTH, since=sealed_at).told
    tell(told, LINES)


def _most_moved(settings: Settings, period_id: str) -> tuple[str, datetime]:
    with connect(settings) as conn:
        row = conn.execute(
            """
            select sealed.agency_code, release.as_known_at
            from frozen.release as release
            inner join frozen.attainment as sealed
                on release.release_id = sealed.release_id
            inner join marts.fct_monthly_attainment as now
                on
                    sealed.agency_code = now.agency_code
                    and sealed.month = now.month
                    and sealed.metric_code = now.metric_code
            where
                release.release_id = %s
                and sealed.month = %s
                and sealed.metric_code = %s
                and sealed.parent_agency_code is not null
                and now.actual_to_date <> sealed.actual_to_date
            order by abs(now.actual_to_date - sealed.actual_to_date) desc, sealed.agency_code
            limit 1
            """,
            [period_id, MONTH, METRIC],
        ).fetchone()
    if row is None:
        raise ChotsoError(
            "No agency's collection moved after the seal: the demonstration explains nothing.",
            next_step="run it with another --seed in a new CHOTSO_HOME.",
        )
    return row[0], row[1]
