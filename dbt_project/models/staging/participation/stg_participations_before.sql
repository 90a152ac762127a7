with source as (
    select * from {{ source('raw', 'participations') }}
),

{{ cleaned_participations(was_known()) }}
