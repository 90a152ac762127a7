-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(ten), '') = '' then 'ten' end,
        case when coalesce(btrim(ma_co_quan), '') = '' then 'ma_co_quan' end,
        case when coalesce(btrim(trang_thai), '') = '' then 'trang_thai' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(ten), '') = ''
    or coalesce(btrim(ma_co_quan), '') = ''
    or coalesce(btrim(trang_thai), '') = ''
