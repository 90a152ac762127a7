-- vi: Thời điểm ghi có nằm trong khoảng từ 01/01/1995 đến 400 ngày sau thời điểm đọc nguồn.
-- en: The instant of credit lies between 1995-01-01 and 400 days after the source was read.
select
    row_no,
    'ngay_ghi_co = ' || ngay_ghi_co as detail
from {batch} as delivered
-- a missing instant is the matter of required_present; infinity is outside
where
    ngay_ghi_co is not null
    and (
        not isfinite(ngay_ghi_co)
        or ngay_ghi_co < timestamptz '1995-01-01 00:00:00+07'
        or ngay_ghi_co > {known_at} + interval '400 days'
    )
