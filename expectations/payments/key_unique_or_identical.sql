-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select so_chung_tu
    from {batch} as delivered
    where
        so_chung_tu is not null
    group by so_chung_tu
    having count(*) > 1
),

versions as (
    select
        delivered.so_chung_tu,
        delivered.ma_don_vi,
        delivered.ma_co_quan,
        delivered.hinh_thuc,
        delivered.ngay_ghi_co,
        delivered.so_tien,
        delivered.trang_thai,
        delivered.ngay_nhap
    from {batch} as delivered
    inner join repeated on delivered.so_chung_tu = repeated.so_chung_tu
    group by
        delivered.so_chung_tu,
        delivered.ma_don_vi,
        delivered.ma_co_quan,
        delivered.hinh_thuc,
        delivered.ngay_ghi_co,
        delivered.so_tien,
        delivered.trang_thai,
        delivered.ngay_nhap
),

differing as (
    select
        so_chung_tu,
        count(*) as version_count
    from versions
    group by so_chung_tu
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing on delivered.so_chung_tu = differing.so_chung_tu
)

select
    row_no,
    detail
from final
