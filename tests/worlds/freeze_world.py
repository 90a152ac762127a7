"""A warehouse for freezes, with a made-up final extract and build instead of real ones."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from chotso.build.scratch import claim_scratch_schema
from chotso.calendar import parse_instant
from chotso.contracts import contracts
from chotso.failpoints import failpoint
from chotso.progress import Progress
from chotso.registers import load_registers
from chotso.release.bundle import papers
from chotso.release.bundle.inputs import MadeBy
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.release.seal.parts import Parts, PeriodToFreeze
from chotso.settings import Settings
from chotso.warehouse import locks
from chotso.warehouse.connect import connect as connect
from tests.worlds.children import Child

if TYPE_CHECKING:
    from tests.worlds.product import Product

CUTOFF = parse_instant("2021-12-31T17:00")
PERIODS = ("sprint-2021-q4", "plan-2021-m09-12")
FEEDS = sorted(contracts())
AGENCIES = ("072", "07200", "07201")
METRICS = {"collection_total": "flow", "arrears_ratio_total": "ratio", "participants_hi": "stock"}
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Extracted:
    known_at: datetime
    batch_ids: list[str]
    stopped: list[str]


def prepare(settings: Settings, source_admin_url: str, at: datetime = CUTOFF) -> None:
    """The source's clock, and one night's batches before the cutoff."""
    with psycopg.connect(source_admin_url) as conn:
        conn.execute("drop schema if exists tst cascade")
        conn.execute("create schema tst")
        conn.execute("create table tst.dong_ho (id int primary key, bay_gio timestamptz not null)")
        conn.execute("insert into tst.dong_ho values (1, %s)", [at])
        conn.execute("grant usage on schema tst to public")
        conn.execute("grant select on tst.dong_ho to public")
    with connect(settings) as conn:
        for feed in FEEDS:
            insert_batch(conn, feed, date(2021, 12, 30), CUTOFF - timedelta(hours=16), None)


def empty(settings: Settings) -> None:
    """The warehouse as `migrate` leaves it, without the changes of earlier tests."""
    with past_the_guards(settings) as conn:
        conn.execute("truncate frozen.release, rehearsal.release, ops.freeze, ops.batch cascade")
        conn.execute("truncate ops.build cascade")
        for feed in FEEDS:
            conn.execute(sql.SQL("truncate {}").format(sql.Identifier("raw", feed)))
        schemas = conn.execute(
            "select nspname from pg_namespace where nspname ~ '^(freeze|rehearsal)_'"
        )
        for (name,) in schemas.fetchall():
            conn.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


def fresh(made: "Product", releases: Path) -> Settings:
    """The emptied warehouse with one night before the cutoff, and an own folder of releases."""
    settings = made.settings.model_copy(update={"releases_dir": releases})
    empty(settings)
    prepare(settings, made.source_admin_url)
    return settings


def shorten_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write dummy reports: they follow from no build, and take most of a freeze's time."""

    def short(folder: Path, manifest: Any) -> None:
        for name in ("report.pdf", "report.xlsx"):
            (folder / name).write_bytes(b"x")

    monkeypatch.setattr(papers, "add_reports", short)


def set_clock(source_admin_url: str, at: datetime) -> None:
    with psycopg.connect(source_admin_url) as conn:
        conn.execute("update tst.dong_ho set bay_gio = %s", [at])


def insert_batch(
    conn: psycopg.Connection, feed: str, day: date, known_at: datetime, final_of: str | None,
    rows_changed: int = 2,
) -> str:  # fmt: skip
    batch_id = f"{feed}-{os.getpid()}-{time.monotonic_ns()}"  # always different, as in production
    conn.execute(
        """
        insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode,
            rows_delivered, rows_accepted, rows_quarantined, rows_changed, money_delivered,
            money_accepted, money_quarantined, known_at, sha256, delivery_name, final_of,
            code_version)
        values (%s, %s, 'all', %s, 'published', 'whole', 2, 2, 0, %s, 5, 5, 0, %s, %s, %s, %s, 'x')
        """,
        [
            batch_id, feed, day, rows_changed, known_at, (feed * 64)[:64],
            "KE_HOACH_Ta\u0302y.xlsx" if feed == "agencies" else None, final_of,
        ],
    )  # fmt: skip
    conn.commit()
    return batch_id


def clock(settings: Settings) -> datetime:
    with psycopg.connect(settings.source_url) as conn:
        row = conn.execute("select bay_gio from tst.dong_ho").fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def final_extract(
    settings: Settings,
    business_date: date,
    *,
    final_of: str,
    not_before: datetime | None,
    progress: Progress,
    feeds: list[str] | None = None,
) -> Extracted:
    """Publishes a batch per feed; the first complete extract for a release sets the instant."""
    feeds = FEEDS if feeds is None else feeds
    query = "select feed, batch_id, known_at from ops.batch where final_of = %s"
    with connect(settings) as conn:
        found = conn.execute(query, [final_of]).fetchall()
        known_at = found[0][2] if found else clock(settings)
        for feed in feeds:
            if feed not in {row[0] for row in found}:
                insert_batch(conn, feed, business_date, known_at, final_of)
                failpoint(f"fake.published-{feed}")
        batches = conn.execute(query, [final_of]).fetchall()
    stopped = [f"{feed} was blocked" for feed in FEEDS if feed not in feeds]
    return Extracted(known_at, sorted(row[1] for row in batches), stopped)


def build(
    settings: Settings,
    *,
    as_known_at: datetime,
    event_cutoff: datetime,
    schema: str,
    config: str,
    collected: int = 4_500_000_000_000,
) -> object:
    """Three agencies, twelve months, three metrics, in a random order."""
    assert (config, event_cutoff) == ("current", CUTOFF)
    with connect(settings) as conn:
        deliver(conn, collected, as_known_at)
        record_build(conn, as_known_at, schema)
        claim_scratch_schema(conn, schema)
        conn.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(schema)))
        conn.execute(TABLES)
        failpoint("fake.half-built")
        conn.execute(
            "insert into dim_agency "
            "select code || '|first', code, name, parent, 2, null, '2010-01-01', until "
            "from (values ('072', 'Ta\u0302y Ninh', null, null::date), "
            "('07200', 'Văn phòng, BHXH tỉnh', '072', null), "
            "('07201', 'Tân \"Biên\"', '072', date '2021-06-30')) as a (code, name, parent, until) "
            "order by random()"
        )
        for code, kind in METRICS.items():
            unit = {"flow": "vnd", "ratio": "fraction", "stock": "person"}[kind]
            conn.execute(
                "insert into dim_metric values (%s, %s, %s, %s, %s, 'at_least', 'none')",
                [code, f"Chỉ tiêu {code}", f"Metric {code}", unit, kind],
            )
        conn.execute(
            """
            insert into fct_plan_target values
            ('agency', '07200', 2021, 'arrears_ratio_total', '2021-01-01', '2021-01-05', '01/QĐ',
                'BHXH Việt Nam', 0.009),
            ('agency', '07200', 2021, 'collection_total', '2021-01-01', '2021-01-05', '01/QĐ',
                'BHXH Việt Nam', 5000000000000)
            """
        )
        conn.execute(FACTS, {"known_at": as_known_at, "collected": collected})
        conn.execute(OTHERS)
        for metric in load_registers().metrics.metrics:
            if metric.code not in METRICS:
                conn.execute(MORE, {"code": metric.code, "unit": metric.unit, "kind": metric.kind})
        conn.commit()
    return None


def deliver(conn: psycopg.Connection, collected: int, known_at: datetime) -> None:
    """Insert the rows of the fake build's figures into `raw`; changed rows as new versions."""
    first = CUTOFF - timedelta(days=400)
    known = conn.execute(
        "select tien_goc from raw.allocations where so_chung_tu = '07200-01' "
        "and known_from <= %s and (known_to is null or known_to > %s)",
        [known_at, known_at],
    ).fetchone()
    if known == (collected - 77,):
        return
    conn.execute(
        "update raw.allocations set known_to = %s where known_to is null "
        "and so_chung_tu ~ '-01$' and tien_goc <> %s",
        [known_at, collected - 77],
    )
    known_from = known_at if known else first
    conn.execute(DELIVERED, {"collected": collected, "first": first, "known_from": known_from})
    conn.commit()


def record_build(conn: psycopg.Connection, as_known_at: datetime, schema: str) -> None:
    """Insert the build's row into the ledger, with the configuration of this checkout."""
    conn.execute(
        "insert into ops.build (business_date, as_known_at, event_cutoff, target_schema, config, "
        "config_sha256, code_version, status) values (%s, %s, %s, %s, %s, 'x', %s, 'built')",
        [
            CUTOFF.date(), as_known_at, CUTOFF, schema, Jsonb(load_registers().configuration),
            made_by().code_version,
        ],
    )  # fmt: skip
    conn.commit()


DELIVERED = """
with agencies as (select unnest(array['072', '07200', '07201']) as code),

months as (
    select generate_series(date '2021-01-01', date '2021-12-01', interval '1 month')::date as month
),

registered as (
    insert into raw.agencies (ma_co_quan, ten, cap, batch_id, known_from)
    select code, 'BHXH ' || code, 2, 'x', %(first)s from agencies
    on conflict do nothing
),

documents as (
    insert into raw.payments (so_chung_tu, ma_don_vi, ma_co_quan, ngay_ghi_co, so_tien, trang_thai,
        batch_id, known_from)
    select code || to_char(month, '-MM'), 'TA0001A', code, month + interval '20 days', 7,
        'HIEU_LUC', 'x', %(first)s
    from agencies, months
    on conflict do nothing
),

lines as (
    insert into raw.allocations (so_chung_tu, so_dong, quy, thang, tien_goc, tien_lai, batch_id,
        known_from)
    select code || to_char(month, '-MM'), 1, 'BHYT', month,
        case when month = '2021-01-01' then %(collected)s - 77 else 7 end, 3, 'x', %(known_from)s
    from agencies, months
    on conflict do nothing
),

accounts as (
    insert into raw.c12 (ma_co_quan, thang, madvi, ps_bh, ck_bhxh, ck_lai, sothang, stated_at,
        restated_at, batch_id, known_from)
    select code, month, employer, case when month = '2021-01-01' then 10000 * owing else 0 end,
        85 * owing, 1, 1.5, %(first)s, %(first)s, 'x', %(first)s
    from months, (values ('072', 'TA0072A', 1), ('07200', 'TA0001A', 1), ('07200', 'DL00001', 0),
        ('07201', 'TA0201A', 1)) as account (code, employer, owing)
    on conflict do nothing
)

insert into raw.plans (so_quyet_dinh, ngay_ky, don_vi_giao, nam, loai_doi_tuong, ma_doi_tuong,
    chi_tieu, gia_tri, hieu_luc_tu, batch_id, known_from)
select '01/QĐ', '2021-01-05', 'BHXH Việt Nam', 2021, 'CO_QUAN', code, 'NO_TONG', 0.9, '2021-01-01',
    'x', %(first)s
from agencies
on conflict do nothing
"""
TABLES = """
create table dim_agency (agency_key text, agency_code text, agency_name text,
    parent_agency_code text, level_number int, district_code text, valid_from_date date,
    valid_to_date date);
create table dim_metric (metric_code text, metric_name_vi text, metric_name_en text,
    unit_code text, kind_code text, direction_code text, additivity_code text);
create table fct_plan_target (object_type_code text, object_code text, plan_year int,
    metric_code text, effective_from_date date, signed_date date, decision_code text,
    assigner_name text, plan_value numeric);
create table fct_monthly_attainment (agency_code text, month date, metric_code text,
    actual_month numeric, actual_to_date numeric, numerator numeric, denominator numeric,
    plan_original numeric, plan_in_force numeric, attainment_ratio numeric, is_met boolean,
    quarantined_money numeric, known_at timestamptz, agency_key text, plan_final numeric,
    plan_status_code text, quarantined_to_date numeric, is_province boolean);
create table int_money_at_stake (agency_code text, month date, kind_code text,
    at_stake_vnd numeric);
create table dim_employer (employer_key text, employer_code text, employer_name text,
    management_group_code text);
create table dim_officer (officer_key text, officer_name text);
create table dim_reconciliation_category (category_code text, category_name_vi text);
create table fct_employer_account (employer_code text, month date, group_code text,
    arrears_vnd numeric);
create table fct_employer_debt (employer_code text, month date, agency_code text,
    agency_key text, employer_key text, stated_at timestamptz, arrears_vnd numeric,
    interest_bearing_arrears_vnd numeric, surplus_vnd numeric, interest_closing_vnd numeric,
    months_owed_count numeric, debt_class_code text, employer_status_code text);
create table fct_officer_attainment (like fct_monthly_attainment);
alter table fct_officer_attainment add officer_code text, add officer_key text,
    add is_own_agency boolean;
create table fct_reconciliation (agency_code text, agency_key text, month date, group_code text,
    category_code text, allocated_vnd numeric, paid_vnd numeric, difference_vnd numeric);
create table int_uncounted_facts (metric_code text, agency_code text, month date,
    fact_count bigint, money_vnd numeric);
create table rpt_emulation_ranking (period_id text, participant_type text, participant_code text,
    participant_name text, agency_code text, agency_key text, province_code text,
    measured_month date, is_at_cutoff boolean, is_considered boolean, not_considered_code text,
    not_considered_reason_vi text, not_considered_reason_en text, total_points numeric,
    full_points numeric, rank_number bigint, tie_broken_by text, is_rank_shared boolean,
    explanation_vi text, explanation_en text);
create table rpt_emulation_points (period_id text, participant_type text, participant_code text,
    metric_code text, measured_month date, actual_to_date numeric, plan_in_force numeric,
    attainment_ratio numeric, weight_points numeric, is_gate boolean, result_code text,
    excess_ratio numeric, leader_codes text, leader_excess_ratio numeric, points numeric,
    explanation_vi text, explanation_en text);
create table fct_arrears_ratio (agency_code text, month date, group_code text, variant_code text,
    numerator numeric, denominator numeric, ratio numeric, is_met boolean, is_official boolean,
    agency_key text, has_differing_verdicts boolean, is_province boolean);
"""
OTHERS = """
insert into dim_employer values ('TA0001A|first', 'TA0001A', 'Công ty Giả định 1', 'DN'),
('DL00001|first', 'DL00001', 'Người thu Giả định', 'DL'),
('TA0072A|first', 'TA0072A', 'Công ty Giả định 2', 'DN'),
('TA0201A|first', 'TA0201A', 'Công ty Giả định 3', 'DN');
insert into dim_officer values ('CB01|first', 'Cán bộ Giả định');
insert into dim_reconciliation_category values ('matched', 'Khớp');

insert into fct_employer_account
select madvi, thang, fund_group, case fund_group when 'si' then ck_bhxh else 0 end
from raw.c12, unnest(array['si', 'ui', 'hi']) as fund_group
where known_to is null;
insert into fct_employer_debt
select madvi, thang, ma_co_quan, ma_co_quan || '|first', madvi || '|first', stated_at, ck_bhxh,
    greatest(ck_bhxh - ps_bh, 0), 0, ck_lai, sothang, 'overdue', 'active'
from raw.c12
where known_to is null
order by random();

insert into fct_officer_attainment
select fact.*, 'CB01', 'CB01|first', true
from fct_monthly_attainment as fact
where agency_code = '07200'
order by random();

insert into fct_reconciliation
select '07200', '07200|first', month, group_code, 'matched', arrears_vnd, arrears_vnd, 0
from fct_employer_account
order by random();

insert into rpt_emulation_ranking
select period, 'agency', '07200', 'Văn phòng, BHXH tỉnh', '07200', '07200|first', '072',
    '2021-12-01', true, true, null, null, null, 87.5, 100, 1, null, false, 'Hạng nhất.', 'First.'
from unnest(array['sprint-2021-q4', 'plan-2021-m09-12', 'another']) as period;
insert into rpt_emulation_points
select period_id, 'agency', '07200', 'arrears_ratio_total', measured_month, 0.0085, 0.009, 0.944,
    100, true, 'met', 0.05, '07200', 0.05, 87.5, 'Đạt.', 'Met.'
from rpt_emulation_ranking;
"""
FACTS = """
with months as (
    select generate_series(date '2021-01-01', date '2021-12-01', interval '1 month')::date as month
),

attainment as (
    insert into fct_monthly_attainment
    select agency_code, month, metric_code,
        case
            when kind_code = 'ratio' then 0.0085
            when kind_code = 'flow' and month = '2021-01-01' then %(collected)s - 77
            else 7
        end,
        case
            when kind_code = 'ratio' then 0.0085
            else %(collected)s
                - case kind_code when 'flow' then 7 * (12 - extract(month from month)) else 0 end
        end,
        case kind_code when 'ratio' then 85 end, case kind_code when 'ratio' then 10000 end,
        case kind_code when 'ratio' then 0.009 end, case kind_code when 'ratio' then 0.009 end,
        case kind_code when 'ratio' then 0.944444444 end,
        case kind_code when 'ratio' then true end, 0, %(known_at)s,
        agency_key, case kind_code when 'ratio' then 0.009 end,
        case kind_code when 'ratio' then 'in_force' else 'none' end, 0
    from dim_agency, months, dim_metric
    order by random()
)

insert into fct_arrears_ratio
select agency_code, month, 'total', variant, 85, 10000, 0.0085, true, variant = 'total_receivable',
    agency_key, false
from dim_agency, months, (values ('total_plan'), ('total_receivable')) as v (variant)
order by random()
"""

# The other metrics of the register. Only fund HI has lines, so its figures equal the total's.
MORE = """
with added as (
    insert into dim_metric
    values (%(code)s, %(code)s, %(code)s, %(unit)s, %(kind)s, 'at_least', 'none')
    returning metric_code, case when kind_code <> 'ratio' then 0 end as figure
)

insert into fct_monthly_attainment
select agency_code, month, added.metric_code,
    case added.metric_code when 'collection_hi' then actual_month else figure end,
    case added.metric_code when 'collection_hi' then actual_to_date else figure end,
    null, null, null, null, null, null, 0, known_at, agency_key, null, 'none', 0
from fct_monthly_attainment as total, added
where total.metric_code = 'collection_total'
order by random()
"""


def period(period_id: str) -> PeriodToFreeze:
    return PeriodToFreeze(period_id, CUTOFF, ("DL",))


def made_by() -> MadeBy:
    """A fixed value, so that a root does not depend on the checkout."""
    configuration = {"config/periods.yml": "# kỳ\nperiods: []\n".encode()}
    rules = {"expectations/register.yml": b"rules: []\n"}
    return MadeBy("0.1.0+abc", "a" * 64, "b" * 64, configuration, rules)


def late_changes(
    settings: Settings, period_id: str, until: datetime, progress: Progress
) -> list[dict[str, object]]:
    """The reason for the fake build's difference: a payment that was recorded late."""
    return [
        {
            "feed": "allocations", "item_key": '["CT-1",1]', "reason_code": "late_recording",
            "agency_code": "07201", "metric_code": "collection_hi", "month": date(2021, 12, 1),
            "last_month": date(2021, 12, 1), "unit_code": "vnd", "amount": Decimal(1_000),
            "base_amount": Decimal(0), "known_at": until, "delivery_name": None,
            "input_sha256": "a" * 64,
        }
    ]  # fmt: skip


PARTS = Parts(
    feeds=lambda: FEEDS,
    made_by=made_by,
    period=period,
    final_extract=final_extract,
    build=build,
    late_changes=late_changes,
)


def run_child(
    settings: Settings, period_id: str = PERIODS[0], failpoint_name: str = "",
    rehearse: bool = False,
) -> Child:  # fmt: skip
    """A freeze in its own process, which is killed at the failpoint if one is given."""
    return Child(_root, settings, period_id, rehearse, failpoint=failpoint_name)


def _root(settings: Settings, period_id: str, rehearse: bool) -> str:
    return seal(settings, period_id, rehearse=rehearse).root_sha256


def run_elsewhere(settings: Settings, **environment: str) -> "subprocess.Popen[str]":
    """A freeze in a new Python that has other variables."""
    program = (
        "import sys; from chotso.settings import Settings; "
        "from tests.worlds import freeze_world as w; "
        "print(w.seal(Settings.model_validate_json(sys.argv[1])).root_sha256)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, settings.model_dump_json()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT,
        env={**os.environ, **environment},
    )  # fmt: skip


def killed_at(settings: Settings, name: str, rehearse: bool = False) -> None:
    child = run_child(settings, failpoint_name=name, rehearse=rehearse)
    _, err = child.ended(timeout=120)
    assert child.exitcode == -signal.SIGKILL, err


def seal(settings: Settings, period_id: str = PERIODS[0], rehearse: bool = False) -> FreezeReport:
    return freeze(settings, period_id, rehearse=rehearse, parts=PARTS)


@contextmanager
def as_admin(settings: Settings) -> Iterator[psycopg.Connection]:
    assert settings.admin_url is not None
    with psycopg.connect(settings.admin_url) as conn:
        yield conn


@contextmanager
def past_the_guards(settings: Settings) -> Iterator[psycopg.Connection]:
    """A superuser's session as a migration; only this can change guarded figures."""
    with as_admin(settings) as conn, locks.hold(conn, "migrate"):
        yield conn
        conn.commit()


def count(settings: Settings, query: str) -> int:
    with as_admin(settings) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def manifest(report: FreezeReport) -> dict[str, object]:
    content: dict[str, object] = json.loads((report.bundle / "manifest.json").read_bytes())
    return content
