-- vi: Mọi cột khóa của dòng phải có giá trị.
-- en: Every key column of the row has a value.
select
    row_no,
    'missing: ' || concat_ws(
        ', ',
        case when coalesce(btrim(so_chung_tu), '') = '' then 'so_chung_tu' end,
        case when so_dong is null then 'so_dong' end
    ) as detail
from {batch} as delivered
where
    coalesce(btrim(so_chung_tu), '') = ''
    or so_dong is null
