-- vi: Từ tháng được ghi bằng ngày đầu tháng.
-- en: The first month is written as the first day of the month.
select
    row_no,
    'tu_thang = ' || tu_thang as detail
from {batch} as delivered
-- a missing first month is the matter of required_present; infinity has no day and is outside the
-- range; a last month names its month by whatever day
where extract(day from tu_thang) <> 1
