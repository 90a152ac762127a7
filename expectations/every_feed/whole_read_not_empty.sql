-- vi: Danh mục được đọc toàn bộ không được rỗng khi kho đang có dòng còn hiệu lực.
-- en: A register that is read whole is not empty while the warehouse holds rows in force.
with loaded as (
    select count(*) as row_count
    from {batch} as delivered
),

held as (
    select count(*) as row_count
    from {raw}
    where known_to is null
),

final as (
    select
        null::bigint as row_no,
        '0 rows read, ' || held.row_count || ' in force' as detail
    from held
    cross join loaded
    where
        loaded.row_count = 0
        and held.row_count > 0
)

select
    row_no,
    detail
from final
