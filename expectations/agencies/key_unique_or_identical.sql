-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select ma_co_quan
    from {batch} as delivered
    where
        ma_co_quan is not null
    group by ma_co_quan
    having count(*) > 1
),

versions as (
    select
        delivered.ma_co_quan,
        delivered.ten,
        delivered.ma_cap_tren,
        delivered.cap,
        delivered.ma_huyen,
        delivered.hieu_luc_tu,
        delivered.hieu_luc_den
    from {batch} as delivered
    inner join repeated on delivered.ma_co_quan = repeated.ma_co_quan
    group by
        delivered.ma_co_quan,
        delivered.ten,
        delivered.ma_cap_tren,
        delivered.cap,
        delivered.ma_huyen,
        delivered.hieu_luc_tu,
        delivered.hieu_luc_den
),

differing as (
    select
        ma_co_quan,
        count(*) as version_count
    from versions
    group by ma_co_quan
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing on delivered.ma_co_quan = differing.ma_co_quan
)

select
    row_no,
    detail
from final
