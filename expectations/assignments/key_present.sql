-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(ma_don_vi), '') = '' then 'ma_don_vi' end,
        case when tu_ngay is null then 'tu_ngay' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(ma_don_vi), '') = ''
    or tu_ngay is null
