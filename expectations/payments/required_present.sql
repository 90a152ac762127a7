-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(ma_don_vi), '') = '' then 'ma_don_vi' end,
        case when coalesce(btrim(ma_co_quan), '') = '' then 'ma_co_quan' end,
        case when coalesce(btrim(hinh_thuc), '') = '' then 'hinh_thuc' end,
        case when ngay_ghi_co is null then 'ngay_ghi_co' end,
        case when so_tien is null then 'so_tien' end,
        case when coalesce(btrim(trang_thai), '') = '' then 'trang_thai' end,
        case when ngay_nhap is null then 'ngay_nhap' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(ma_don_vi), '') = ''
    or coalesce(btrim(ma_co_quan), '') = ''
    or coalesce(btrim(hinh_thuc), '') = ''
    or ngay_ghi_co is null
    or so_tien is null
    or coalesce(btrim(trang_thai), '') = ''
    or ngay_nhap is null
