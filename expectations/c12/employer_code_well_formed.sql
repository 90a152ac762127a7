-- vi: Mã đơn vị gồm đúng 7 chữ số hoặc chữ cái hoa không dấu.
-- en: The employer code is exactly 7 digits or plain capital letters.
select
    row_no,
    'madvi of ' || length(madvi) || ' characters'
    || case when madvi <> upper(madvi) then ', in small letters' else '' end as detail
from {batch} as delivered
-- one employer has one code: a code in small letters would be a second account
-- a missing code is the matter of key_present
where
    madvi is not null
    and madvi !~ '^[0-9A-Z]{7}$'
