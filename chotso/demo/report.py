"""What `make demo` prints at its end: the sealed figures, what came late, where everything is."""

import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
from psycopg.rows import class_row
from rich import box
from rich.console import Console
from rich.table import Table

from chotso.errors import ChotsoError
from chotso.local.airflow import LocalAirflow
from chotso.local.airflow_home import ADMIN
from chotso.reports.names import short_name
from chotso.reports.words import PLAN_OF_ZERO
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.warehouse.connect import connect

MONTH = date(2021, 12, 1)
INVENTED = "SỐ LIỆU GIẢ ĐỊNH – không phải số liệu thật của bất kỳ cơ quan nào"
# One column each: heading, metric, and which of its values is shown.
COLUMNS = (
    ("BHXH\nBB (%)", "participants_si_compulsory", "ratio"),
    ("BHXH\nTN (%)", "participants_si_voluntary", "ratio"),
    ("BHTN\n(%)", "participants_ui", "ratio"),
    ("BHYT\n(%)", "participants_hi", "ratio"),
    ("Số thu\n(tỷ đ)", "collection_total", "billions"),
    ("Thu/KH\n(%)", "collection_total", "ratio"),
    ("Nợ (%)\n< 0,9", "arrears_ratio_total", "value"),
)
BILLION = Decimal(1_000_000_000)


@dataclass(frozen=True)
class SealedFigure:
    """One row of the sealed attainment: figures as numeric, ratios as fractions."""

    agency_code: str
    agency_name: str
    metric_code: str
    actual_to_date: Decimal | None
    attainment_ratio: Decimal | None
    is_met: bool | None
    plan_status_code: str | None


@dataclass(frozen=True)
class SealedRelease:
    """A sealed release: its folder's name and its root."""

    release_id: str
    root_sha256: str
    previous_root: str | None


def show_release(console: Console, settings: Settings, period_id: str) -> None:
    """Print the sealed attainment table, the release's id and root, and what its verifier says.

    Raises:
        ChotsoError: There is no such release, or it does not verify.
    """
    with connect(settings) as conn:
        releases = _releases(conn)
        figures = _figures(conn, period_id)
    if period_id not in {release.release_id for release in releases} or not figures:
        raise ChotsoError(
            f"There is no sealed release of {period_id}.",
            next_step="read the log of `freeze_results` in Airflow.",
        )
    console.print(_table(figures, period_id))
    for release in releases:
        bundle = settings.releases_dir / release.release_id
        command = ["python3", "-I", str(bundle / "verify.py"), "--anchor", release.root_sha256]
        verdict = _verify(command)
        console.print(f"\n[bold]Release[/bold] {release.release_id}", highlight=False)
        console.print(f"  root      {release.root_sha256}", highlight=False)
        console.print(f"  checked   {shlex.join(command)}", markup=False, soft_wrap=True)
        console.print(f"  verdict   [bold green]{verdict}[/bold green]", highlight=False)


def show_what_came_late(console: Console, settings: Settings, period_id: str) -> None:
    """Print how the marts changed after the seal while the release stayed the same."""
    with connect(settings) as conn:
        late, sealed, now = _late(conn, period_id)
    table = Table(
        title="Sau khi chốt – what became known after the seal",
        box=box.SIMPLE,
        title_justify="left",
        title_style="bold",
    )
    for heading in ("", "Số thu lũy kế toàn tỉnh (đồng)"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("Bản đã chốt – sealed release", _grouped(sealed))
    table.add_row("Kho số liệu đêm 31/12 – marts now", _grouped(now))
    table.add_row("Chênh lệch – difference", _grouped(now - sealed))
    console.print()
    console.print(table)
    console.print(
        f"{late} chứng từ ghi có trước giờ chốt nhưng về sau giờ chốt "
        f"({late} payments credited before the cutoff and known only after it).",
        highlight=False,
    )
    if late == 0 or now == sealed:
        raise ChotsoError(
            "No payment came late: the demonstration shows nothing.",
            next_step="run it with another --seed in a new CHOTSO_HOME.",
        )


def show_places(
    console: Console, home: Path, settings: Settings, server: SandboxServer, airflow: LocalAirflow
) -> None:
    """Print where Airflow, the releases and the database are, and how to stop them."""
    console.print("\n[bold]Where it is[/bold] (left running; `make down` stops it)")
    places = {
        "Airflow": f"{airflow.url}  user {ADMIN}, password in {airflow.password_file}",
        "Releases": str(settings.releases_dir),
        "Database": f"PostgreSQL at {server.host}:{server.port}, database warehouse "
        f"(logins in {home / 'sandbox.json'})",
        "Figures": "marts.fct_monthly_attainment, frozen.current_attainment",
        "Alerts": f"{home / 'alerts.jsonl'}",
    }
    for name, place in places.items():
        console.print(f"  {name:<10}{place}", markup=False, highlight=False, soft_wrap=True)


def show_trouble(console: Console, trouble: list[str], url: str, alerts: Path) -> None:
    """Print what went wrong, or that nothing did."""
    if not trouble:
        console.print("\nNo task failed on the way.", highlight=False)
        return
    console.print(
        "\n[bold]What went wrong on the way[/bold] (what is sealed above is whole and verified)"
    )
    for line in trouble:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"  Next: read {alerts} and the tasks' logs at {url}.", markup=False)


def _releases(conn: psycopg.Connection) -> list[SealedRelease]:
    with conn.cursor(row_factory=class_row(SealedRelease)) as cursor:
        return cursor.execute(
            "select release_id, root_sha256, previous_root from frozen.release order by sealed_at"
        ).fetchall()


def _figures(conn: psycopg.Connection, release_id: str) -> list[SealedFigure]:
    with conn.cursor(row_factory=class_row(SealedFigure)) as cursor:
        return cursor.execute(
            """
            select
                agency_code, agency_name, metric_code, actual_to_date, attainment_ratio, is_met,
                plan_status_code
            from frozen.attainment
            where release_id = %s and month = %s
            order by agency_code, metric_code
            """,
            [release_id, MONTH],
        ).fetchall()


def _late(conn: psycopg.Connection, release_id: str) -> tuple[int, Decimal, Decimal]:
    """The number of late payments, and the province's collection as sealed and as known now."""
    row = conn.execute(
        """
        with release as (
            select cutoff_at, as_known_at from frozen.release where release_id = %(release)s
        ),

        late as (
            select count(distinct payments.so_chung_tu) as payment_count
            from raw.payments
            cross join release
            where
                payments.ngay_ghi_co < release.cutoff_at
                and payments.trang_thai = 'HIEU_LUC'
                and payments.known_to is null
                and not exists (
                    select 1
                    from raw.payments as earlier
                    where
                        earlier.so_chung_tu = payments.so_chung_tu
                        and earlier.known_from <= release.as_known_at
                )
        ),

        province as (
            select agency_code
            from frozen.attainment
            where release_id = %(release)s and parent_agency_code is null
            limit 1
        ),

        final as (
            select
                late.payment_count,
                sealed.actual_to_date as sealed_vnd,
                now.actual_to_date as now_vnd
            from late
            cross join province
            inner join frozen.attainment as sealed
                on
                    sealed.release_id = %(release)s
                    and sealed.agency_code = province.agency_code
                    and sealed.month = %(month)s
                    and sealed.metric_code = 'collection_total'
            inner join marts.fct_monthly_attainment as now
                on
                    now.agency_code = province.agency_code
                    and now.month = %(month)s
                    and now.metric_code = 'collection_total'
        )

        select * from final
        """,
        {"release": release_id, "month": MONTH},
    ).fetchone()
    assert row is not None
    return int(row[0]), row[1], row[2]


def _table(figures: list[SealedFigure], period_id: str) -> Table:
    table = Table(
        title=f"Kết quả thực hiện chỉ tiêu đến 17 giờ 31/12/2021 – {period_id}\n{INVENTED}",
        caption="Người tham gia và số thu so với kế hoạch năm; nợ so với số phải thu.\n"
        f"✓ đạt, ✗ chưa đạt chỉ tiêu. {PLAN_OF_ZERO}: kế hoạch bằng 0.",
        box=box.SIMPLE_HEAD,
        title_style="bold",
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("Cơ quan", max_width=20)
    for heading, _, _ in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    by_agency: dict[str, dict[str, SealedFigure]] = {}
    for figure in figures:
        by_agency.setdefault(figure.agency_code, {})[figure.metric_code] = figure
    for code, metrics in by_agency.items():
        cells = [_cell(metrics.get(metric), kind) for _, metric, kind in COLUMNS]
        name = short_name(next(iter(metrics.values())).agency_name, is_province=len(code) == 3)
        name = name.replace("Bảo hiểm xã hội", "BHXH")
        table.add_row(name, *cells, style="bold" if len(code) == 3 else None)
    return table


def _cell(figure: SealedFigure | None, kind: str) -> str:
    shown = figure.attainment_ratio if figure and kind == "ratio" else None
    if figure and kind != "ratio":
        shown = figure.actual_to_date
    mark = {True: " [green]✓[/green]", False: " [red]✗[/red]", None: ""}[
        figure.is_met if figure else None
    ]
    if figure and kind == "ratio" and figure.plan_status_code == "zero":
        return f"{PLAN_OF_ZERO}{mark}"
    if shown is None:
        return "–"
    if kind == "billions":
        return _comma(shown / BILLION, 1)
    return f"{_comma(shown * 100, 3 if kind == 'value' else 1)}{mark}"


def _comma(value: Decimal, places: int) -> str:
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))


def _grouped(value: Decimal) -> str:
    return f"{value:,.0f}".replace(",", ".")


def _verify(command: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, *command[1:]], capture_output=True, text=True, timeout=300, check=False
    )
    first = (done.stdout.strip().splitlines() or [""])[0]
    if done.returncode != 0:
        raise ChotsoError(
            f"The release does not verify: {done.stdout}{done.stderr}",
            next_step="keep the folder as it is and tell the maintainers.",
        )
    return first
