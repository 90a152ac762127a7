-- vi: Ngày cuối của phân công không được trước ngày đầu.
-- en: The assignment's last day is not before its first.
select
    row_no,
    den_ngay || ' is before ' || tu_ngay as detail
from {batch} as delivered
-- no last day is open; a missing first day is the matter of key_present
where
    tu_ngay is not null
    and den_ngay is not null
    and den_ngay < tu_ngay
