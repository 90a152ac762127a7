-- vi: Cấp của cơ quan nằm trong khoảng từ 1 đến 9.
-- en: The agency's level lies between 1 and 9.
select
    row_no,
    'cap = ' || cap as detail
from {batch} as delivered
-- a missing level is the matter of required_present
where
    cap is not null
    and cap not between 1 and 9
