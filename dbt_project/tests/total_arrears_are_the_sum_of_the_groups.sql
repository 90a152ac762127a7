select
    agency_code,
    month
from {{ ref('fct_arrears_ratio') }}
where variant_code like '%~_receivable' escape '~'
group by agency_code, month, variant_code
having
    sum(numerator) filter (where group_code = 'total')
    <> sum(numerator) filter (where group_code <> 'total')
    or sum(denominator) filter (where group_code = 'total')
    <> sum(denominator) filter (where group_code <> 'total')
