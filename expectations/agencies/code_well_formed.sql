-- vi: Mã cơ quan gồm 1 đến 10 chữ số hoặc chữ cái không dấu.
-- en: The agency code is 1 to 10 digits or plain letters.
select
    row_no,
    'ma_co_quan of ' || length(ma_co_quan) || ' characters' as detail
from {batch} as delivered
-- a missing code is the matter of key_present
where
    ma_co_quan is not null
    and ma_co_quan !~ '^[0-9A-Za-z]{1,10}$'
