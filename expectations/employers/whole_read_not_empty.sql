-- vi: Danh mục được đọc toàn bộ không được rỗng khi kho đang có dòng còn hiệu lực.
-- en: A register that is read whole is not empty while the warehouse holds rows in force.
select
    null::bigint as row_no,
    '0 rows read, ' || held.row_count || ' in force' as detail
from (select count(*) as row_count from raw.employers as known where known.known_to is null) as held
cross join (select count(*) as row_count from {batch} as delivered) as loaded
where
    loaded.row_count = 0
    and held.row_count > 0
