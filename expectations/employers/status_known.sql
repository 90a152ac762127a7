-- vi: Trạng thái đơn vị là HOAT_DONG, TAM_DUNG, GIAI_THE hoặc PHA_SAN.
-- en: The employer's status is HOAT_DONG, TAM_DUNG, GIAI_THE or PHA_SAN.
select
    row_no,
    'trang_thai = ' || left(trang_thai, 20) as detail
from {batch} as delivered
-- a missing value is the matter of required_present
where
    trang_thai is not null
    and trang_thai not in ('HOAT_DONG', 'TAM_DUNG', 'GIAI_THE', 'PHA_SAN')
