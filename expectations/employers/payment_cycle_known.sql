-- vi: Chu kỳ đóng của đơn vị là 1, 3 hoặc 6 tháng, hoặc để trống.
-- en: The employer's payment cycle is 1, 3 or 6 months, or empty.
select
    row_no,
    'chu_ky_dong = ' || chu_ky_dong as detail
from {batch} as delivered
-- collection agents have no cycle
where
    chu_ky_dong is not null
    and chu_ky_dong not in (1, 3, 6)
