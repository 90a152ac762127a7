-- vi: Tiền gốc và tiền lãi đều nằm trong khoảng từ -10^15 đến 10^15 đồng.
-- en: Principal and interest each lie between -10^15 and 10^15 đồng.
select
    row_no,
    'out of range: ' || concat_ws(
        ', ',
        case when tien_goc not between -1000000000000000 and 1000000000000000 then 'tien_goc' end,
        case when tien_lai not between -1000000000000000 and 1000000000000000 then 'tien_lai' end
    ) as detail
from {batch} as delivered
-- null is not between: it passes here and is judged by readable and required_present
where
    tien_goc not between -1000000000000000 and 1000000000000000
    or tien_lai not between -1000000000000000 and 1000000000000000
