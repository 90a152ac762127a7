-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(', ', {missing_required_names}) as detail
from {batch} as delivered
where {required_is_missing}
