-- vi: Mã đơn vị gồm đúng 7 chữ số hoặc chữ cái không dấu.
-- en: The employer code is exactly 7 digits or plain letters.
select
    row_no,
    'ma_don_vi of ' || length(ma_don_vi) || ' characters' as detail
from {batch} as delivered
-- a missing code is the matter of key_present
where
    ma_don_vi is not null
    and ma_don_vi !~ '^[0-9A-Za-z]{7}$'
