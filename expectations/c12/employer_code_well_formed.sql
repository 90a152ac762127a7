-- vi: Mã đơn vị gồm đúng 7 chữ số hoặc chữ cái không dấu.
-- en: The employer code is exactly 7 digits or plain letters.
select
    row_no,
    'madvi of ' || length(madvi) || ' characters' as detail
from {batch} as delivered
-- a missing code is the matter of key_present
where
    madvi is not null
    and madvi !~ '^[0-9A-Za-z]{7}$'
