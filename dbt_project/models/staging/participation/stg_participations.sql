with source as (
    select * from {{ source('raw', 'participations') }}
),

{{ cleaned_participations(is_known()) }}
