-- vi: Ngày ký và ngày hiệu lực nằm trong khoảng từ 01/01/1995 đến 31/12/2100.
-- en: Day of signature and first day in force lie between 1995-01-01 and 2100-12-31.
select
    row_no,
    concat_ws(', ', 'ngay_ky = ' || ngay_ky, 'hieu_luc_tu = ' || hieu_luc_tu) as detail
from {batch} as delivered
-- null is not between: a missing day is the matter of key_present
where
    ngay_ky not between date '1995-01-01' and date '2100-12-31'
    or hieu_luc_tu not between date '1995-01-01' and date '2100-12-31'
