-- vi: Ngày ký và ngày hiệu lực nằm trong khoảng từ 01/01/1995 đến 31/12/2100, ngày ký không quá
--     400 ngày sau ngày đọc.
-- en: Day of signature and first day in force lie between 1995-01-01 and 2100-12-31, the
--     signature at most 400 days after the reading.
select
    row_no,
    concat_ws(', ', 'ngay_ky = ' || ngay_ky, 'hieu_luc_tu = ' || hieu_luc_tu) as detail
from {batch} as delivered
-- null is not between: a missing day is the matter of key_present; a signature of years to come
-- would revise every other for good
where
    ngay_ky not between date '1995-01-01' and date '2100-12-31'
    or ngay_ky > ({known_at} at time zone 'Asia/Ho_Chi_Minh' + interval '400 days')::date
    or hieu_luc_tu not between date '1995-01-01' and date '2100-12-31'
