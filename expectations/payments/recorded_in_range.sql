-- vi: Thời điểm nhập chứng từ nằm trong khoảng từ 01/01/1995 đến 400 ngày sau thời điểm đọc nguồn.
-- en: The instant of recording lies between 1995-01-01 and 400 days after the source was read.
select
    row_no,
    'ngay_nhap = ' || ngay_nhap as detail
from {batch} as delivered
-- a missing instant is the matter of required_present; infinity is outside
where
    ngay_nhap is not null
    and (
        not isfinite(ngay_nhap)
        or ngay_nhap < timestamptz '1995-01-01 00:00:00+07'
        or ngay_nhap > {known_at} + interval '400 days'
    )
