-- vi: Từ tháng và đến tháng được ghi bằng ngày đầu tháng.
-- en: First and last month are written as the first day of the month.
select
    row_no,
    concat_ws(
        ', ',
        case when extract(day from tu_thang) <> 1 then 'tu_thang = ' || tu_thang end,
        case when extract(day from den_thang) <> 1 then 'den_thang = ' || den_thang end
    ) as detail
from {batch} as delivered
-- a missing first month is the matter of required_present, no last month is open; infinity has no
-- day and is outside the range
where
    extract(day from tu_thang) <> 1
    or extract(day from den_thang) <> 1
