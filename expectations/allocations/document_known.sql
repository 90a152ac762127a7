-- vi: Chứng từ của dòng phân bổ phải có trong kho; nếu không, mọi dòng của chứng từ đều bị cách ly.
-- en: The line's document is in the warehouse; if not, all lines of the document are set aside.
select
    delivered.row_no,
    'document not in the warehouse' as detail
from {batch} as delivered
left join raw.payments as document
    on
        delivered.so_chung_tu = document.so_chung_tu
        and document.known_to is null
-- a missing number is the matter of key_present
where
    delivered.so_chung_tu is not null
    and document.so_chung_tu is null
