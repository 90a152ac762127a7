-- vi: Tháng của dòng phải đúng là tháng mà tệp báo cáo.
-- en: The row's month is the month that the file reports.
select
    row_no,
    'thang = ' || thang || ', reported ' || coalesce({month}::text, 'none') as detail
from {batch} as delivered
-- a missing month is the matter of key_present; a file that reports no month fits no row
where
    thang is not null
    and thang is distinct from {month}
