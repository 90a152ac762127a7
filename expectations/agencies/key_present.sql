-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(ma_co_quan), '') = '' then 'ma_co_quan' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(ma_co_quan), '') = ''
