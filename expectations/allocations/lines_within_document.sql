-- vi: Tổng gốc và lãi các dòng của chứng từ có hiệu lực nằm giữa 0 và số tiền chứng từ; nếu không,
--     mọi dòng đều bị cách ly.
-- en: Principal and interest over the lines of a valid document lie between 0 and its amount; if
--     not, all its lines are set aside.
-- The batch holds all lines of each document that it touches. Payments were published before.
-- Identical repetitions of a line count once. Lines whose versions differ are set aside by
-- key_unique_or_identical and count nowhere. An empty amount counts 0 and sets its own line aside.
with versions as (
    select
        so_chung_tu,
        so_dong,
        quy,
        thang,
        tien_goc,
        tien_lai,
        coalesce(tien_goc, 0)::numeric + coalesce(tien_lai, 0) as line_vnd
    from {batch} as delivered
    where so_chung_tu is not null
    group by
        so_chung_tu,
        so_dong,
        quy,
        thang,
        tien_goc,
        tien_lai
),

lines as (
    select
        so_chung_tu,
        so_dong,
        sum(line_vnd) as line_vnd
    from versions
    group by so_chung_tu, so_dong
    having count(*) = 1 or so_dong is null
),

sums as (
    select
        so_chung_tu,
        sum(line_vnd) as lines_vnd
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
