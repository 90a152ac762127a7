-- vi: Các dòng cùng khóa trong một lô phải giống hệt nhau; nếu khác nhau thì tất cả đều bị cách ly.
-- en: Rows of one batch with the same key are identical; if they differ, all are set aside.
with repeated as (
    select
        loai_doi_tuong,
        ma_doi_tuong,
        chi_tieu,
        nam,
        hieu_luc_tu,
        ngay_ky,
        so_quyet_dinh
    from {batch} as delivered
    where
        loai_doi_tuong is not null
        and ma_doi_tuong is not null
        and chi_tieu is not null
        and nam is not null
        and hieu_luc_tu is not null
        and ngay_ky is not null
        and so_quyet_dinh is not null
    group by
        loai_doi_tuong,
        ma_doi_tuong,
        chi_tieu,
        nam,
        hieu_luc_tu,
        ngay_ky,
        so_quyet_dinh
    having count(*) > 1
),

versions as (
    select
        delivered.loai_doi_tuong,
        delivered.ma_doi_tuong,
        delivered.chi_tieu,
        delivered.nam,
        delivered.hieu_luc_tu,
        delivered.ngay_ky,
        delivered.so_quyet_dinh,
        delivered.don_vi_giao,
        delivered.gia_tri
    from {batch} as delivered
    inner join repeated
        on
            delivered.loai_doi_tuong = repeated.loai_doi_tuong
            and delivered.ma_doi_tuong = repeated.ma_doi_tuong
            and delivered.chi_tieu = repeated.chi_tieu
            and delivered.nam = repeated.nam
            and delivered.hieu_luc_tu = repeated.hieu_luc_tu
            and delivered.ngay_ky = repeated.ngay_ky
            and delivered.so_quyet_dinh = repeated.so_quyet_dinh
    group by
        delivered.loai_doi_tuong,
        delivered.ma_doi_tuong,
        delivered.chi_tieu,
        delivered.nam,
        delivered.hieu_luc_tu,
        delivered.ngay_ky,
        delivered.so_quyet_dinh,
        delivered.don_vi_giao,
        delivered.gia_tri
),

differing as (
    select
        loai_doi_tuong,
        ma_doi_tuong,
        chi_tieu,
        nam,
        hieu_luc_tu,
        ngay_ky,
        so_quyet_dinh,
        count(*) as version_count
    from versions
    group by
        loai_doi_tuong,
        ma_doi_tuong,
        chi_tieu,
        nam,
        hieu_luc_tu,
        ngay_ky,
        so_quyet_dinh
    having count(*) > 1
),

final as (
    select
        delivered.row_no,
        differing.version_count || ' differing versions of one key' as detail
    from {batch} as delivered
    inner join differing
        on
            delivered.loai_doi_tuong = differing.loai_doi_tuong
            and delivered.ma_doi_tuong = differing.ma_doi_tuong
            and delivered.chi_tieu = differing.chi_tieu
            and delivered.nam = differing.nam
            and delivered.hieu_luc_tu = differing.hieu_luc_tu
            and delivered.ngay_ky = differing.ngay_ky
            and delivered.so_quyet_dinh = differing.so_quyet_dinh
)

select
    row_no,
    detail
from final
