"""What a night must have moved, whoever ran it: compared with the source, whole."""

from typing import Any, Protocol


class Moved(Protocol):
    """A warehouse and the source that it was filled from."""

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""

    def source_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the source."""


def holds_what_the_source_holds(moved: Moved) -> None:
    """Raw's rows in force against the source's tables, whole, each key once."""
    for feed, relation, columns in (
        ("payments", "chung_tu", "so_chung_tu, ma_co_quan, so_tien, trang_thai, ngay_ghi_co"),
        ("allocations", "phan_bo", "so_chung_tu, so_dong, quy, thang, tien_goc, tien_lai"),
    ):
        kept = moved.rows(f"select {columns} from raw.{feed} where known_to is null")
        true = moved.source_rows(f"select {columns} from tst.{relation}")
        assert len(true) > 100
        assert sorted(kept) == sorted(true)
    assert moved.rows("select count(*) from quarantine.row") == [(0,)]


def figures_are_what_was_collected(moved: Moved) -> None:
    """The province's total to date against the lines that it is the sum of."""
    collected, allocated = moved.rows(
        """
        select
            (select actual_to_date from marts.fct_monthly_attainment
                where agency_code = '072' and metric_code = 'collection_total'
                and month = '2021-12-01'),
            (select sum(tien_goc) from raw.allocations inner join raw.payments
                using (so_chung_tu) where trang_thai = 'HIEU_LUC'
                and raw.payments.known_to is null and raw.allocations.known_to is null
                and ngay_ghi_co >= '2021-01-01T00:00+07:00')
        """
    )[0]
    assert collected == allocated
