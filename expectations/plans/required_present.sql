-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when gia_tri is null then 'gia_tri' end
    ) as detail
from {batch} as delivered
where
    gia_tri is null
