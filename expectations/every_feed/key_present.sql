-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(', ', {missing_key_names}) as detail
from {batch} as delivered
where {key_is_missing}
