-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select ma_qua_trinh
    from {batch} as delivered
    where
        ma_qua_trinh is not null
    group by ma_qua_trinh
    having count(*) > 1
),

versions as (
    select
        delivered.ma_qua_trinh,
        delivered.person_pseudonym,
        delivered.number_shape,
        delivered.number_mask,
        delivered.key_id,
        delivered.loai,
        delivered.nhom_bhyt,
        delivered.ma_don_vi,
        delivered.ma_co_quan,
        delivered.tu_thang,
        delivered.den_thang,
        delivered.trang_thai,
        delivered.ngay_nhap
    from {batch} as delivered
    inner join repeated on delivered.ma_qua_trinh = repeated.ma_qua_trinh
    group by
        delivered.ma_qua_trinh,
        delivered.person_pseudonym,
        delivered.number_shape,
        delivered.number_mask,
        delivered.key_id,
        delivered.loai,
        delivered.nhom_bhyt,
        delivered.ma_don_vi,
        delivered.ma_co_quan,
        delivered.tu_thang,
        delivered.den_thang,
        delivered.trang_thai,
        delivered.ngay_nhap
),

differing as (
    select
        ma_qua_trinh,
        count(*) as version_count
    from versions
    group by ma_qua_trinh
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing on delivered.ma_qua_trinh = differing.ma_qua_trinh
)

select
    row_no,
    detail
from final
