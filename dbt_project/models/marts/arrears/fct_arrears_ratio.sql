select * from {{ ref('int_arrears_ratios') }}
