-- vi: Số lao động nằm trong khoảng từ 0 đến 10^8 người.
-- en: Head-counts lie between 0 and 10^8 people.
select
    row_no,
    concat_ws(', ', 'sld = ' || sld, 'sldtn = ' || sldtn) as detail
from {batch} as delivered
-- null is not between: an empty count is 0, an unreadable one is the matter of readable
where
    sld not between 0 and 100000000
    or sldtn not between 0 and 100000000
