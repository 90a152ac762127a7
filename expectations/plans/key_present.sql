-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(loai_doi_tuong), '') = '' then 'loai_doi_tuong' end,
        case when coalesce(btrim(ma_doi_tuong), '') = '' then 'ma_doi_tuong' end,
        case when coalesce(btrim(chi_tieu), '') = '' then 'chi_tieu' end,
        case when nam is null then 'nam' end,
        case when hieu_luc_tu is null then 'hieu_luc_tu' end,
        case when ngay_ky is null then 'ngay_ky' end,
        case when coalesce(btrim(so_quyet_dinh), '') = '' then 'so_quyet_dinh' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(loai_doi_tuong), '') = ''
    or coalesce(btrim(ma_doi_tuong), '') = ''
    or coalesce(btrim(chi_tieu), '') = ''
    or nam is null
    or hieu_luc_tu is null
    or ngay_ky is null
    or coalesce(btrim(so_quyet_dinh), '') = ''
