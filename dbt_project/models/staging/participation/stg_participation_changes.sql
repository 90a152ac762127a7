with source as (
    select * from {{ source('raw', 'participations') }}
),

changed as (
    select person_pseudonym as person_id from source
    where {{ changed_since_kept() }}
),

final as (
    select person_id from changed
    group by person_id
)

select * from final
