-- vi: Hình thức nộp là UNC, TIEN_MAT hoặc BIEN_LAI.
-- en: The form of payment is UNC, TIEN_MAT or BIEN_LAI.
select
    row_no,
    'hinh_thuc = ' || left(hinh_thuc, 20) as detail
from {batch} as delivered
-- a missing value is the matter of required_present
where
    hinh_thuc is not null
    and hinh_thuc not in ('UNC', 'TIEN_MAT', 'BIEN_LAI')
