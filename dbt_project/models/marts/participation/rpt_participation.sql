with final as (
    select
        facts.agency_code,
        {{ agency_columns('agencies') }}
        facts.month,
        facts.month = latest.people_month as is_latest_month,
        facts.scheme_code,
        {{ labels_of('scheme', 'facts.scheme_code', 'scheme') }},
        {{ label_order('scheme', 'facts.scheme_code') }} as scheme_order,
        facts.participant_count,
        facts.joined_count,
        facts.transferred_in_count,
        facts.left_count,
        facts.transferred_out_count,
        facts.net_growth_count,
        latest.data_as_of
    from {{ ref('fct_participation_month') }} as facts
    inner join {{ ref('int_agency_labels') }} as agencies on facts.agency_key = agencies.agency_key
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
