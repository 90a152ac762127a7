-- vi: Mã cơ quan của dòng phải có trong danh mục cơ quan.
-- en: The row's agency is in the register of agencies.
select
    delivered.row_no,
    '{reference} = ' || left(delivered.{reference}, 20) as detail
from {batch} as delivered
left join raw.agencies as agency
    on
        delivered.{reference} = agency.ma_co_quan
        and agency.known_to is null
-- a missing code is the matter of required_present
where
    delivered.{reference} is not null
    and agency.ma_co_quan is null
