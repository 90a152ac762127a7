-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(quy), '') = '' then 'quy' end,
        case when thang is null then 'thang' end,
        case when tien_goc is null then 'tien_goc' end,
        case when tien_lai is null then 'tien_lai' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(quy), '') = ''
    or thang is null
    or tien_goc is null
    or tien_lai is null
