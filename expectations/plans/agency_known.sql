-- vi: Đối tượng loại CO_QUAN phải có trong danh mục cơ quan.
-- en: An object of kind CO_QUAN is in the register of agencies.
select
    delivered.row_no,
    'ma_doi_tuong = ' || left(delivered.ma_doi_tuong, 20) as detail
from {batch} as delivered
left join raw.agencies as agency
    on
        delivered.ma_doi_tuong = agency.ma_co_quan
        and agency.known_to is null
-- officers may be unknown; a missing kind or code is the matter of key_present
where
    delivered.ma_doi_tuong is not null
    and delivered.loai_doi_tuong = 'CO_QUAN'
    and agency.ma_co_quan is null
