-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(ma_can_bo), '') = '' then 'ma_can_bo' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(ma_can_bo), '') = ''
