-- vi: Quỹ là HTTT, ODTS, TNLD, BHTN, BHYT hoặc BHXHTN.
-- en: The fund is HTTT, ODTS, TNLD, BHTN, BHYT or BHXHTN.
select
    row_no,
    'quy = ' || left(quy, 20) as detail
from {batch} as delivered
-- a missing value is the matter of required_present
where
    quy is not null
    and quy not in ('HTTT', 'ODTS', 'TNLD', 'BHTN', 'BHYT', 'BHXHTN')
