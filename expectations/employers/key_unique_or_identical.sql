-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select
        ma_don_vi
    from {batch} as delivered
    where
        ma_don_vi is not null
    group by ma_don_vi
    having count(*) > 1
),

versions as (
    select
        ma_don_vi,
        ten,
        ma_khoi,
        ma_co_quan,
        ngan_sach,
        chu_ky_dong,
        trang_thai
    from {batch} as delivered
    inner join repeated using (ma_don_vi)
    group by
        ma_don_vi,
        ten,
        ma_khoi,
        ma_co_quan,
        ngan_sach,
        chu_ky_dong,
        trang_thai
),

differing as (
    select
        ma_don_vi,
        count(*) as version_count
    from versions
    group by ma_don_vi
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing using (ma_don_vi)
)

select
    row_no,
    detail
from final
