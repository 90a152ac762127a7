-- vi: Năm kế hoạch nằm trong khoảng từ 1995 đến 2100.
-- en: The plan's year lies between 1995 and 2100.
select
    row_no,
    'nam = ' || nam as detail
from {batch} as delivered
-- a missing year is the matter of key_present
where
    nam is not null
    and nam not between 1995 and 2100
