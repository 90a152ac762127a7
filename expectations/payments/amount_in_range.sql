-- vi: Số tiền chứng từ nằm trong khoảng từ -10^15 đến 10^15 đồng; hoàn trả mang dấu âm.
-- en: The document's amount lies between -10^15 and 10^15 đồng; a refund is negative.
select
    row_no,
    'so_tien = ' || so_tien as detail
from {batch} as delivered
-- a missing amount is the matter of required_present
where
    so_tien is not null
    and so_tien not between -1000000000000000 and 1000000000000000
