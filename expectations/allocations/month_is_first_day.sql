-- vi: Tháng nộp cho được ghi bằng ngày đầu tháng.
-- en: The month paid for is written as its first day.
select
    row_no,
    'thang = ' || thang as detail
from {batch} as delivered
-- a missing month is the matter of required_present; infinity has no day
where
    thang is not null
    and extract(day from thang) is distinct from 1
