-- vi: Số tháng nợ, nếu có, phải là một số hữu hạn.
-- en: The number of months owed, if given, is a finite number.
select
    row_no,
    'sothang = ' || sothang as detail
from {batch} as delivered
-- months owed may be empty
where
    sothang is not null
    and sothang in ('NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric)
