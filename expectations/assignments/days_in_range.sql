-- vi: Ngày phân công nằm trong khoảng từ 01/01/1995 đến 31/12/2100.
-- en: The days of the assignment lie between 1995-01-01 and 2100-12-31.
select
    row_no,
    concat_ws(
        ', ',
        case
            when tu_ngay not between date '1995-01-01' and date '2100-12-31'
                then 'tu_ngay = ' || tu_ngay
        end,
        case
            when den_ngay not between date '1995-01-01' and date '2100-12-31'
                then 'den_ngay = ' || den_ngay
        end
    ) as detail
from {batch} as delivered
-- null is not between: a missing first day is the matter of key_present, no last day is open
where
    tu_ngay not between date '1995-01-01' and date '2100-12-31'
    or den_ngay not between date '1995-01-01' and date '2100-12-31'
