-- vi: Mọi số tiền của dòng nằm trong khoảng từ -10^15 đến 10^15 đồng.
-- en: Every amount of the row lies between -10^15 and 10^15 đồng.
select
    row_no,
    'out of range: ' || concat_ws(', ', {names_out_of_range}) as detail
from {batch} as delivered
-- null is not between: it passes here and is judged by readable and required_present
where {amount_is_out_of_range}
