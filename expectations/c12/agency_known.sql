-- vi: Tên trang tính phải là mã của một cơ quan có trong danh mục.
-- en: The sheet's name is the code of an agency in the register.
select
    delivered.row_no,
    'ma_co_quan = ' || left(delivered.ma_co_quan, 20) as detail
from {batch} as delivered
left join raw.agencies as agency
    on
        delivered.ma_co_quan = agency.ma_co_quan
        and agency.known_to is null
-- a missing code is the matter of required_present
where
    delivered.ma_co_quan is not null
    and agency.ma_co_quan is null
