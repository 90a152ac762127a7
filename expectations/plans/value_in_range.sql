-- vi: Giá trị hữu hạn và không âm: người không quá 10^9, tiền không quá 10^15 đồng, tỷ lệ nợ không
--     quá 100 %.
-- en: The value is finite and not negative: people up to 10^9, money up to 10^15 đồng, arrears up
--     to 100 per cent.
select
    row_no,
    concat_ws(' ', left(chi_tieu, 20), '=', gia_tri) as detail
from {batch} as delivered
-- NaN and infinity sort above every number, so only a bound on both sides excludes them; a missing
-- value is the matter of required_present, an unknown measure of measure_known
where
    gia_tri in ('NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric)
    or gia_tri < 0
    or (chi_tieu like 'NGUOI\_%' and gia_tri not between 0 and 1000000000)
    or (chi_tieu like 'THU\_%' and gia_tri not between 0 and 1000000000000000)
    or (chi_tieu like 'NO\_%' and gia_tri not between 0 and 100)
