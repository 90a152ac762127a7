-- vi: Số dòng của lô phải đúng bằng số dòng ghi trong bản kê khi tiếp nhận.
-- en: The batch has exactly the rows that its landing manifest counts.
with loaded as (
    select count(*) as row_count
    from {batch} as delivered
),

final as (
    select
        null::bigint as row_no,
        row_count || ' rows loaded, ' || {rows} || ' in the manifest' as detail
    from loaded
    where row_count <> {rows}
)

select
    row_no,
    detail
from final
