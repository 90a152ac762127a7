-- vi: Mọi cột bắt buộc ngoài khóa phải có giá trị.
-- en: Every required column beside the key has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(loai), '') = '' then 'loai' end,
        case when coalesce(btrim(ma_co_quan), '') = '' then 'ma_co_quan' end,
        case when tu_thang is null then 'tu_thang' end,
        case when coalesce(btrim(trang_thai), '') = '' then 'trang_thai' end,
        case when ngay_nhap is null then 'ngay_nhap' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(loai), '') = ''
    or coalesce(btrim(ma_co_quan), '') = ''
    or tu_thang is null
    or coalesce(btrim(trang_thai), '') = ''
    or ngay_nhap is null
