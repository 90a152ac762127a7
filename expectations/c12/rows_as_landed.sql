-- vi: Số dòng của lô phải đúng bằng số dòng ghi trong bản kê khi tiếp nhận.
-- en: The batch has exactly the rows that its landing manifest counts.
select
    null::bigint as row_no,
    loaded.row_count || ' rows loaded, ' || {rows} || ' in the manifest' as detail
from (select count(*) as row_count from {batch} as delivered) as loaded
where loaded.row_count <> {rows}
