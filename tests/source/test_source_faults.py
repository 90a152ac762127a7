"""A source that fails in mid-night: its feed stops and is named, and the rest goes on."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import psycopg
import pytest

from chotso.calendar import LOCAL_ZONE
from chotso.contracts import contracts
from chotso.errors import ChotsoError
from chotso.ingest import night
from chotso.ingest.night import extract_all, extract_group
from chotso.orchestration.due import missing
from chotso.orchestration.night import dates_to_request
from chotso.sandbox.province import advance, seed
from chotso.source.database import open_snapshot
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

DAY = date(2021, 10, 1)
CLOCK = datetime(2021, 10, 2, 1, tzinfo=LOCAL_ZONE)
AS_A_VIEW = """
alter table tst.{table} rename to {table}_hidden;
create view tst.{table} as select {columns} from tst.{table}_hidden;
grant select on tst.{table} to chotso_source
"""
NO_VIEW = "drop view tst.{table}; alter table tst.{table}_hidden rename to {table}"
COLUMNS = (
    "so_chung_tu, ma_don_vi, ma_co_quan, hinh_thuc, ngay_ghi_co, "
    "{}, trang_thai, ngay_nhap, ngay_sua"
)  # fmt: skip
FAULTS = {
    "lost_select": (
        "revoke select on tst.chung_tu from chotso_source",
        "grant select on tst.chung_tu to chotso_source",
        "tst.chung_tu", "42501",
    ),
    "cast_in_a_view": (
        AS_A_VIEW.format(
            table="chung_tu", columns=COLUMNS.format("(so_chung_tu || so_tien)::bigint as so_tien")
        ),
        NO_VIEW.format(table="chung_tu"),
        "tst.chung_tu", "22P02",
    ),
    "division_in_a_view": (
        AS_A_VIEW.format(
            table="chung_tu", columns=COLUMNS.format("so_tien / (so_tien - so_tien) as so_tien")
        ),
        NO_VIEW.format(table="chung_tu"),
        "tst.chung_tu", "22012",
    ),
    "lost_column_below_a_view": (
        "create function tst.gone() returns bigint language sql as 'select 1::bigint';"
        + AS_A_VIEW.format(table="chung_tu", columns=COLUMNS.format("tst.gone() as so_tien"))
        + "; revoke execute on function tst.gone() from public",
        NO_VIEW.format(table="chung_tu") + "; drop function tst.gone()",
        "tst.chung_tu", "42501",
    ),
    "retyped_count": (
        "alter table tst.doi_soat alter so_dong type text",
        "alter table tst.doi_soat alter so_dong type bigint using so_dong::bigint",
        "tst.doi_soat", "config/helpers/doi_soat.yml:",
    ),
    "hidden_count": (
        "revoke select on tst.doi_soat from chotso_source",
        "grant select on tst.doi_soat to chotso_source",
        "tst.doi_soat", "42501",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("faults")
    with own_server() as (running, _), product(running, "source_faults", folder) as made:
        place = (made.source_admin_url, made.drop)
        seed(
            *place, persons=500, employers=30, year=2021, seed=5, defects="none",
            state_dir=folder / "state", progress=lambda _: None,
        )  # fmt: skip
        advance(*place, to=CLOCK, state_dir=folder / "state", progress=lambda _: None)
        assert [s for r in extract_all(made.settings, DAY) for s in r.stopped] == []
        yield made


@contextmanager
def at_the_source(living: Product, change: str, undo: str) -> Iterator[None]:
    with psycopg.connect(living.source_admin_url, autocommit=True) as admin:
        admin.execute(change)  # type: ignore[arg-type, unused-ignore]
        try:
            yield
        finally:
            admin.execute(undo)  # type: ignore[arg-type, unused-ignore]


def ledger(living: Product, condition: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(living.admin_url) as admin:
        return admin.execute(
            f"select feed, status, coalesce(reason, '') from ops.batch where {condition} "  # type: ignore[arg-type, unused-ignore]
            "order by started_at"
        ).fetchall()


def night_s_status(living: Product, day: date) -> tuple[str, int]:
    with psycopg.connect(living.admin_url) as admin:
        row = admin.execute(
            "select status, batches_stopped from ops.nights where business_date = %s", [day]
        ).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("kind", FAULTS)
def test_one_relation_s_fault_stops_its_own_feed(living: Product, kind: str) -> None:
    change, undo, relation, code = FAULTS[kind]
    before = len(ledger(living, "true"))
    with at_the_source(living, change, undo):
        report = extract_group(living.settings, "contributions", DAY)
    new = ledger(living, "true")[before:]
    failed = {feed: reason for feed, status, reason in new if status == "failed"}
    assert "payments" in failed
    assert relation in failed["payments"]
    assert any(relation in text and code in text and "Next: " in text for text in report.stopped)
    assert not [status for _, status, _ in new if status == "running"]
    if relation == "tst.chung_tu":  # the lines stand on their own
        assert ("allocations", "published") in [(feed, status) for feed, status, _ in new] or (
            "allocations" in failed  # they are read by their documents
        )
    assert "CT0" not in " ".join([*report.stopped, *failed.values()]), "no value is quoted"
    assert extract_group(living.settings, "contributions", DAY).stopped == []


def test_a_register_s_fault_leaves_the_other_registers_and_groups(living: Product) -> None:
    with at_the_source(
        living,
        "revoke select on tst.can_bo from chotso_source",
        "grant select on tst.can_bo to chotso_source",
    ):
        reports = extract_all(living.settings, DAY)
    stopped = [text for report in reports for text in report.stopped]
    assert len(stopped) == 1
    assert "tst.can_bo" in stopped[0]
    assert {"agencies", "employers", "payments", "plans"} <= {
        batch["feed"] for report in reports for batch in report.batches
    }


@pytest.mark.parametrize(
    ("change", "undo", "told"),
    [
        ("alter table tst.dong_ho alter bay_gio type text",
         "alter table tst.dong_ho alter bay_gio type timestamptz using bay_gio::timestamptz",
         "config/helpers/dong_ho.yml:"),
        ("revoke select on tst.dong_ho from chotso_source",
         "grant select on tst.dong_ho to chotso_source", "tst.dong_ho"),
        ("alter role chotso_source set statement_timeout = '1ms'",
         "alter role chotso_source reset statement_timeout", "57014"),
        ("alter role chotso_source nologin", "alter role chotso_source login", "does not answer"),
    ],
)  # fmt: skip
def test_what_stops_every_group_is_told_of_every_group(
    living: Product, change: str, undo: str, told: str
) -> None:
    before = len(ledger(living, "true"))
    with at_the_source(living, change, undo):
        reports = extract_all(living.settings, DAY)
    assert len(reports) == 5
    assert all(any(told in text for text in report.stopped) for report in reports)
    new = ledger(living, "true")[before:]
    assert [feed for feed, _, _ in new] == list(contracts()), "each feed has its row"
    assert {status for _, status, _ in new} == {"failed"}
    assert all(told in reason for _, _, reason in new)
    assert ledger(living, "status = 'running'") == []


def test_a_folder_that_is_gone_leaves_a_row_of_its_feed(living: Product) -> None:
    before = len(ledger(living, "true"))
    away = living.drop.rename(living.drop.with_name("away"))
    try:
        with pytest.raises(ChotsoError, match="Next: "):
            extract_group(living.settings, "plans", DAY)
    finally:
        away.rename(living.drop)
    ((feed, status, reason),) = ledger(living, "true")[before:]
    assert (feed, status) == ("plans", "failed")
    assert str(living.drop) in reason
    assert missing(living.settings) == [], "an earlier read of the date was published"


def test_a_date_that_has_not_come_is_no_gap(living: Product) -> None:
    before = len(ledger(living, "true"))
    with pytest.raises(ChotsoError, match="lies after the source's clock"):
        extract_group(living.settings, "registers", DAY + timedelta(days=30))
    assert ledger(living, "true")[before:] == []


def test_a_source_that_is_away_is_missing_until_it_is_read(living: Product) -> None:
    """Like a night whose first try fails: nothing stays red when the second one goes well."""
    day = DAY + timedelta(days=1)
    with at_the_source(
        living, "alter role chotso_source nologin", "alter role chotso_source login"
    ):
        extract_all(living.settings, day)
    gaps = missing(living.settings)
    assert [gap.partition(",")[0] for gap in gaps] == list(contracts())
    assert all("does not answer" in gap for gap in gaps)
    assert dates_to_request(living.settings) == [DAY]
    assert night_s_status(living, day) == ("stopped", len(gaps))
    assert [s for r in extract_all(living.settings, day) for s in r.stopped] == []
    assert missing(living.settings) == []
    assert day in dates_to_request(living.settings)
    assert night_s_status(living, day) == ("published", 0)


def test_an_error_that_nobody_foresaw_stops_its_group_alone(
    living: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = night.extract_group

    def broken(*arguments: object, **named: object) -> object:
        if "c12" in arguments:
            raise KeyError("a value of a person")
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(night, "extract_group", broken)
    reports = extract_all(living.settings, DAY)
    stopped = [text for report in reports for text in report.stopped]
    assert len(stopped) == 1
    assert "The extract of c12 ended with an error that was not foreseen: KeyError" in stopped[0]
    assert "person" not in stopped[0]


@pytest.mark.parametrize(
    "number", ["CT 50%", "CT%%s", "CT%(x)s", "CT\\n'; --", "CT'' \" $1 :x {y}", "CT\\"]
)
@pytest.mark.parametrize("strings", ["on", "off"])
def test_a_row_set_aside_is_found_again_by_any_key(
    living: Product, number: str, strings: str
) -> None:
    number = f"{number} {secrets.token_hex(3)}"
    with at_the_source(
        living,
        f"alter role chotso_source set standard_conforming_strings = {strings}",
        "alter role chotso_source reset standard_conforming_strings",
    ):
        with psycopg.connect(living.source_admin_url) as source:
            source.execute(
                "insert into tst.chung_tu select %s, ma_don_vi, '09999', hinh_thuc, ngay_ghi_co, "
                "0, trang_thai, ngay_nhap, ngay_sua from tst.chung_tu order by ngay_sua limit 1",
                [number],
            )
            source.execute("update tst.chung_tu set ngay_sua = bay_gio from tst.dong_ho "
                           "where so_chung_tu = %s", [number])  # fmt: skip
        extract_group(living.settings, "contributions", DAY)
        assert aside(living, number) == "open"
        with psycopg.connect(living.source_admin_url) as source:
            # mended without a change of ngay_sua that an extract would see: only the key finds it
            source.execute("update tst.chung_tu set ma_co_quan = '07201', "
                           "ngay_sua = '2021-01-05' where so_chung_tu = %s", [number])  # fmt: skip
        extract_group(living.settings, "contributions", DAY)
        assert aside(living, number) == "replayed"


def aside(living: Product, number: str) -> str | None:
    with psycopg.connect(living.admin_url) as admin:
        row = admin.execute(
            "select status from quarantine.row where feed = 'payments' "
            "and row ->> 'so_chung_tu' = %s order by id desc limit 1", [number],
        ).fetchone()  # fmt: skip
    return row[0] if row else None


def test_a_source_without_its_driver_says_so() -> None:
    with (
        pytest.raises(ChotsoError, match="install the database's Python driver"),
        open_snapshot("oracle+oracledb://u:hunter22@h/x") as _,
    ):
        pass
