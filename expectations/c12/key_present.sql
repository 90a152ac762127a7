-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(madvi), '') = '' then 'madvi' end,
        case when thang is null then 'thang' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(madvi), '') = ''
    or thang is null
