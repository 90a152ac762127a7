-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select {key}
    from {batch} as delivered
    where {key_is_given}
    group by {key}
    having count(*) > 1
),

versions as (
    select {delivered_columns}
    from {batch} as delivered
    inner join repeated on {same_key_as_repeated}
    group by {delivered_columns}
),

differing as (
    select
        {key},
        count(*) as version_count
    from versions
    group by {key}
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing on {same_key_as_differing}
)

select
    row_no,
    detail
from final
