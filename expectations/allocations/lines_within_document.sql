-- vi: Tổng gốc và lãi các dòng của chứng từ có hiệu lực nằm giữa 0 và số tiền chứng từ; nếu không,
--     mọi dòng đều bị cách ly.
-- en: Principal and interest over the lines of a valid document lie between 0 and its amount; if
--     not, all its lines are set aside.
-- The batch holds all lines of each document that it touches. Payments were published before.
-- Identical repetitions of a line count once. Lines whose versions differ, and lines without a
-- number, are set aside by their own rules and count nowhere; so does an empty amount.
with lines as (
    select
        so_chung_tu,
        so_dong,
        min(tien_goc) as principal_vnd,
        min(tien_lai) as interest_vnd
    from {batch} as delivered
    where
        so_chung_tu is not null
        and so_dong is not null
    group by so_chung_tu, so_dong
    having
        count(*) = 1
        or (
            min(quy) is not distinct from max(quy)
            and min(thang) is not distinct from max(thang)
            and min(tien_goc) is not distinct from max(tien_goc)
            and min(tien_lai) is not distinct from max(tien_lai)
            -- a value here and none there differ too
            and count(quy) in (0, count(*))
            and count(thang) in (0, count(*))
            and count(tien_goc) in (0, count(*))
            and count(tien_lai) in (0, count(*))
        )
),

sums as (
    select
        so_chung_tu,
        coalesce(sum(principal_vnd), 0) + coalesce(sum(interest_vnd), 0) as lines_vnd
    from lines
    group by so_chung_tu
),

offending as (
    select
        sums.so_chung_tu,
        sums.lines_vnd,
        document.so_tien as document_vnd
    from sums
    inner join raw.payments as document
        on
            sums.so_chung_tu = document.so_chung_tu
            and document.known_to is null
            and document.trang_thai = 'HIEU_LUC'
    where
        document.so_tien is not null
        and (
            sums.lines_vnd < least(0, document.so_tien)
            or sums.lines_vnd > greatest(0, document.so_tien)
        )
),

final as (
    select
        delivered.row_no,
        'lines ' || offending.lines_vnd || ', document ' || offending.document_vnd as detail
    from {batch} as delivered
    inner join offending on delivered.so_chung_tu = offending.so_chung_tu
)

select
    row_no,
    detail
from final
