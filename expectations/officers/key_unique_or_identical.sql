-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select ma_can_bo
    from {batch} as delivered
    where
        ma_can_bo is not null
    group by ma_can_bo
    having count(*) > 1
),

versions as (
    select
        delivered.ma_can_bo,
        delivered.ho_ten,
        delivered.ma_co_quan
    from {batch} as delivered
    inner join repeated on delivered.ma_can_bo = repeated.ma_can_bo
    group by delivered.ma_can_bo, delivered.ho_ten, delivered.ma_co_quan
),

differing as (
    select
        ma_can_bo,
        count(*) as version_count
    from versions
    group by ma_can_bo
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing on delivered.ma_can_bo = differing.ma_can_bo
)

select
    row_no,
    detail
from final
