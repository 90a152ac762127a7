"""The last step of `make demo`: why a sealed figure is different one night later."""

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console

from chotso.cli.explain import tell
from chotso.demo.report import MONTH
from chotso.errors import ChotsoError
from chotso.explain import explain
from chotso.settings import Settings
from chotso.warehouse.connect import connect

METRIC = "collection_total"
LINES = 3


def show_explanation(console: Console, settings: Settings, period_id: str) -> None:
    """Explain the agency with the most money credited before the cutoff and known only later.

    Raises:
        ChotsoError: There are no late payments, or the causes do not add up to the change.
    """
    agency_code, sealed_at = _most_late(settings, period_id)
    since = sealed_at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).isoformat()
    command = f"chotso explain {agency_code} {METRIC} --month {MONTH:%Y-%m} --since {since}"
    console.print("\n[bold]Vì sao khác bản đã chốt – why it is not the sealed figure[/bold]")
    console.print(f"  {command}\n", highlight=False, soft_wrap=True)
    told = explain(settings, agency_code, METRIC, MONTH, since=sealed_at, lines=LINES).told
    tell(told, LINES)


def _most_late(settings: Settings, period_id: str) -> tuple[str, datetime]:
    with connect(settings) as conn:
        row = conn.execute(
            """
            select payments.ma_co_quan, release.as_known_at
            from frozen.release as release
            inner join raw.payments as payments
                on
                    payments.known_from > release.as_known_at
                    and payments.known_to is null
                    and payments.ngay_ghi_co < release.cutoff_at
                    and payments.trang_thai = 'HIEU_LUC'
            where
                release.release_id = %s
                and not exists (
                    select from raw.payments as earlier
                    where
                        earlier.so_chung_tu = payments.so_chung_tu
                        and earlier.known_from <= release.as_known_at
                )
            group by payments.ma_co_quan, release.as_known_at
            order by sum(payments.so_tien) desc, payments.ma_co_quan
            limit 1
            """,
            [period_id],
        ).fetchone()
    if row is None:
        raise ChotsoError(
            "No money came late: the demonstration explains nothing.",
            next_step="run it with another --seed in a new CHOTSO_HOME.",
        )
    return row[0], row[1]
