-- vi: Số người và số tiền là số nguyên.
-- en: People and đồng are whole numbers.
select
    row_no,
    concat_ws(' ', left(chi_tieu, 20), '=', gia_tri) as detail
from {batch} as delivered
-- a missing value is the matter of required_present; NaN and infinity, of value_in_range
where
    gia_tri is not null
    and (chi_tieu like 'NGUOI\_%' or chi_tieu like 'THU\_%')
    and gia_tri <> trunc(gia_tri)
