-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select
        so_chung_tu,
        so_dong
    from {batch} as delivered
    where
        so_chung_tu is not null
        and so_dong is not null
    group by so_chung_tu, so_dong
    having count(*) > 1
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
    inner join repeated
        on
            delivered.so_chung_tu = repeated.so_chung_tu
            and delivered.so_dong = repeated.so_dong
    group by
        delivered.so_chung_tu,
        delivered.so_dong,
        delivered.quy,
        delivered.thang,
        delivered.tien_goc,
        delivered.tien_lai
),

differing as (
    select
        so_chung_tu,
        so_dong,
        count(*) as version_count
    from versions
    group by so_chung_tu, so_dong
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing
        on
            delivered.so_chung_tu = differing.so_chung_tu
            and delivered.so_dong = differing.so_dong
)

select
    row_no,
    detail
from final
