-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select
        ma_qua_trinh
    from {batch} as delivered
    where
        ma_qua_trinh is not null
    group by ma_qua_trinh
    having count(*) > 1
),

versions as (
    select
        ma_qua_trinh,
        person_pseudonym,
        number_shape,
        number_mask,
        key_id,
        loai,
        nhom_bhyt,
        ma_don_vi,
        ma_co_quan,
        tu_thang,
        den_thang,
        trang_thai,
        ngay_nhap
    from {batch} as delivered
    inner join repeated using (ma_qua_trinh)
    group by
        ma_qua_trinh,
        person_pseudonym,
        number_shape,
        number_mask,
        key_id,
        loai,
        nhom_bhyt,
        ma_don_vi,
        ma_co_quan,
        tu_thang,
        den_thang,
        trang_thai,
        ngay_nhap
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
    inner join differing using (ma_qua_trinh)
)

select
    row_no,
    detail
from final
