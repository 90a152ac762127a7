-- vi: Chỉ tiêu phải là một trong các chỉ tiêu NGUOI_*, THU_*, NO_* đã quy định.
-- en: The measure is one of the NGUOI_*, THU_* and NO_* measures that are assigned.
select
    row_no,
    'chi_tieu = ' || left(chi_tieu, 20) as detail
from {batch} as delivered
-- a missing value is the matter of key_present
where
    chi_tieu is not null
    and chi_tieu not in (
        'NGUOI_BHXH_BB',
        'NGUOI_BHXH_TN',
        'NGUOI_BHTN',
        'NGUOI_BHYT',
        'THU_BHXH_BB',
        'THU_BHXH_TN',
        'THU_BHTN',
        'THU_BHYT',
        'THU_TONG',
        'NO_BHXH',
        'NO_BHTN',
        'NO_BHYT',
        'NO_TONG'
    )
