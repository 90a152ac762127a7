-- vi: Đến tháng không được trước từ tháng.
-- en: The last month is not before the first.
select
    row_no,
    den_thang || ' is before ' || tu_thang as detail
from {batch} as delivered
-- no last month is open; a missing first month is the matter of required_present
where
    tu_thang is not null
    and den_thang is not null
    and den_thang < tu_thang
