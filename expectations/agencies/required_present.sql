-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(ten), '') = '' then 'ten' end,
        case when cap is null then 'cap' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(ten), '') = ''
    or cap is null
