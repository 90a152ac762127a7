with provinces as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        metrics.scheme_code
    from {{ ref('int_agency_months') }} as agency_months
    cross join {{ ref('dim_metric') }} as metrics
    where agency_months.is_province and metrics.scheme_code is not null
),

members as (
    select * from {{ ref('int_agency_members') }}
),

filed as (
    select
        members.agency_code,
        counts.month,
        counts.scheme_code,
        sum(counts.participant_count) filter (
            where members.member_agency_code <> members.agency_code
        ) as agencies_sum_count,
        sum(counts.participant_count) filter (
            where members.member_agency_code = members.agency_code
        ) as own_count
    from {{ ref('int_participation_counts') }} as counts
    inner join members on counts.agency_code = members.member_agency_code
    where counts.place_type = 'filed' and counts.health_group_number is null
    group by members.agency_code, counts.month, counts.scheme_code
),

again_steps as (
    select * from {{ ref('int_counted_again_steps') }}
),

counted_again as (
    select
        provinces.agency_code,
        provinces.month,
        provinces.scheme_code,
        sum(again_steps.again_change_count) as counted_again_count
    from provinces
    inner join again_steps
        on
            provinces.agency_code = again_steps.agency_code
            and provinces.scheme_code = again_steps.scheme_code
            and provinces.month >= again_steps.month
    group by provinces.agency_code, provinces.month, provinces.scheme_code
),

final as (
    select
        provinces.agency_code,
        provinces.month,
        provinces.scheme_code,
        coalesce(filed.agencies_sum_count, 0)::bigint as agencies_sum_count,
        coalesce(filed.own_count, 0)::bigint as own_count,
        coalesce(counted_again.counted_again_count, 0)::bigint as counted_again_count,
        province_counts.participant_count as province_count,
        provinces.agency_key,
        true as is_province
    from provinces
    inner join {{ ref('fct_participation_month') }} as province_counts
        on
            provinces.agency_code = province_counts.agency_code
            and provinces.month = province_counts.month
            and provinces.scheme_code = province_counts.scheme_code
    left join filed
        on
            provinces.agency_code = filed.agency_code
            and provinces.month = filed.month
            and provinces.scheme_code = filed.scheme_code
    left join counted_again
        on
            provinces.agency_code = counted_again.agency_code
            and provinces.month = counted_again.month
            and provinces.scheme_code = counted_again.scheme_code
)

select * from final
