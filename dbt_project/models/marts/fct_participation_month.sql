with universe as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        metrics.scheme_code
    from {{ ref('int_agency_months') }} as agency_months
    cross join {{ ref('dim_metric') }} as metrics
    where metrics.scheme_code is not null
),

counts as (
    select * from {{ ref('int_participation_counts') }}
),

final as (
    select
        universe.agency_code,
        universe.month,
        universe.scheme_code,
        coalesce(counts.participant_count, 0)::bigint as participant_count,
        universe.agency_key
    from universe
    left join counts
        on
            universe.agency_code = counts.agency_code
            and universe.month = counts.month
            and universe.scheme_code = counts.scheme_code
)

select * from final
