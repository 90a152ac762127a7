-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select ma_don_vi
    from {batch} as delivered
    where
        ma_don_vi is not null
    group by ma_don_vi
    having count(*) > 1
),

versions as (
    select
        delivered.ma_don_vi,
        delivered.ten,
        delivered.ma_khoi,
        delivered.ma_co_quan,
        delivered.ngan_sach,
        delivered.chu_ky_dong,
        delivered.trang_thai
    from {batch} as delivered
    inner join repeated on delivered.ma_don_vi = repeated.ma_don_vi
    group by
        delivered.ma_don_vi,
        delivered.ten,
        delivered.ma_khoi,
        delivered.ma_co_quan,
        delivered.ngan_sach,
        delivered.chu_ky_dong,
        delivered.trang_thai
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
    inner join differing on delivered.ma_don_vi = differing.ma_don_vi
)

select
    row_no,
    detail
from final
