select * from {{ ref('int_metrics') }}
