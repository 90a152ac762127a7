-- vi: Loại tham gia là BHXHBB, BHXHTN, BHTN hoặc BHYT.
-- en: The scheme is BHXHBB, BHXHTN, BHTN or BHYT.
select
    row_no,
    'loai = ' || left(loai, 20) as detail
from {batch} as delivered
-- a missing value is the matter of required_present
where
    loai is not null
    and loai not in ('BHXHBB', 'BHXHTN', 'BHTN', 'BHYT')
