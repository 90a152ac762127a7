-- vi: Loại đối tượng là CO_QUAN hoặc CAN_BO.
-- en: The kind of object is CO_QUAN or CAN_BO.
select
    row_no,
    'loai_doi_tuong = ' || left(loai_doi_tuong, 20) as detail
from {batch} as delivered
-- a missing value is the matter of key_present
where
    loai_doi_tuong is not null
    and loai_doi_tuong not in ('CO_QUAN', 'CAN_BO')
