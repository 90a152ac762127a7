-- vi: Tổng gốc và lãi các dòng của chứng từ có hiệu lực nằm giữa 0 và số tiền chứng từ; nếu không,
--     mọi dòng đều bị cách ly.
-- en: Principal and interest over the lines of a valid document lie between 0 and its amount; if
--     not, all its lines are set aside.
-- The batch holds all lines of each document that it touches. Payments were published before.
-- Identical repetitions of a line count once. Lines whose versions differ, and lines without a
-- number, are set aside by their own rules and count nowhere; so does an empty amount.
-- Whatever counts lies between the sum of all negative and the sum of all positive amounts: only
-- where these reach beyond the document are its lines told apart, which is dear for a whole year.
-- A number has one document in force. `max` makes each lookup a query of its own, which uses the
-- index, also where there are no statistics.
with extremes as (
    select
        so_chung_tu,
        sum(least(tien_goc, 0)) + sum(least(tien_lai, 0)) as lowest_vnd,
        sum(greatest(tien_goc, 0)) + sum(greatest(tien_lai, 0)) as highest_vnd
    from {batch} as delivered
    where so_chung_tu is not null
    group by so_chung_tu
),

suspected as (
    select
        extremes.so_chung_tu,
        document.so_tien as document_vnd
    from extremes
    cross join
        lateral (
            select max(so_tien) as so_tien
            from raw.payments
            where
                so_chung_tu = extremes.so_chung_tu
                and known_to is null
                and trang_thai = 'HIEU_LUC'
        ) as document
    where
        document.so_tien is not null
        and (
            extremes.lowest_vnd < least(document.so_tien, 0)
            or extremes.highest_vnd > greatest(document.so_tien, 0)
        )
),

versions as (
    select
        delivered.so_chung_tu,
        delivered.so_dong,
        delivered.quy,
        delivered.thang,
        delivered.tien_goc,
        delivered.tien_lai
    from {batch} as delivered
    inner join suspected on delivered.so_chung_tu = suspected.so_chung_tu
    where delivered.so_dong is not null
    group by
        delivered.so_chung_tu,
        delivered.so_dong,
        delivered.quy,
        delivered.thang,
        delivered.tien_goc,
        delivered.tien_lai
),

lines as (
    select
        so_chung_tu,
        so_dong,
        sum(coalesce(tien_goc, 0)) + sum(coalesce(tien_lai, 0)) as line_vnd
    from versions
    group by so_chung_tu, so_dong
    having count(*) = 1
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
        suspected.so_chung_tu,
        suspected.document_vnd,
        sums.lines_vnd
    from suspected
    inner join sums on suspected.so_chung_tu = sums.so_chung_tu
    where
        sums.lines_vnd < least(suspected.document_vnd, 0)
        or sums.lines_vnd > greatest(suspected.document_vnd, 0)
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
