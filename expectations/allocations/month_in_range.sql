-- vi: Tháng nộp cho nằm trong khoảng từ 01/1995 đến 400 ngày sau thời điểm đọc nguồn.
-- en: The month paid for lies between 1995-01 and 400 days after the source was read.
select
    row_no,
    'thang = ' || thang as detail
from {batch} as delivered
-- a missing month is the matter of required_present; infinity is outside
where
    thang is not null
    and (
        thang < date '1995-01-01'
        or thang > ({known_at} at time zone 'Asia/Ho_Chi_Minh' + interval '400 days')::date
    )
