-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when ma_qua_trinh is null then 'ma_qua_trinh' end
    ) as detail
from {batch} as delivered
where
    ma_qua_trinh is null
