-- vi: Nhóm BHYT từ 1 đến 6 đối với BHYT và để trống đối với loại khác.
-- en: The health-insurance group is 1 to 6 for BHYT and empty for any other scheme.
select
    row_no,
    concat_ws(' ', left(loai, 20), 'with group', coalesce(nhom_bhyt::text, 'empty')) as detail
from {batch} as delivered
-- a missing scheme is the matter of required_present
where
    (loai = 'BHYT' and (nhom_bhyt is null or nhom_bhyt not between 1 and 6))
    or (loai is not null and loai <> 'BHYT' and nhom_bhyt is not null)
