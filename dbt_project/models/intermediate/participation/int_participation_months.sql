with universe as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        agency_months.is_province,
        case when agency_months.is_province then 'province' else 'filed' end as place_type,
        metrics.scheme_code
    from {{ ref('int_agency_months') }} as agency_months
    cross join {{ ref('int_metrics') }} as metrics
    where metrics.scheme_code is not null
),

counts as (
    select * from {{ ref('int_participation_counts') }}
    where health_group_number is null
),

final as (
    select
        universe.agency_code,
        universe.month,
        universe.scheme_code,
        coalesce(counts.participant_count, 0)::bigint as participant_count,
        universe.agency_key,
        coalesce(counts.joined_count, 0)::bigint as joined_count,
        coalesce(counts.transferred_in_count, 0)::bigint as transferred_in_count,
        coalesce(counts.left_count, 0)::bigint as left_count,
        coalesce(counts.transferred_out_count, 0)::bigint as transferred_out_count,
        (
            coalesce(counts.participant_count, 0) - coalesce(counts.previous_count, 0)
        )::bigint as net_growth_count,
        universe.is_province
    from universe
    left join counts
        on
            universe.agency_code = counts.agency_code
            and universe.place_type = counts.place_type
            and universe.month = counts.month
            and universe.scheme_code = counts.scheme_code
)

select * from final
