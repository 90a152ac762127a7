-- vi: Mã số BHXH của người tham gia phải gồm đúng 10 chữ số.
-- en: The person's number is exactly 10 digits.
select
    row_no,
    'number: ' || case
        when number_shape is null or number_shape = 'ok' then 'missing'
        else left(number_shape, 20)
    end as detail
from {batch} as delivered
-- nothing known of the number is no number
where
    number_shape is distinct from 'ok'
    or person_pseudonym is null
