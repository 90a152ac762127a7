-- vi: Trạng thái quá trình là HIEU_LUC hoặc HUY.
-- en: The spell's status is HIEU_LUC or HUY.
select
    row_no,
    'trang_thai = ' || left(trang_thai, 20) as detail
from {batch} as delivered
-- a missing value is the matter of required_present
where
    trang_thai is not null
    and trang_thai not in ('HIEU_LUC', 'HUY')
