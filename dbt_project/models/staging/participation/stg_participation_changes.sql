with source as (
    select * from {{ source('raw', 'participations') }}
),

changed as (
    select person_pseudonym as person_id from source
    where
        {% if has_kept() -%}
        greatest(known_from, known_to) > {{ kept_as_known_at() }}
        and known_from <= {{ as_known_at() }}
        {%- else -%}
        false
        {%- endif %}
),

final as (
    select person_id from changed
    group by person_id
)

select * from final
