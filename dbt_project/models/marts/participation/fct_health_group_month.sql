with universe as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        agency_months.is_province,
        case when agency_months.is_province then 'province' else 'filed' end as place_type,
        health_groups.health_group_number
    from {{ ref('int_agency_months') }} as agency_months
    cross join generate_series(1, 6) as health_groups (health_group_number)
),

counts as (
    select * from {{ ref('int_participation_counts') }}
    where health_group_number is not null
),

final as (
    select
        universe.agency_code,
        universe.month,
        universe.health_group_number::smallint as health_group_number,
        coalesce(counts.participant_count, 0)::bigint as participant_count,
        universe.agency_key,
        universe.is_province
    from universe
    left join counts
        on
            universe.agency_code = counts.agency_code
            and universe.place_type = counts.place_type
            and universe.month = counts.month
            and universe.health_group_number = counts.health_group_number
)

select * from final
