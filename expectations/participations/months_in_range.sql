-- vi: Từ tháng nằm trong khoảng từ 01/1960 đến 400 ngày sau thời điểm đọc nguồn; đến tháng không
--     sau 12/2100.
-- en: The first month lies between 1960-01 and 400 days after the source was read; the last is not
--     after 2100-12.
select
    row_no,
    concat_ws(', ', 'tu_thang = ' || tu_thang, 'den_thang = ' || den_thang) as detail
from {batch} as delivered
-- null is not between: a missing first month is the matter of required_present, no last is open
where
    tu_thang not between date '1960-01-01'
    and ({known_at} at time zone 'Asia/Ho_Chi_Minh' + interval '400 days')::date
    or den_thang not between date '1960-01-01' and date '2100-12-31'
